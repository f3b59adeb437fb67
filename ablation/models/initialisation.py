"""Starting weights for nets of rectified linear units (He et al. 2015, arXiv 1502.01852)."""

from __future__ import annotations

from torch import nn


def initialise(model: nn.Module) -> None:
    """Draw the weights of every convolution from a normal distribution of variance 2 / fan-out; their biases become 0.

    Batch normalisation starts as the identity and linear layers as torch draws them: no rectifier follows those here.
    Draws come from torch's global generator.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
