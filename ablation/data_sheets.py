"""Images of a data set as sheets of its page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.duplicates import Duplicates, Pair
from ablation.previews.augmented import Shown, Tried
from ablation.previews.stages import Stage
from ablation.report.drawing import Table
from ablation.report.numbers import count, fixed
from ablation.report.section import Sheet, Strip
from ablation.seeding import seed_of
from ablation.settings import Choice
from ablation.sources.thumbnails import strip_uri
from ablation.splits import LabelledImages, Splits

_EXAMPLES = 10
_MOST_CLASSES = 40
_MOST_PAIRS = 24
"""Pairs of a kind to look at: what fits on a screen or two."""
_SIDE = 64
"""Pixels of the page that an image is high, about."""


def class_sheet(splits: Splits) -> Sheet:
    """Training images of each class, drawn with a fixed seed."""
    random = np.random.default_rng(seed_of(0, "data page"))
    strips = []
    for at, name in enumerate(splits.classes[:_MOST_CLASSES]):
        rows = np.sort(random.permutation(np.flatnonzero(splits.train.labels == at))[:_EXAMPLES])
        alt = f"{count(len(rows), 'training image')} of the class {name}"
        strips.append(_strip(Strip(label=name, alt=alt), splits.train.images[rows]))
    left = len(splits.classes) - len(strips)
    caption = "Drawn with a fixed seed, so that they are the same each time."
    caption += f" {left:,} more classes are not shown." if left else ""
    title = f"Up to {_EXAMPLES} training images of each class"
    return Sheet(id="class-images", title=title, caption=caption, strips=tuple(strips))


def stage_sheet(steps: Sequence[Stage], few: LabelledImages, classes: Sequence[str]) -> Sheet:
    """The same images at each stage."""
    strips = tuple(
        _strip(Strip(label=step.name, note=_span(step), alt=f"the images {step.name}"), step.images) for step in steps
    )
    named = ", ".join(classes[label] for label in few.labels)
    caption = (
        f"The first training images of their classes: {named}. Numbers from 0 to 1 are shown from black to white; "
        "where a step goes beyond, 0 is mid-grey, and the number farthest from it black or white."
    )
    title = f"The same {count(len(few), 'image')} at every stage"
    return Sheet(id="stage-images", title=title, caption=caption, strips=strips)


def _span(step: Stage) -> str:
    digits = 0 if step.kind == "uint8" else 2
    return f"{step.kind}, {fixed(step.least, digits)} to {fixed(step.greatest, digits)}"


def stage_table(steps: Sequence[Stage]) -> Table:
    """The numbers that the images have at each stage."""
    rows = tuple(
        (step.name, step.kind, *(fixed(value, 3) for value in (step.least, step.mean, step.std, step.greatest)))
        for step in steps
    )
    columns = ("stage", "type", "least", "mean", "std", "greatest")
    return Table("The numbers of these images at every stage", columns, rows, numbers=range(2, 6))


def shown_sheet(shown: Shown, few: LabelledImages) -> Sheet:
    """One augmentation: the images as they are, then a row a strength."""
    strips = [_strip(Strip(label="as stored", alt="the images as stored"), few.images)]
    strips += [_tried(one, shown.name) for one in shown.tried]
    if not shown.tried:
        strips.append(Strip(label="not shown", note="It has a choice without a default, which only a study can make."))
    return Sheet(id=f"augmentation-{shown.name}", title=shown.name, caption=shown.description, strips=tuple(strips))


def _tried(tried: Tried, name: str) -> Strip:
    setting = f"{tried.varied} {_written(tried.value)}" if tried.varied else "as it is"
    if tried.images is None:
        return Strip(label=setting, note=tried.refusal)
    some = tried.changed < len(tried.images)
    note = f"changes {tried.changed} of {len(tried.images)}" if some else ""
    return _strip(Strip(label=setting, note=note, alt=f"the images under {name} with {setting}"), tried.images)


def _written(value: Choice) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def pair_sheets(found: Duplicates, splits: Splits) -> tuple[Sheet, ...]:
    """Pairs of images side by side, equal ones before others."""
    apart = tuple(pair for pair in found.near_pairs if pair.first.label != pair.second.label)
    one_each = tuple(Pair(group[0], group[-1], 1.0) for group in found.groups)
    sheets = (
        ("equal-images", "Equal images, a pair of each group", one_each, ""),
        ("apart-images", "Near duplicates of different classes", apart, "likeness"),
        ("near-images", "Near duplicates, across the splits first", found.near_pairs, "likeness"),
    )
    return tuple(
        Sheet(
            id=name,
            title=title,
            caption=f"{min(_MOST_PAIRS, len(pairs))} of {len(pairs):,}. Images are numbered in their split, from 0.",
            strips=tuple(_pair(pair, splits, measure) for pair in pairs[:_MOST_PAIRS]),
            small=True,
        )
        for name, title, pairs, measure in sheets
        if pairs
    )


def _pair(pair: Pair, splits: Splits, measure: str) -> Strip:
    places = (pair.first, pair.second)
    images = [(splits.train if one.split == "training" else splits.test).images[one.number] for one in places]
    said = [f"{one.split} {one.number} {splits.classes[one.label]}" for one in places]
    note = f"{measure} {fixed(pair.likeness, 3)}{', mirrored' if pair.mirrored else ''}" if measure else ""
    return _strip(Strip(label=", ".join(said), note=note, alt=f"{said[0]} beside {said[1]}"), np.stack(images))


def _strip(strip: Strip, images: NDArray[np.uint8]) -> Strip:
    """The strip with its images, where there are any."""
    if not len(images):
        return replace(strip, note="no image")
    address, width, height = strip_uri(picturable(images))
    scale = max(1, round(_SIDE / height))
    return replace(strip, address=address, width=width * scale, height=height * scale)


def grey_note(channels: int) -> str:
    """What is done to images that have no picture of their own; empty where they have one."""
    return "" if channels in (1, 3) else f"Images of {channels} channels are shown as the mean of their channels."


def picturable(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images of one or three channels as they are; of others the mean of the channels."""
    if images.shape[1] in (1, 3):
        return images
    grey: NDArray[np.uint8] = images.mean(axis=1, keepdims=True).round().astype(np.uint8)
    return grey
