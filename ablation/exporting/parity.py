"""Whether a model file gives what its trial gave: its probabilities beside those of the record and of the eager model.

The record holds probabilities as float16, which moves one by up to 2 ** -12, and was taken in the trial's precision on
the trial's device; the file computes in float32. So the record is held to a tolerance that says what these may come to,
and the eager model, here and in float32, to a narrow one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import from_numpy

from ablation.analysis.predictions import read_probabilities
from ablation.errors import AblationError, DamagedFileError, ParityError
from ablation.exporting.opened import Run
from ablation.exporting.restoring import Restored
from ablation.training.data import DeviceImages
from ablation.training.evaluation import evaluate

MOST_IMAGES = 1000
"""That are checked, evenly spaced over the split: all 10,000 of CIFAR-10 through a large net take minutes on a CPU."""

EAGER = 1e-4
"""Another order of the same float32 sums."""

EXACT, ROUNDED = 1e-3, 0.1
"""Of a trial measured in float32 on a CPU, and of one that was measured in bfloat16 or on an accelerator."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the file's probabilities are from others, over the same images."""

    against: Literal["record", "eager model"]
    images: int
    largest: float
    """Of the absolute differences."""
    mean: float
    other_class: int
    """Images whose most probable class is another one."""
    tolerance: float
    """What the largest may be."""


def check(run: Run, restored: Restored, device: str) -> tuple[Agreement, ...]:
    """Hold a file that was opened against the trial that it was written from.

    Raises:
        ParityError: a difference is larger than its tolerance.
    """
    measured = restored.measured
    rows = np.unique(np.linspace(0, len(measured) - 1, min(MOST_IMAGES, len(measured))).astype(np.int64))
    images = measured.pick(from_numpy(rows), "cpu")
    given = run(images.numpy())
    shown = DeviceImages(measured.labels[from_numpy(rows)], images)
    eager = evaluate(restored.classifier.net, shown, restored.built.data.seen, "float32").probabilities.numpy()
    found = (
        agreement("eager model", given, eager, EAGER),
        agreement("record", given, _recorded(restored)[rows], _tolerance(restored, device)),
    )
    for one in found:
        if not one.largest <= one.tolerance:  # NaN is beyond every tolerance
            raise ParityError(
                f"the written model differs from the {one.against} of {restored.record.trial.id} by up to "
                f"{one.largest:.2g} in a probability, over {one.images} images, {one.other_class} of them with another "
                f"class; at most {one.tolerance:g} may come of rounding. Nothing was left on the disk. Did the code of "
                "the model or of its preprocessing change since the trial ran? `ablate run STUDY --trial TRIAL` "
                "repeats it and says."
            )
    return found


def agreement(
    against: Literal["record", "eager model"],
    given: NDArray[np.floating],
    wanted: NDArray[np.floating],
    tolerance: float,
) -> Agreement:
    """Two sets of probabilities N x K over the same images."""
    difference = np.abs(given.astype(np.float64) - wanted.astype(np.float64))
    return Agreement(
        against=against,
        images=len(given),
        largest=float(difference.max()),
        mean=float(difference.mean()),
        other_class=int((given.argmax(axis=1) != wanted.argmax(axis=1)).sum()),
        tolerance=tolerance,
    )


def _recorded(restored: Restored) -> NDArray[np.floating]:
    read = read_probabilities(restored.place, restored.record.sha256_of("predictions.npz"))
    if read is None:
        raise AblationError(
            f"{restored.place} has no predictions.npz to hold the written model against. Restore it from a copy."
        )
    probabilities, labels = read
    if not np.array_equal(labels, restored.measured.labels.numpy()):
        way_out = "Restore it from a copy, or export another trial."
        raise DamagedFileError(restored.place / "predictions.npz", "it is about other images", way_out, torn=False)
    return probabilities.astype(np.float64)


def _tolerance(restored: Restored, device: str) -> float:
    stamp = restored.outcome.stamp
    exact = device == "cpu" and stamp is not None and stamp.precision == "float32"
    return EXACT if exact else ROUNDED
