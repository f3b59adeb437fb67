"""The F1 score of each class, averaged over them (the "averaged F1" of Opitz and Burst 2019, arXiv 1911.03347)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

HIGHER_IS_BETTER = True


def build() -> Callable[[Tensor, Tensor], float]:
    """Each class's harmonic mean of precision and recall, averaged over the classes that occur or are predicted."""

    def measure(probabilities: Tensor, labels: Tensor) -> float:
        classes, predicted = probabilities.shape[1], probabilities.argmax(1)
        right = torch.bincount(labels[predicted == labels], minlength=classes).double()
        both = torch.bincount(labels, minlength=classes) + torch.bincount(predicted, minlength=classes)
        return (2 * right / both)[both > 0].mean().item()

    return measure
