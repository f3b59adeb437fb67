"""Two sides of a comparison, image by image and class by class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.compared import TakenFor
from ablation.analysis.image_by_image import ImageByImage
from ablation.analysis.image_layer import class_names, class_recalls
from ablation.analysis.images import McNemar, mcnemar, over_classes, over_images
from ablation.analysis.predictions import Predictions, read_predictions
from ablation.analysis.sides import Pair, Side
from ablation.analysis.unpaired import welch
from ablation.findings import ClassEffect, ImageEffect
from ablation.trial import Record

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SideImages:
    """What two sides say of the images that both were evaluated on."""

    effect: ImageEffect | None = None
    mcnemar: McNemar | None = None
    disagreements: tuple[TakenFor, ...] = ()
    both_wrong: tuple[TakenFor, ...] = ()
    note: str = ""
    """Why there is nothing, or what was left out."""


def class_effects(pair: Pair) -> tuple[ClassEffect, ...]:
    """B minus A for each class, over the seed blocks in which the trials are complete.

    Intervals are for one look: where there may have been several, estimates alone.
    """
    sides = ((pair.a, pair.blocks_a), (pair.b, pair.blocks_b))
    trials_a, trials_b = (side.complete(blocks) for side, blocks in sides)
    if pair.paired:
        both = trials_a.keys() & trials_b.keys()
        trials_a, trials_b = ({block: trials[block] for block in sorted(both)} for trials in (trials_a, trials_b))
    names = class_names([*trials_a.values(), *trials_b.values()])
    recalls_a, recalls_b = (_recalls(trials.values(), len(names)) for trials in (trials_a, trials_b))
    if not names or recalls_a is None or recalls_b is None:
        return ()
    estimates = over_classes(recalls_b - recalls_a) if pair.paired else welch(recalls_a, recalls_b)
    return tuple(
        ClassEffect(
            name=name,
            effect=one.effect,
            low=one.interval.low if one.interval and not pair.looked_at else None,
            high=one.interval.high if one.interval and not pair.looked_at else None,
            p_adjusted=None if pair.looked_at else one.p,
            seed_blocks=one.blocks,
        )
        for name, one in zip(names, estimates, strict=True)
    )


def _recalls(records: Iterable[Record], num_classes: int) -> Floats | None:
    """Classes x seed blocks; None without a trial, or where one has no matrix of this size."""
    columns = [class_recalls(record, num_classes) for record in records]
    known = [column for column in columns if column is not None]
    return np.column_stack(known) if known and len(known) == len(columns) else None


def side_images(pair: Pair) -> SideImages:
    """Both sides image by image, over the seed blocks of which all predictions are there.

    Raises:
        DamagedFileError: predictions cannot be read.
    """
    if not pair.same_images:
        return SideImages(note="Each seed block draws validation images of its own: no image is shared by all of them.")
    said_a, said_b = _predictions(pair.a, pair.blocks_a), _predictions(pair.b, pair.blocks_b)
    if pair.paired:
        both = sorted(said_a.keys() & said_b.keys())
        said_a, said_b = {block: said_a[block] for block in both}, {block: said_b[block] for block in both}
    if not said_a or not said_b:
        return SideImages(note="There are no predictions of both sides: diverged trials leave none.")
    labels = next(iter(said_a.values())).labels
    if any(not np.array_equal(one.labels, labels) for one in (*said_a.values(), *said_b.values())):
        return SideImages(note="The trials were evaluated on different images.")
    left_out = len(pair.blocks_a) + len(pair.blocks_b) - len(said_a) - len(said_b)
    return _seen(pair, list(said_a.values()), list(said_b.values()), _left_out(left_out))


def _left_out(trials: int) -> str:
    if not trials:
        return ""
    return f"{trials} {'trial is' if trials == 1 else 'trials are'} not among the images, for want of predictions."


def _predictions(side: Side, blocks: Sequence[int]) -> dict[int, Predictions]:
    found = {
        block: read_predictions(side.folder.trial_folder(record.trial.id), record.sha256_of("predictions.npz"))
        for block, record in side.complete(blocks).items()
    }
    return {block: predictions for block, predictions in found.items() if predictions is not None}


def _seen(pair: Pair, said_a: Sequence[Predictions], said_b: Sequence[Predictions], note: str) -> SideImages:
    both = ImageByImage(class_names(list(pair.a.scored.values())), said_a, said_b)
    blocks = len(said_a) if pair.paired else len(said_a) + len(said_b)
    test = mcnemar(said_a[0].correct, said_b[0].correct) if pair.are_trials else None
    effect = over_images(both.right[1] - both.right[0], blocks)
    return SideImages(effect, test, both.told(both.apart()), both.told(both.both_wrong()), note)
