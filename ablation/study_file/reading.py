"""The text of a study file, and what it says at full size and at each of its scales."""

from __future__ import annotations

from pathlib import Path

from ablation import wording
from ablation.errors import InputError, StudyFileError
from ablation.study import FOLDER_RULE, names_folder
from ablation.study_file import yaml_reader
from ablation.study_file.documents import overlaid, part_of, with_short_forms
from ablation.study_file.values import STUDY_KEYS
from ablation.study_file.yaml_reader import Document, Place

MAX_SCALES = 10
FULL = "full"
LAPTOP = "laptop"


def read_sizes(path: Path) -> dict[str, Document]:
    """The study of a file at full size and at each of its scales. Raises InputError where the file cannot be read."""
    return _sizes(yaml_reader.read(_text(path), str(path)))


def _sizes(document: Document) -> dict[str, Document]:
    if not isinstance(document.value, dict):
        message = f"a study file is a mapping with the keys {wording.listed(STUDY_KEYS)}, scales."
        raise StudyFileError([document.place(()).problem(message)])
    scales = document.value.get("scales") or {}
    if not isinstance(scales, dict):
        raise StudyFileError([document.place(("scales",)).problem("scales must be a mapping of names to overrides.")])
    if len(scales) > MAX_SCALES:
        message = f"scales has {len(scales):,} entries; at most {MAX_SCALES} are allowed."
        raise StudyFileError([document.place(("scales",), of_key=True).problem(message)])
    rest = {key: value for key, value in document.value.items() if key != "scales"}
    full = with_short_forms(Document(rest, document.values, document.keys))
    problems = [
        document.place(("scales", name), of_key=True).problem(reason)
        for name, changes in scales.items()
        if (reason := _scale_refusal(name, changes))
    ]
    if problems:
        raise StudyFileError(problems)
    return {FULL: full, **{name: overlaid(full, part_of(document, ("scales", name))) for name in scales}}


def _scale_refusal(name: str, changes: object) -> str | None:
    if name == FULL:
        return "full is the name of the file without a scale; give this one another name."
    if not names_folder(name):
        return f"the name of a scale becomes part of a folder's: {FOLDER_RULE}."
    if not isinstance(changes, dict) or not changes:
        return f"the scale {name} must be a mapping of what it changes, such as {{seeds: 2, recipe: {{epochs: 1}}}}."
    return None


def read_override(text: str) -> Document:
    """One `--set path=value`; its problems name it, for it has no place in the file."""
    key, equals, value = text.partition("=")
    place = Place(f"--set {text}")
    if not equals or not key.strip():
        raise StudyFileError([place.problem("write --set path=value, such as --set recipe.epochs=3.")])
    key, read = key.strip(), yaml_reader.read(value, place.source, located=False)
    values = {(key, *path): where for path, where in read.values.items()}
    keys = {(key, *path): where for path, where in read.keys.items()}
    return Document({key: read.value}, {(): place, **values}, {(key,): place, **keys})


def _text(path: Path) -> str:
    most = 4 * yaml_reader.MAX_CHARACTERS
    try:
        # No more than can be of use: the path may be that of a device, or of a file that fills the memory.
        with path.open("rb") as file:
            content = file.read(most + 1)
        return content[:most].decode("utf-8-sig", errors="strict" if len(content) <= most else "replace")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start + 1}). Save it as UTF-8.") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. `ablate init {path}` writes a study to start from."
        ) from None
