"""Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101), with torch's defaults."""

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
    weight_decay: NotNegative = 0.01,
) -> optim.Optimizer:
    """Adam that shrinks the weights by learning rate times weight decay a step. Try learning rates near 1e-3."""
    return optim.AdamW(
        parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay, fused=True
    )
