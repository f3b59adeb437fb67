"""Starting weights of convolutions; every draw comes from torch's global generator."""

from __future__ import annotations

from typing import Literal

from torch import nn

Initialization = Literal["he", "glorot", "normal", "torch"]


def initialise(model: nn.Module, kind: Initialization = "he") -> None:
    """Draw the weights of every convolution anew; their biases become 0.

    - he: normal, variance 2 / fan-out, which rectifiers need (He et al. 2015, arXiv 1502.01852)
    - glorot: uniform, variance 2 / (fan-in + fan-out), for no or odd activations (Glorot and Bengio 2010, PMLR 9:249)
    - normal: normal, standard deviation 0.1 whatever the fan, as VGG's shallowest net began (arXiv 1409.1556, 3.1)
    - torch: as torch draws them, uniform with variance 1 / (3 fan-in), the biases too

    Normalisation starts as the identity and linear layers as torch draws them: no rectifier follows those here.
    """
    if kind == "torch":
        return
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            _draw(module, kind)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _draw(layer: nn.Conv2d, kind: Initialization) -> None:
    if kind == "he":
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif kind == "glorot":
        nn.init.xavier_uniform_(layer.weight)
    else:
        nn.init.normal_(layer.weight, std=0.1)
