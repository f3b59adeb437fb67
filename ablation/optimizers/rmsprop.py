"""RMSprop (Tieleman and Hinton 2012, lecture 6.5 of "Neural networks for machine learning"), with torch's defaults.

torch has no fused kernel for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn, optim

from ablation.settings import Fraction, NotNegative, Positive


def build(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    smoothing: Fraction = 0.99,
    momentum: Fraction = 0.0,
    epsilon: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
) -> optim.Optimizer:
    """Gradients (weight decay added) over the root of their smoothed squares. Try learning rates near 1e-3."""
    return optim.RMSprop(
        parameters, lr=learning_rate, alpha=smoothing, eps=epsilon, weight_decay=weight_decay, momentum=momentum
    )
