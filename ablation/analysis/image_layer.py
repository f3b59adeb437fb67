"""The second layer of an analysis: what the trials of a study said of single images, and of the images of a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.contrasts import Contrast
from ablation.analysis.images import over_classes, over_images
from ablation.analysis.predictions import Predictions, read_predictions
from ablation.errors import DamagedFileError
from ablation.findings import ClassEffect, ImageEffect
from ablation.run_folder import RunFolder
from ablation.trial import Record
from ablation.wording import listed

Floats = NDArray[np.float64]
Place = tuple[str, int]
"""An arm and a seed block."""

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True, eq=False)
class ImageLayer:
    """Complete trials by arm and seed block; a diverged trial has neither predictions nor a confusion matrix."""

    arms: tuple[str, ...]
    """In the order of a contrast's weights."""
    classes: tuple[str, ...]
    recalls: Mapping[Place, Floats]
    """For each class the share of its images that was right, NaN where the split has none."""
    said: Mapping[Place, Predictions]
    """What each image was taken for; empty where the seed blocks do not share their images."""
    notes: tuple[str, ...] = ()
    """What is missing, in words."""

    def image_effect(self, contrast: Contrast) -> ImageEffect | None:
        """The contrast over images, in the seed blocks in which all arms that it reads have predictions."""
        weights = self._read(contrast)
        blocks = _shared(self.said, list(weights))
        if not blocks:
            return None
        means = (w * np.mean([self.said[arm, block].correct for block in blocks], axis=0) for arm, w in weights.items())
        return over_images(np.sum(list(means), axis=0), len(blocks))

    def class_effects(self, contrast: Contrast, *, told: bool) -> tuple[ClassEffect, ...]:
        """The contrast on the recall of each class; without `told` neither interval nor p."""
        weights = self._read(contrast)
        blocks = _shared(self.recalls, list(weights))
        if not blocks:
            return ()
        in_blocks = [sum(w * self.recalls[arm, block] for arm, w in weights.items()) for block in blocks]
        estimates = over_classes(np.array(in_blocks, dtype=np.float64).T)
        return tuple(
            ClassEffect(
                name=name,
                effect=estimate.effect,
                low=estimate.interval.low if told and estimate.interval else None,
                high=estimate.interval.high if told and estimate.interval else None,
                p_adjusted=estimate.p if told else None,
                seed_blocks=estimate.blocks,
            )
            for name, estimate in zip(self.classes, estimates, strict=True)
        )

    def _read(self, contrast: Contrast) -> dict[str, float]:
        return {arm: weight for arm, weight in zip(self.arms, contrast.weights, strict=True) if weight}


def image_layer(folder: RunFolder, records: Sequence[Record], arms: Sequence[str], shared_images: bool) -> ImageLayer:
    """Read the layer of a study; `shared_images` says that its seed blocks were evaluated on the same images.

    Trials without readable predictions, or on other images than most, are left out and named in the notes.
    """
    kept = [one for one in records if one.trial.arm.name in arms and one.outcome and one.outcome.status == "complete"]
    classes = class_names(kept)
    recalls = {_place(one): found for one in kept if (found := class_recalls(one, len(classes))) is not None}
    if not shared_images:
        return ImageLayer(tuple(arms), classes, recalls, {})
    read, notes = _read_all(folder, kept)
    same, others = _on_the_same_images(read)
    notes += [f"{others} {_trials(others)} evaluated on other images"] if others else []
    note = [f"Of {len(kept)} complete trials the images leave out: {'; '.join(notes)}."] if notes else []
    return ImageLayer(tuple(arms), classes, recalls, same, tuple(note))


def class_names(records: Sequence[Record]) -> tuple[str, ...]:
    """The class names of the first record that carries them, or numbers where it carries a matrix alone."""
    for record in records:
        if record.outcome and record.outcome.confusion:
            return record.outcome.classes or tuple(map(str, range(len(record.outcome.confusion))))
    return ()


def class_recalls(record: Record, num_classes: int) -> Floats | None:
    """The recall of each class, None where the trial has no confusion matrix of this size."""
    counts = np.array(record.outcome.confusion if record.outcome else (), dtype=np.float64)
    if not num_classes or counts.shape != (num_classes, num_classes):
        return None
    totals = counts.sum(axis=1)
    found: Floats = np.divide(np.diagonal(counts), totals, out=np.full(num_classes, np.nan), where=totals > 0)
    return found


def _read_all(folder: RunFolder, records: Sequence[Record]) -> tuple[dict[Place, Predictions], list[str]]:
    """What could be read, and in words what could not."""
    found: dict[Place, Predictions] = {}
    gone, damaged = 0, []
    for record in records:
        try:
            place = folder.trial_folder(record.trial.id)
            predictions = read_predictions(place, record.sha256_of("predictions.npz"))
        except DamagedFileError:
            damaged.append(record.trial.id)
            continue
        if predictions is None:
            gone += 1
        else:
            found[_place(record)] = predictions
    notes = [f"{gone} {_trials(gone)} without predictions.npz"] if gone else []
    if damaged:
        names = listed([*damaged[:_MOST_NAMES], *(["…"] if len(damaged) > _MOST_NAMES else [])])
        notes.append(f"{len(damaged)} {_trials(len(damaged))} whose predictions.npz is damaged ({names})")
    return found, notes


def _on_the_same_images(read: Mapping[Place, Predictions]) -> tuple[dict[Place, Predictions], int]:
    """The trials whose true classes are those of most, and how many have others."""
    keys = {place: predictions.labels.tobytes() for place, predictions in read.items()}
    if not keys:
        return {}, 0
    (most, count), *_ = Counter(keys.values()).most_common(1)
    return {place: read[place] for place, key in keys.items() if key == most}, len(keys) - count


def _shared(places: Mapping[Place, object], arms: Sequence[str]) -> list[int]:
    """The seed blocks that all of these arms have, in ascending order."""
    blocks = sorted({block for _, block in places})
    return [block for block in blocks if all((arm, block) in places for arm in arms)]


def _place(record: Record) -> Place:
    return record.trial.arm.name, record.trial.block


def _trials(count: int) -> str:
    return "trial" if count == 1 else "trials"
