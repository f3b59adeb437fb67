"""Whether a model file gives what its trial gave: its probabilities beside those of the record and of the eager model.

The record holds probabilities as float16, which moves one by up to 2 ** -12, and was taken in the trial's precision on
the trial's device; the file computes in float32. Where that was float32 on a CPU, and beside the eager model here, no
single probability may differ by more than rounding. In bfloat16 an image between two classes can differ by any amount
(0.04 was seen, of a ResNet-20 on CIFAR-10, where in the mean over images 0.5 % of the probability lay on other
classes): there the mean is bounded.
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
"""Of any probability: another order of the same float32 sums."""

EXACT = 1e-3
"""Of any probability of a trial that was measured in float32 on a CPU."""

ROUNDED = 0.05
"""Of the probability that moved in the mean, where a trial was measured in bfloat16 or on an accelerator."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the file's probabilities are from others, over the same images."""

    against: Literal["record", "eager model"]
    images: int
    largest: float
    """Of the absolute differences."""
    moved: float
    """The share of an image's probability that lies on other classes, in the mean over images."""
    other_class: int
    """Images whose most probable class is another one."""
    bounded: Literal["largest", "moved"]
    bound: float

    @property
    def holds(self) -> bool:
        """Whether no more differs than may come of rounding; not so where anything is NaN."""
        return self.largest >= 0 and (self.largest if self.bounded == "largest" else self.moved) <= self.bound

    def __str__(self) -> str:
        """The differences with their bound, in words."""
        largest, moved = f"{self.largest:.2g}", f"{100 * self.moved:.2g} %"
        if self.bounded == "largest":
            largest += f" ({self.bound:g} allowed)"
        else:
            moved += f" ({100 * self.bound:g} % allowed)"
        return (
            f"probabilities differ by at most {largest}, in the mean {moved} lies on other classes, {self.other_class} "
            f"of {self.images:,} images have another class"
        )


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
    mirrored = restored.description.mirrored
    eager = evaluate(restored.classifier.net, shown, restored.built.data.seen, "float32", mirrored=mirrored)
    found = (
        agreement("eager model", (given, eager.probabilities.numpy()), "largest", EAGER),
        agreement("record", (given, _recorded(restored)[rows]), *_bound(restored, device)),
    )
    for one in found:
        if not one.holds:
            raise ParityError(
                f"the written model is not the {one.against} of {restored.record.trial.id}: {one}. No file was left. "
                "Did the code of the model or of its preprocessing change since the trial ran? `ablate run STUDY "
                "--trial TRIAL` repeats the trial and says."
            )
    return found


def agreement(
    against: Literal["record", "eager model"],
    pair: tuple[NDArray[np.floating], NDArray[np.floating]],
    bounded: Literal["largest", "moved"],
    bound: float,
) -> Agreement:
    """Two sets of probabilities N x K over the same images."""
    given, wanted = (each.astype(np.float64) for each in pair)
    difference = np.abs(given - wanted)
    return Agreement(
        against=against,
        images=len(given),
        largest=float(difference.max()),
        moved=float(difference.sum(axis=1).mean() / 2),
        other_class=int((given.argmax(axis=1) != wanted.argmax(axis=1)).sum()),
        bounded=bounded,
        bound=bound,
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


def _bound(restored: Restored, device: str) -> tuple[Literal["largest", "moved"], float]:
    stamp = restored.outcome.stamp
    exact = device == "cpu" and stamp is not None and stamp.precision == "float32"
    return ("largest", EXACT) if exact else ("moved", ROUNDED)
