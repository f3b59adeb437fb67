"""Made before workers are forked: the first optimizer of a process takes a second, for which torch loads its compiler.

The server that workers are forked from imports this module, and so pays once what each worker would pay.
"""

from __future__ import annotations

import torch
from torch import nn, optim

FIRST = optim.SGD([nn.Parameter(torch.Tensor())], lr=1.0)
