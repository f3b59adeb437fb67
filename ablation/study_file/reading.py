"""The text of a study file, and what it says at full size and at each of its scales."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ablation import wording
from ablation.errors import InputError, Problem, StudyFileError
from ablation.study import FOLDER_RULE, names_folder
from ablation.study_file import yaml_reader
from ablation.study_file.documents import overlaid, part_of, with_short_forms
from ablation.study_file.values import STUDY_KEYS
from ablation.study_file.yaml_reader import Document, Place

MAX_SCALES = 10
FULL = "full"
LAPTOP = "laptop"


@dataclass(frozen=True, slots=True)
class Sizes:
    """The study of a file at full size and at each of its scales that can be read."""

    documents: dict[str, Document]
    problems: tuple[Problem, ...]
    """Of the file as YAML, and of its scales."""
    refused: frozenset[str] = frozenset()
    """The scales that cannot be read."""


def read_sizes(path: Path) -> Sizes:
    """Read a study file at each of its sizes.

    Raises InputError where the file cannot be read, or is no mapping.
    """
    document = yaml_reader.read(_text(path), str(path))
    if not isinstance(document.value, dict):
        message = f"a study file is a mapping with the keys {wording.listed(STUDY_KEYS)}, scales."
        raise StudyFileError([*document.problems, document.place(()).problem(message)])
    rest = {key: value for key, value in document.value.items() if key != "scales"}
    full = with_short_forms(Document(rest, document.values, document.keys))
    scales, problems = document.value.get("scales") or {}, list(document.problems)
    if not isinstance(scales, dict):
        problems.append(document.place(("scales",)).problem("scales must be a mapping of names to overrides."))
        scales = {}
    if len(scales) > MAX_SCALES:
        message = f"scales has {len(scales):,} entries; at most {MAX_SCALES} are allowed."
        problems.append(document.place(("scales",), of_key=True).problem(message))
        scales = dict(islice(scales.items(), MAX_SCALES))
    refused = {name: reason for name, changes in scales.items() if (reason := _scale_refusal(name, changes))}
    problems += [document.place(("scales", name), of_key=True).problem(reason) for name, reason in refused.items()]
    sizes = {name: overlaid(full, part_of(document, ("scales", name))) for name in scales if name not in refused}
    return Sizes({FULL: full, **sizes}, tuple(problems), frozenset(refused))


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
    return Document({key: read.value}, {(): place, **values}, {(key,): place, **keys}, read.problems)


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
