"""What two sides, each of one or more trials, take the same images for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.compared import TakenFor
from ablation.analysis.predictions import Predictions


@dataclass(frozen=True, eq=False)
class ImageByImage:
    """Predictions of sides A and B on equal images, one set of predictions a trial."""

    classes: Sequence[str]
    a: Sequence[Predictions]
    b: Sequence[Predictions]

    @cached_property
    def right(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """For each image the share of A's trials, and of B's, that are right."""
        return _share_right(self.a), _share_right(self.b)

    @cached_property
    def taken(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each image the class that A takes it for in most of its trials, and that of B."""
        return _most_frequent(self.a), _most_frequent(self.b)

    def apart(self) -> NDArray[np.int64]:
        """The images that are taken for different classes, the most one-sided first."""
        found = np.flatnonzero(self.taken[0] != self.taken[1])
        return found[np.argsort(-np.abs(self.right[1] - self.right[0])[found], kind="stable")]

    def both_wrong(self) -> NDArray[np.int64]:
        """The images that no trial gets right, those first whose trials agree most in what they say instead."""
        lost = np.flatnonzero((self.right[0] == 0) & (self.right[1] == 0))
        sides = zip((self.a, self.b), self.taken, strict=True)
        agreed = np.sum([one.predicted[lost] == taken[lost] for said, taken in sides for one in said], axis=0)
        return lost[np.argsort(-agreed, kind="stable")]

    def told(self, images: NDArray[np.int64]) -> tuple[TakenFor, ...]:
        """The images in words."""
        return tuple(
            TakenFor(
                image=int(at),
                true=self._name(int(self.a[0].labels[at])),
                a=self._name(int(self.taken[0][at])),
                b=self._name(int(self.taken[1][at])),
                a_right=float(self.right[0][at]),
                b_right=float(self.right[1][at]),
            )
            for at in images
        )

    def _name(self, number: int) -> str:
        return self.classes[number] if number < len(self.classes) else str(number)


def _share_right(said: Sequence[Predictions]) -> NDArray[np.float64]:
    return np.asarray(np.mean([one.correct for one in said], axis=0))


def _most_frequent(said: Sequence[Predictions]) -> NDArray[np.int64]:
    """For each image the class that it is taken for in most trials, the first of equally frequent ones."""
    num_classes = 1 + max(int(one.predicted.max()) for one in said)
    counts = np.zeros((len(said[0].predicted), num_classes), dtype=np.int64)
    for one in said:
        counts[np.arange(len(counts)), one.predicted] += 1
    return np.asarray(counts.argmax(axis=1))
