"""Which test images are worth looking at: those that two arms both get wrong, and those that only one gets right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.compared import Disagreement
from ablation.analysis.image_layer import ImageLayer
from ablation.analysis.side_images import most_frequent

MOST = 12
"""Images of a kind: what fits on a screen."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Images by their numbers in the test split, the most telling first."""

    first: str
    second: str
    """The two arms: `a` and `b` of the images."""
    seed_blocks: int
    both_wrong: tuple[Disagreement, ...]
    apart: tuple[Disagreement, ...]
    num_both_wrong: int
    """Wrong in every seed block by both arms, shown or not."""
    num_apart: int
    """Taken for different classes by the two arms in most seed blocks, shown or not."""


def gallery(layer: ImageLayer, first: str, second: str) -> Gallery | None:
    """Two arms over the seed blocks that both have predictions in; None where there is none."""
    blocks = sorted(block for arm, block in layer.said if arm == first and (second, block) in layer.said)
    if not blocks or first == second:
        return None
    said = [[layer.said[arm, block] for block in blocks] for arm in (first, second)]
    labels = said[0][0].labels
    right = [np.mean([one.correct for one in own], axis=0) for own in said]
    taken = [most_frequent(own) for own in said]
    lost = np.flatnonzero((right[0] == 0) & (right[1] == 0))
    agreed = np.sum([one.predicted[lost] == taken[at][lost] for at in (0, 1) for one in said[at]], axis=0)
    apart = np.flatnonzero(taken[0] != taken[1])
    told = _Told(layer.classes, labels, taken, right)
    return Gallery(
        first=first,
        second=second,
        seed_blocks=len(blocks),
        both_wrong=told.of(lost[np.argsort(-agreed, kind="stable")]),
        apart=told.of(apart[np.argsort(-np.abs(right[1] - right[0])[apart], kind="stable")]),
        num_both_wrong=len(lost),
        num_apart=len(apart),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What both arms say of every image."""

    classes: Sequence[str]
    labels: NDArray[np.int64]
    taken: Sequence[NDArray[np.int64]]
    right: Sequence[NDArray[np.float64]]

    def of(self, images: NDArray[np.int64]) -> tuple[Disagreement, ...]:
        return tuple(
            Disagreement(
                image=int(at),
                true=self._name(self.labels[at]),
                a=self._name(self.taken[0][at]),
                b=self._name(self.taken[1][at]),
                a_right=float(self.right[0][at]),
                b_right=float(self.right[1][at]),
            )
            for at in images[:MOST]
        )

    def _name(self, label: np.int64) -> str:
        return self.classes[int(label)] if label < len(self.classes) else str(label)
