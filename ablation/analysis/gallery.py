"""Which test images are worth looking at: those that two arms both get wrong, and those on which they differ."""

from __future__ import annotations

from dataclasses import dataclass

from ablation.analysis.compared import TakenFor
from ablation.analysis.image_by_image import ImageByImage
from ablation.analysis.image_layer import ImageLayer

MOST = 12
"""Images of a kind: what fits on a screen."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Images by their numbers in the test split, the most telling first."""

    first: str
    second: str
    """The two arms: `a` and `b` of the images."""
    seed_blocks: int
    both_wrong: tuple[TakenFor, ...]
    apart: tuple[TakenFor, ...]
    num_both_wrong: int
    """Wrong in every seed block by both arms, shown or not."""
    num_apart: int
    """Taken for different classes by the two arms in most seed blocks, shown or not."""


def gallery(layer: ImageLayer, first: str, second: str) -> Gallery | None:
    """Two arms over the seed blocks that both have predictions in; None where there is none."""
    blocks = sorted(block for arm, block in layer.said if arm == first and (second, block) in layer.said)
    if not blocks or first == second:
        return None
    said = ([layer.said[arm, block] for block in blocks] for arm in (first, second))
    both = ImageByImage(layer.classes, *said)
    lost, apart = both.both_wrong(), both.apart()
    return Gallery(
        first=first,
        second=second,
        seed_blocks=len(blocks),
        both_wrong=both.told(lost[:MOST]),
        apart=both.told(apart[:MOST]),
        num_both_wrong=len(lost),
        num_apart=len(apart),
    )
