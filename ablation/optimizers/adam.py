"""Adam (Kingma and Ba 2015, arXiv 1412.6980), with the paper's defaults."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn, optim

from ablation.settings import Fraction, NotNegative, Positive


def build(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    beta1: Fraction = 0.9,
    beta2: Fraction = 0.999,
    epsilon: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
) -> optim.Optimizer:
    """Adam; weight decay is added to the gradient (adamw decays the weights). Try learning rates near 1e-3."""
    return optim.Adam(
        parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay, fused=True
    )
