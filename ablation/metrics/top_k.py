"""Top-k accuracy, as in the ImageNet challenge (Russakovsky et al. 2015, arXiv 1409.0575, with k = 5)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ablation.errors import InputError
from ablation.settings import Count

HIGHER_IS_BETTER = True


def build(*, k: Count = 5) -> Callable[[Tensor, Tensor], float]:
    """The share of images whose class is among the k most probable; of equal ones lower class numbers come first."""

    def measure(probabilities: Tensor, labels: Tensor) -> float:
        classes = probabilities.shape[1]
        if k >= classes:
            raise InputError(f"metric top_k: among {k} of {classes} classes every image is right; lower k.")
        of_class = probabilities.gather(1, labels[:, None])
        before = torch.arange(classes) < labels[:, None]
        above = (probabilities > of_class) | ((probabilities == of_class) & before)
        return (above.sum(1) < k).double().mean().item()

    return measure
