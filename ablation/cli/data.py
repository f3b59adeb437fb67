"""`ablate data`: the page of a data set, and its summary."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablation import components, designs
from ablation.cli.data_text import as_json, lines
from ablation.cli.locate import Wanted, locate
from ablation.cli.opening import open_page
from ablation.cli.options import RUNS
from ablation.cli.outsiders import say_outsiders
from ablation.cli.terminal import output, plain, print_json, say
from ablation.data_page import USUAL, Asked, page_of
from ablation.errors import ComponentError, InputError, StudyFileError
from ablation.report.data_page import render_data
from ablation.report.writing import save
from ablation.settings import Choice, Part
from ablation.sources.roots import find_data_root
from ablation.study import Study
from ablation.study_file.reading import read_override


@dataclass(frozen=True, slots=True)
class Named:
    """What the command line says about the data set."""

    name: str
    """Of a data set, or the path of a study."""
    scale: str | None
    overrides: Sequence[str]
    data_dir: Path | None


@dataclass(frozen=True, slots=True)
class Showing:
    """What becomes of the page."""

    out: Path
    opens: bool
    as_json: bool


def show_data(named: Named, showing: Showing) -> None:
    """Write the page of a data set, print its summary, and open it."""
    asked = _asked(named)
    say_outsiders(_outside(asked))
    splits = components.open_data(asked.dataset, find_data_root(named.data_dir))
    page = page_of(asked, splits, say)
    path = showing.out / f"data-{asked.dataset.name}.html"
    showing.out.mkdir(parents=True, exist_ok=True)
    save(render_data(page), path)
    if showing.as_json:
        print_json(as_json(page, path))
    else:
        for line in lines(page):
            output.print(plain(line))
    say(f"page: {path}")
    if showing.opens and not showing.as_json:
        open_page(path)


def _asked(named: Named) -> Asked:
    """What to show: of a study, its data set with its own preprocessing and augmentations.

    Raises:
        InputError: there is no such data set or study, or it has no such choice.
    """
    if _is_study(named.name):
        wanted = Wanted(Path(named.name), RUNS, named.scale, tuple(named.overrides))
        return _of_study(locate(wanted, _has_accelerator, another=True).study, named)
    if named.scale is not None:
        raise InputError(f"--scale is for a study; {named.name} is a data set.")
    part = _completed(Part(name=named.name, choices=_choices(named.overrides)))
    steps = tuple(components.complete("preprocessing", each) for each in USUAL[0])
    augmentations = tuple(components.complete("augmentation", each) for each in USUAL[1])
    usual = " and ".join(each.name for each in augmentations)
    return Asked(
        dataset=part,
        given=_given(part),
        preprocessing=steps,
        augmentations=augmentations,
        named={},
        recipe=f"the usual recipe, which normalises, and augments by {usual}",
        command=_command(named),
    )


def _is_study(name: str) -> bool:
    """Whether a study is meant. A data set of the package goes before a folder of its name."""
    if name in components.names("dataset"):
        return False
    return Path(name).suffix in (".yaml", ".yml") or Path(name).exists()


def _of_study(study: Study, named: Named) -> Asked:
    settings = study.baseline
    parts = [part for arm in designs.first_arms(study) for part in arm.settings.augmentations]
    return Asked(
        dataset=settings.dataset,
        given=_given(settings.dataset),
        preprocessing=settings.preprocessing,
        augmentations=settings.augmentations,
        named={part.name: part.choices for part in reversed(parts)},
        recipe=f"the baseline of the study {study.name}",
        command=_command(named),
    )


def _choices(overrides: Sequence[str]) -> dict[str, Choice]:
    """`--set` of a data set: its own choices, with or without `dataset.` before them."""
    choices: dict[str, Choice] = {}
    for text in overrides:
        document = read_override(text)
        if document.problems:
            raise StudyFileError(document.problems)
        choices |= {key.removeprefix("dataset."): value for key, value in document.value.items()}
    return choices


def _completed(part: Part) -> Part:
    """The data set with its defaults; what is wrong is told without a path: there is no file to have one."""
    try:
        return components.complete("dataset", part)
    except ComponentError as error:
        raise InputError(" ".join(message for _, message in error.problems)) from None


def _given(part: Part) -> str:
    """The choices that are not the defaults."""
    usual = {choice.name: choice.default for choice in components.describe("dataset", part.name).choices}
    return ", ".join(f"{name}={value}" for name, value in part.choices.items() if value != usual[name])


def _outside(asked: Asked) -> tuple[str, ...]:
    parts = (asked.dataset, *asked.preprocessing, *asked.augmentations)
    return tuple(sorted({name for name in (*(part.name for part in parts), *asked.named) if "." in name}))


def _command(named: Named) -> str:
    options = [("--scale", named.scale)] if named.scale else []
    options += [("--set", text) for text in named.overrides]
    return shlex.join(["ablate", "data", named.name, *(word for option in options for word in option if word)])


def _has_accelerator() -> bool:
    from ablation.training.devices import has_accelerator

    return has_accelerator()
