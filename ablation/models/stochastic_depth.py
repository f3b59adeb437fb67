"""Stochastic depth (Huang et al. 2016, arXiv 1603.09382): branches that are left out for single images in training."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class StochasticDepth(nn.Module):
    """Sets a whole branch to 0 for an image with the given probability; the rest is scaled up to the same mean."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, maps: Tensor) -> Tensor:
        """What a branch gives, N x ..., or the same in evaluation."""
        if not self.training or self.probability == 0:
            return maps
        kept = maps.new_ones(maps.shape[0], *[1] * (maps.ndim - 1))
        return maps * functional.dropout(kept, self.probability)


def probabilities(blocks: int, last: float) -> list[float]:
    """Of each block: from 0 for the first they rise by equal steps to that of the last."""
    return [last * block / max(1, blocks - 1) for block in range(blocks)]
