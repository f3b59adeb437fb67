"""From a study file to a `Study`: read, scaled, overridden and checked.

    yaml_reader      YAML with places, without its traps
    reading          the file at full size and at each of its scales
    documents        scales and `--set` laid over the file
    values           pydantic and the components' signatures
    metric_checks    what is measured
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
from ablation.study_file.design_checks import design_problems
from ablation.study_file.documents import overlaid, with_long_factors
from ablation.study_file.factor_checks import factor_problems
from ablation.study_file.metric_checks import read_metrics
from ablation.study_file.reading import FULL, LAPTOP, read_override, read_sizes
from ablation.study_file.values import read_factors, read_rest, read_settings
from ablation.study_file.yaml_reader import Document, Place


def load(path: Path, scale: str | None, overrides: Sequence[str], accelerator: Callable[[], bool]) -> Study:
    """Read a study file at one scale, with overrides of the form `recipe.epochs=3` applied last.

    Without a scale it is full where `accelerator()` is true or the file has no scale `laptop`, else laptop; otherwise
    `accelerator` is not called. Raises StudyFileError with every problem, InputError where the file cannot be read.
    """
    name = _study_name(path)
    sizes = read_sizes(path)
    documents, problems = sizes.documents, list(sizes.problems)
    if scale is None:
        scale = LAPTOP if LAPTOP in {*documents, *sizes.refused} and not accelerator() else FULL
    if scale not in {*documents, *sizes.refused}:
        message = f"there is no scale {scale}.{wording.meant(scale, documents)}"
        problems.append(Place(str(path)).problem(message))
    wanted = documents.get(scale, documents[FULL])
    for override in overrides:
        overlay = read_override(override)
        problems += overlay.problems
        wanted = overlaid(wanted, overlay)
    study, found = check(wanted, name, scale)
    problems += found
    for other, document in documents.items():
        if document is not wanted:
            problems += check(document, name, other)[1]
    told = dict.fromkeys(problem for problem in problems if not problem.second)
    if study is None or told:
        raise StudyFileError(list(told))
    return study


def check(document: Document, name: str, scale: str) -> tuple[Study | None, list[Problem]]:
    """The study that a document at one scale describes, and everything that is wrong with it."""
    document = with_long_factors(document)
    settings, problems = read_settings(document)
    factors, shape_problems = read_factors(document)
    problems += [*shape_problems, *factor_problems(document, factors)]
    metrics, metric_problems = read_metrics(document)
    problems += metric_problems
    sound = not problems
    given = {"name": name, "scale": scale, "baseline": settings or _stand_in(), "factors": factors, "metrics": metrics}
    rest = read_rest(document, given)
    problems += rest.problems
    if rest.study is not None and "design" not in rest.replaced and factors:
        problems += design_problems(document, rest.study, sound=sound)
    return (None if problems else rest.study), problems


def _stand_in() -> Settings:
    """In the place of settings that are not valid, so that the rest is checked all the same."""
    return Settings(dataset=Part(name="none"), model=Part(name="none"))


def _study_name(path: Path) -> str:
    """The stem of the file, which becomes the name of a folder."""
    if not names_folder(path.stem):
        raise InputError(f"{path}: the name of a study becomes that of a folder: {FOLDER_RULE}. Rename the file.")
    return path.stem
