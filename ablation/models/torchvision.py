"""Any classifier of torchvision (pytorch.org/vision/stable/models.html), fitted to small images.

Weights start as torchvision draws them; pretrained ones are never loaded. `stem: auto` takes from the reduction with
which nets for 224 pixels begin what is too much for small images (`stems.py`). Patches of torchvision's transformers
cannot become smaller; `vit` and `timm` have some that can. The accuracies on torchvision's pages are of ImageNet; on
CIFAR-10 from scratch: not known here.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from ablation.errors import InputError
from ablation.libraries import made, missing, require_known
from ablation.models.libraries import LibraryNet, first_convolution, try_out
from ablation.models.stems import WAY_OUT, adapt_stem, shrinkage
from ablation.settings import Count

_WITHOUT_AUXILIARY = {"aux_logits": False, "init_weights": True}
_MORE: dict[str, dict[str, Any]] = {"googlenet": _WITHOUT_AUXILIARY, "inception_v3": _WITHOUT_AUXILIARY}
"""What these need: else they give a second output in training."""

_PATCHED = "vit_"


def build(
    num_classes: int,
    in_channels: int,
    *,
    architecture: str = "resnet18",
    image_size: Count = 32,
    stem: Literal["auto", "original"] = "auto",
) -> nn.Module:
    """Any classifier of the package torchvision, untrained; auto fits its stem to images of `image_size` a side."""
    name, adapts = f"torchvision ({architecture})", stem == "auto" and shrinkage(image_size) > 1
    if adapts and architecture.startswith(_PATCHED):
        raise InputError(f"the patches of {name} cannot be adapted. {WAY_OUT}")
    net = _created(architecture, num_classes, image_size)
    _see_channels(first_convolution(net), in_channels)
    if adapts:
        adapt_stem(name, net, in_channels, image_size)
    try_out(name, net, torch.zeros(2, in_channels, image_size, image_size))
    return LibraryNet(name, net, image_size)


def _created(architecture: str, num_classes: int, image_size: int) -> nn.Module:
    """The net as torchvision makes it."""
    try:
        from torchvision import models
    except ImportError as error:
        raise missing("model", "torchvision", error) from error
    require_known("torchvision", "architecture", architecture, models.list_models(module=models))
    given = {"num_classes": num_classes, **_MORE.get(architecture, {})}
    if architecture.startswith(_PATCHED):
        given["image_size"] = image_size
    net: nn.Module = made(f"torchvision ({architecture})", partial(models.get_model, architecture, weights=None), given)
    return net


@torch.no_grad()
def _see_channels(layer: nn.Conv2d, in_channels: int) -> None:
    """Give a convolution another number of input channels: new weights, which keep the variance of what it gives."""
    if in_channels != layer.in_channels:
        old = layer.weight
        spread = old.std() * (layer.in_channels / in_channels) ** 0.5
        new = nn.init.normal_(old.new_empty(old.shape[0], in_channels, *old.shape[2:]))
        layer.weight, layer.in_channels = nn.Parameter(new * spread), in_channels
