"""The images that a report shows, taken from the data set where it is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ablation import components
from ablation.analysis.gallery import gallery
from ablation.analysis.image_layer import ImageLayer
from ablation.errors import AblationError
from ablation.report.page import Page
from ablation.report.pictures import Seen
from ablation.report.top import contrasted
from ablation.settings import Part
from ablation.sources.roots import find_data_root, offline
from ablation.sources.thumbnails import data_uri
from ablation.trial import Record

_AT_HAND = "find it by ABLATE_DATA and write the report again with `ablate report`"


def with_pictures(page: Page, layer: ImageLayer) -> Page:
    """The page with images on which its two foremost arms fail or differ, or with the reason why there are none."""
    first, second = contrasted(page)
    chosen = gallery(layer, first, second)
    if chosen is None:
        return page
    trials = [one for one in page.records if one.trial.arm.name in (first, second)]
    try:
        images = _test_images(trials)
    except AblationError as error:
        return replace(page, unseen=str(error))
    wanted = {one.image for one in (*chosen.both_wrong, *chosen.apart)}
    return replace(page, seen=Seen(chosen, {at: data_uri(images[at]) for at in sorted(wanted)}))


def _test_images(trials: Sequence[Record]) -> NDArray[np.uint8]:
    """The test images that these trials were evaluated on. AblationError says why they are not to be had."""
    parts = {one.trial.arm.settings.dataset.model_dump_json() for one in trials}
    prints = {one.outcome.stamp.data_fingerprint for one in trials if one.outcome and one.outcome.stamp}
    if len(parts) > 1 or len(prints) > 1:
        raise AblationError("The two arms were not evaluated on the images of one data set.")
    part = Part.model_validate_json(parts.pop())
    if "." in part.name:
        raise AblationError(f"The images of {part.name} are not shown: a report runs no code from outside the package.")
    try:
        with offline():
            splits = components.open_data(part, find_data_root(None))
    except AblationError as error:
        raise AblationError(f"The images of {part.name} are not at hand: {_AT_HAND}.") from error
    if splits.fingerprint not in prints:
        raise AblationError(f"The images of {part.name} at hand are not those of the trials.")
    if splits.test.images.shape[1] not in (1, 3):
        raise AblationError(f"Images of {splits.test.images.shape[1]} channels cannot be shown.")
    return splits.test.images
