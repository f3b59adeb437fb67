"""The data set in short: how many images of what size, how the classes are balanced, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

from ablation.report.drawing import Table
from ablation.report.numbers import count
from ablation.report.section import Picture, Pictures, Section
from ablation.splits import VALIDATION_FRACTION

_MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What the report says of a data set."""

    name: str
    classes: tuple[str, ...]
    train: tuple[int, ...]
    """Images of each class that may be trained on."""
    test: tuple[int, ...]
    size: tuple[int, int, int]
    """Height, width, channels."""
    examples: tuple[str, ...] = ()
    """The first training image of each class, as a `data:` address; empty for a class that has none."""


def section(data: DataFacts | None, missing: str) -> Section:
    """Numbers and an image a class; `missing` says why there are none."""
    if data is None:
        return Section(id="data", title="The data", missing=missing)
    shown = [
        Picture(address=address, alt=f"a training image of the class {name}", true=name, taken=())
        for name, address in zip(data.classes[:_MOST_EXAMPLES], data.examples, strict=False)
        if address
    ]
    pictures = (Pictures("The first training image of each class", tuple(shown)),)
    table = counts_table(data)
    return Section(id="data", title="The data", paragraphs=(_told(data),), pictures=pictures, folded=(table,))


def _told(data: DataFacts) -> str:
    """How many images of what size, and how the classes are balanced."""
    height, width, channels = data.size
    return (
        f"{data.name}: {sum(data.train):,} training images, of which each seed block holds out "
        f"{VALIDATION_FRACTION:.0%} of each class for validation, and {sum(data.test):,} test images of "
        f"{height} × {width} pixels and {count(channels, 'channel')} in {len(data.classes)} classes. "
        f"{_balance('training', data.train)} {_balance('test', data.test)}"
    )


def counts_table(data: DataFacts) -> Table:
    """The images of each class."""
    rows = tuple(
        (name, f"{train:,}", f"{test:,}") for name, train, test in zip(data.classes, data.train, data.test, strict=True)
    )
    return Table("Images by class", ("class", "training", "test"), rows, numbers=range(1, 3))


def _balance(split: str, counts: tuple[int, ...]) -> str:
    least, most = min(counts), max(counts)
    if least == most:
        return f"Each class has {least:,} {split} images."
    return f"Classes have from {least:,} to {most:,} {split} images."
