"""The images that a report shows, taken from the data set where it is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ablation import components
from ablation.analysis.gallery import Gallery, gallery
from ablation.analysis.image_layer import ImageLayer
from ablation.errors import AblationError
from ablation.report.about_data import DataFacts
from ablation.report.page import Page
from ablation.report.pictures import ChosenImages
from ablation.report.top import contrasted
from ablation.settings import Part
from ablation.sources.roots import find_data_root, offline
from ablation.sources.thumbnails import data_uri
from ablation.splits import LabelledImages, Splits
from ablation.trial import Record

_AT_HAND = "find it by --data-dir or ABLATE_DATA and write the report again with `ablate report`"


def with_images(page: Page, layer: ImageLayer) -> Page:
    """The page with its data set in short, and with images on which its two foremost arms fail or differ.

    Where they cannot be had it says why.
    """
    if page.study is None:
        return page
    part = page.study.baseline.dataset
    try:
        splits = _opened(part)
    except AblationError as error:
        return replace(page, no_pictures=str(error), no_data=str(error))
    page = replace(page, data=replace(facts_of(part, splits), examples=examples_of(splits)))
    first, second = contrasted(page)
    chosen = gallery(layer, first, second)
    if chosen is None:
        return page
    trials = [one for one in page.records if one.trial.arm.name in (first, second)]
    if reason := _other_images(trials, part, splits.fingerprint):
        return replace(page, no_pictures=reason)
    return replace(page, pictures=_shown(chosen, splits))


def images_of(chosen: Gallery, trials: Sequence[Record]) -> ChosenImages:
    """Chosen test images as pictures. AblationError says why they cannot be had."""
    part = trials[0].trial.arm.settings.dataset
    splits = _opened(part)
    if reason := _other_images(trials, part, splits.fingerprint):
        raise AblationError(reason)
    return _shown(chosen, splits)


def _shown(chosen: Gallery, splits: Splits) -> ChosenImages:
    wanted = sorted({one.image for one in (*chosen.both_wrong, *chosen.apart)})
    return ChosenImages(chosen, {at: data_uri(splits.test.images[at]) for at in wanted})


def _opened(part: Part) -> Splits:
    """The data set, as pictures. AblationError says why it cannot be had."""
    if "." in part.name:
        raise AblationError(f"The images of {part.name} are not shown: a report runs no code from outside the package.")
    try:
        with offline():
            splits = components.open_data(part, find_data_root(None))
    except AblationError as error:
        raise AblationError(f"The images of {part.name} are not at hand: {_AT_HAND}.") from error
    channels = splits.test.images.shape[1]
    if channels not in (1, 3):
        raise AblationError(f"Images of {channels} channels cannot be shown.")
    return splits


def _other_images(trials: Sequence[Record], part: Part, fingerprint: str) -> str:
    """Why the images at hand are not those of the trials; empty where they are."""
    if any(one.trial.arm.settings.dataset != part for one in trials):
        return "The two sides were not evaluated on the images of one data set."
    prints = {one.outcome.stamp.data_fingerprint for one in trials if one.outcome and one.outcome.stamp}
    return "" if prints == {fingerprint} else f"The images of {part.name} at hand are not those of the trials."


def facts_of(part: Part, splits: Splits) -> DataFacts:
    """The data set in short."""
    channels, height, width = splits.train.images.shape[1:]
    return DataFacts(
        name=part.name,
        classes=splits.classes,
        train=_counts(splits.train, len(splits.classes)),
        test=_counts(splits.test, len(splits.classes)),
        size=(height, width, channels),
    )


def examples_of(splits: Splits) -> tuple[str, ...]:
    """The first training image of each class, as a `data:` address; empty for a class that has none."""
    members = [np.flatnonzero(splits.train.labels == at) for at in range(len(splits.classes))]
    return tuple(data_uri(splits.train.images[each[0]]) if len(each) else "" for each in members)


def _counts(part: LabelledImages, classes: int) -> tuple[int, ...]:
    return tuple(int(number) for number in np.bincount(part.labels, minlength=classes))
