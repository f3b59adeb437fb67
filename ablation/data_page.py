"""From a data set to all that its page says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ablation import __version__, components
from ablation.analysis.duplicates import find_duplicates
from ablation.analysis.light import light_of
from ablation.data_sheets import class_sheet, grey_note, pair_sheets, shown_sheet, stage_sheet, stage_table
from ablation.previews.augmented import shown
from ablation.previews.stages import channel_statistics, stages
from ablation.report.data_page import DataPage, channels
from ablation.seen_images import facts_of
from ablation.settings import Choice, Part
from ablation.splits import LabelledImages, Splits

FEW = 8
"""The images that every stage and every augmentation is shown on."""
USUAL = (Part(name="normalize"),), (Part(name="crop"), Part(name="flip"))
"""Preprocessing and augmentations of a data set that no study names: those that nearly every recipe for it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be shown of which data set."""

    dataset: Part
    given: str
    """The choices that were made of it, in words."""
    preprocessing: tuple[Part, ...]
    augmentations: tuple[Part, ...]
    named: Mapping[str, Mapping[str, Choice]]
    """Every augmentation that a study names in any arm, with its choices in the first that has it."""
    recipe: str
    """Whose they are, in words."""
    command: str


def page_of(asked: Asked, splits: Splits, say: Callable[[str], None]) -> DataPage:
    """Count, measure and picture a data set. `say` is told what takes a while."""
    facts = facts_of(asked.dataset, splits)
    few = first_of_each(splits.train, FEW)
    steps = stages(splits, few, asked.preprocessing, asked.augmentations)
    say(f"comparing {len(splits.train) + len(splits.test):,} images with each other")
    duplicates = find_duplicates(splits)
    return DataPage(
        facts=facts,
        choices=asked.given,
        fingerprint=splits.fingerprint,
        version=__version__,
        command=asked.command,
        channels=(
            *channels("training", *channel_statistics(splits.train)),
            *channels("test", *channel_statistics(splits.test)),
        ),
        light=light_of(splits.train, len(splits.classes)),
        duplicates=duplicates,
        pairs=pair_sheets(duplicates, splits),
        classes=class_sheet(splits),
        stages=stage_sheet(steps, few, splits.classes),
        stage_values=stage_table(steps),
        recipe=asked.recipe,
        grey_note=grey_note(facts.size[2]),
        augmentations=tuple(
            shown_sheet(shown(name, asked.named.get(name, {}), few, len(splits.classes)), few)
            for name in dict.fromkeys((*components.names("augmentation"), *asked.named))
        ),
    )


def first_of_each(part: LabelledImages, count: int) -> LabelledImages:
    """The first image of each class, then the second of each, until there are `count`."""
    by_class = np.argsort(part.labels, kind="stable")
    sorted_labels = part.labels[by_class]
    rank = np.arange(len(by_class)) - np.searchsorted(sorted_labels, sorted_labels)
    rows = by_class[np.lexsort((sorted_labels, rank))][:count]
    return LabelledImages(np.array(part.images[rows]), np.array(part.labels[rows]))
