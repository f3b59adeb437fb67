"""From a study file to a `Study`: read, scaled, overridden and checked.

    yaml_reader      YAML with places, without its traps
    documents        scales and `--set` laid over the file
    values           pydantic and the components' signatures
    factor_checks    names, conditions, patches
    design_checks    designs against their factors

Every problem is told at once, as `file:line:column: what is wrong`. The file must be valid at full size and at each of
its scales, whichever is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ablation import wording
from ablation.errors import InputError, Problem, StudyFileError
from ablation.settings import Part, Settings
from ablation.study import FOLDER_RULE, Study, names_folder
from ablation.study_file import yaml_reader
from ablation.study_file.design_checks import design_problems
from ablation.study_file.documents import overlaid, part_of, with_long_factors, with_short_forms
from ablation.study_file.factor_checks import factor_problems
from ablation.study_file.values import STUDY_KEYS, read_factors, read_rest, read_settings
from ablation.study_file.yaml_reader import Document, Place

MAX_SCALES = 10
FULL = "full"
LAPTOP = "laptop"


def load(path: Path, scale: str | None, overrides: Sequence[str], accelerator: Callable[[], bool]) -> Study:
    """Read a study file at one scale, with overrides of the form `recipe.epochs=3` applied last.

    Without a scale it is full where `accelerator()` is true or the file has no scale `laptop`, else laptop; otherwise
    `accelerator` is not called. Raises StudyFileError with every problem, InputError where the file cannot be read.
    """
    name = _study_name(path)
    sizes = _sizes(yaml_reader.read(_text(path), str(path)))
    if scale is None:
        scale = LAPTOP if LAPTOP in sizes and not accelerator() else FULL
    if scale not in sizes:
        raise StudyFileError([Place(str(path)).problem(f"there is no scale {scale}.{wording.meant(scale, sizes)}")])
    wanted = sizes[scale]
    for override in overrides:
        wanted = overlaid(wanted, _override(override))
    study, problems = check(wanted, name, scale)
    found = dict.fromkeys(problems)
    for other, document in sizes.items():
        if document is not wanted:
            found |= dict.fromkeys(check(document, name, other)[1])
    if study is None or found:
        raise StudyFileError(list(found))
    return study


def check(document: Document, name: str, scale: str) -> tuple[Study | None, list[Problem]]:
    """The study that a document at one scale describes, and everything that is wrong with it."""
    document = with_long_factors(document)
    settings, settings_problems = read_settings(document)
    factors, shape_problems = read_factors(document)
    given = {"name": name, "scale": scale, "baseline": settings, "factors": factors}
    study, rest_problems = read_rest(document, given if settings else {**given, "baseline": _stand_in()})
    problems = [*settings_problems, *shape_problems, *rest_problems, *factor_problems(document, factors)]
    if study is None or problems:
        return None, problems
    problems = list(design_problems(document, study))
    return (None if problems else study), problems


def _stand_in() -> Settings:
    """In the place of settings that are not valid, so that the rest is checked all the same."""
    return Settings(dataset=Part(name="none"), model=Part(name="none"))


def _sizes(document: Document) -> dict[str, Document]:
    """The study at full size and at each scale of the file."""
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


def _override(text: str) -> Document:
    """One `--set path=value`; its problems name it, for it has no place in the file."""
    key, equals, value = text.partition("=")
    place = Place(f"--set {text}")
    if not equals or not key.strip():
        raise StudyFileError([place.problem("write --set path=value, such as --set recipe.epochs=3.")])
    key, read = key.strip(), yaml_reader.read(value, place.source, located=False)
    values = {(key, *path): where for path, where in read.values.items()}
    keys = {(key, *path): where for path, where in read.keys.items()}
    return Document({key: read.value}, {(): place, **values}, {(key,): place, **keys})


def _study_name(path: Path) -> str:
    """The stem of the file, which becomes the name of a folder."""
    if not names_folder(path.stem):
        raise InputError(f"{path}: the name of a study becomes that of a folder: {FOLDER_RULE}. Rename the file.")
    return path.stem


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
