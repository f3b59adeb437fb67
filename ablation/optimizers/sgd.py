"""Stochastic gradient descent with momentum (Sutskever et al. 2013, PMLR 28:1139).

The defaults are those of Zagoruyko and Komodakis 2016 (arXiv 1605.07146) on CIFAR, without their Nesterov momentum;
residual nets were first trained with a weight decay of 1e-4 (arXiv 1512.03385).
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn, optim

from ablation.errors import InputError
from ablation.settings import Fraction, NotNegative


def build(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    momentum: Fraction = 0.9,
    weight_decay: NotNegative = 5e-4,
    nesterov: bool = False,
) -> optim.Optimizer:
    """Stochastic gradient descent with momentum; weight decay is added to the gradient."""
    if nesterov and momentum == 0:
        raise InputError("optimizer sgd: nesterov needs a momentum above 0, such as 0.9.")
    return optim.SGD(
        parameters, lr=learning_rate, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov, fused=True
    )
