"""The page of a data set: its images, what preprocessing and augmentations make of them, and what it holds twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ablation.analysis.duplicates import Duplicates
from ablation.analysis.light import Light
from ablation.report import doubled
from ablation.report.about_data import DataFacts
from ablation.report.drawing import Table
from ablation.report.figures import class_balance, light
from ablation.report.numbers import count, fixed
from ablation.report.section import Section, Sheet
from ablation.report.writing import filled
from ablation.splits import VALIDATION_FRACTION


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel over all pixels of a split, on a scale of 0 to 1."""

    split: str
    name: str
    mean: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPage:
    """Everything that the page says. Nothing else is read, no clock either: equal data give an equal file."""

    facts: DataFacts
    choices: str
    """Those of the data set that are not its defaults, as `--set` takes them."""
    fingerprint: str
    version: str
    command: str
    """One line that makes this page again."""
    channels: tuple[Channel, ...]
    light: Light
    duplicates: Duplicates
    pairs: tuple[Sheet, ...]
    """Duplicates to look at."""
    classes: Sheet
    """Images of each class."""
    stages: Sheet
    stage_values: Table
    recipe: str
    """Whose preprocessing and augmentations the stages are."""
    augmentations: tuple[Sheet, ...]
    grey_note: str = ""
    """Where images have channels that cannot be shown: how they are shown instead."""

    @property
    def title(self) -> str:
        """The name of the data set."""
        return self.facts.name

    @property
    def headline(self) -> str:
        """What the page is about."""
        return f"What is in {self.facts.name}?"

    @property
    def state(self) -> str:
        """The data set in one line."""
        height, width, channels = self.facts.size
        parts = [
            f"{sum(self.facts.train):,} training images",
            f"{sum(self.facts.test):,} test images",
            f"{height} × {width} pixels",
            count(channels, "channel"),
            f"{len(self.facts.classes)} classes",
        ]
        return " · ".join([*parts, self.choices] if self.choices else parts)


def render_data(page: DataPage) -> str:
    """The page as HTML."""
    return filled("data.html", page=page, sections=data_sections(page))


def data_sections(page: DataPage) -> tuple[Section, ...]:
    """All of the page below its top."""
    return (
        _overview(page),
        Section(id="images", title="Images of each class", sheets=(page.classes,)),
        _colours(page),
        Section(
            id="light",
            title="Brightness and contrast",
            drawing=light.draw(light.compute(page.light, page.facts.classes)),
        ),
        doubled.section(page.duplicates, page.pairs, page.facts.classes),
        _stages(page),
        _augmentations(page),
        _made(page),
    )


def _overview(page: DataPage) -> Section:
    drawing = class_balance.draw(class_balance.compute(page.facts))
    told = (
        f"Of the training images each seed block holds out {VALIDATION_FRACTION:.0%} of each class for validation; the "
        "test images are the same in all of them."
    )
    return Section(id="data", title="Classes", paragraphs=(told,), drawing=drawing)


def _colours(page: DataPage) -> Section:
    rows = tuple((one.split, one.name, fixed(one.mean, 4), fixed(one.std, 4)) for one in page.channels)
    table = Table(
        "Mean and standard deviation of each channel over all pixels of all images, on a scale of 0 to 1",
        ("split", "channel", "mean", "std"),
        rows,
        numbers=range(2, 4),
    )
    told = (
        "Those of the training images are what normalize takes for the whole of them; in a study each seed block "
        "takes them over the images that it trains on. They are counted exactly, level by level, and rounded once."
    )
    return Section(id="colours", title="Mean and spread of the channels", paragraphs=(told,), tables=(table,))


def _stages(page: DataPage) -> Section:
    told = (
        f"The same images at each stage of {page.recipe}. Training augments the stored images first and then makes "
        "tensors of them and preprocesses those, the last row; validation and test images are never augmented. "
        "Preprocessing is fitted here to all training images."
    )
    return Section(
        id="stages", title="From file to model", paragraphs=(told,), sheets=(page.stages,), folded=(page.stage_values,)
    )


def _augmentations(page: DataPage) -> Section:
    told = (
        "Every augmentation of the package, and those that a study names, on the same images. One choice is varied at "
        "a time; the others stay at their defaults, or as the study has them, but for a probability, which is 1 while "
        "another choice is varied. The rows of one augmentation share their random draws, so that they differ in "
        "strength alone; no setting is shown twice."
    )
    return Section(id="augmentations", title="Augmentations", paragraphs=(told,), sheets=page.augmentations)


def _made(page: DataPage) -> Section:
    facts = [("command", page.command), ("version", page.version), ("fingerprint", page.fingerprint)]
    told = (
        "Equal data, choices and versions give this file again on this machine, byte by byte. The fingerprint is a "
        "sha256 over images, labels and class names; each trial carries it too."
    )
    notes = (told, page.grey_note) if page.grey_note else (told,)
    return Section(id="made", title="How this was made", paragraphs=notes, facts=tuple(facts))


def channels(split: str, means: Sequence[float], deviations: Sequence[float]) -> tuple[Channel, ...]:
    """The channels of a split by their usual names."""
    names = {1: ("grey",), 3: ("red", "green", "blue")}.get(len(means), [f"channel {at}" for at in range(len(means))])
    return tuple(Channel(split, *row) for row in zip(names, means, deviations, strict=True))
