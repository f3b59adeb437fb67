"""Expected calibration error (Guo et al. 2017, arXiv 1706.04599, equation 5, with their 15 bins)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ablation.settings import Count

HIGHER_IS_BETTER = False


def build(*, bins: Count = 15) -> Callable[[Tensor, Tensor], float]:
    """How far confidence is from accuracy: the mean over equal-width bins of confidence, each weighed by its images."""

    def measure(probabilities: Tensor, labels: Tensor) -> float:
        confidence, predicted = probabilities.double().max(1)
        excess = confidence - (predicted == labels).double()
        of_image = ((confidence * bins).ceil().long() - 1).clamp(0, bins - 1)  # a bin has its upper end, not its lower
        sums = torch.zeros(bins, dtype=torch.float64).index_add_(0, of_image, excess)
        return (sums.abs().sum() / len(labels)).item()

    return measure
