"""Any architecture of timm (Wightman, github.com/huggingface/pytorch-image-models), fitted to small images.

Weights start as timm draws them; pretrained ones are never loaded. `stem: auto` takes from the reduction with which
nets for 224 pixels begin what is too much for small images (`stems.py`); the patches of a transformer become smaller by
as much. The accuracies on timm's pages are of ImageNet; on CIFAR-10 from scratch: not known here.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from ablation.libraries import made, missing, require_known
from ablation.models.libraries import LibraryNet, first_convolution, try_out
from ablation.models.stems import adapt_stem, shrinkage
from ablation.settings import Count, Fraction


def build(
    num_classes: int,
    in_channels: int,
    *,
    architecture: str = "resnet18",
    image_size: Count = 32,
    stem: Literal["auto", "original"] = "auto",
    dropout: Fraction = 0.0,
    drop_path: Fraction = 0.0,
) -> nn.Module:
    """Any architecture of the package timm, untrained; auto fits its stem to images of `image_size` pixels a side."""
    given: dict[str, Any] = {"num_classes": num_classes, "in_chans": in_channels}
    given |= {"drop_rate": dropout} if dropout else {}
    given |= {"drop_path_rate": drop_path} if drop_path else {}
    name, factor = f"timm ({architecture})", shrinkage(image_size) if stem == "auto" else 1
    net = _created(name, architecture, given)
    sizes = _sizes(net, image_size, factor)
    if sizes:
        net = _created(name, architecture, given | sizes)
    if factor > 1 and "patch_size" not in sizes:
        adapt_stem(name, net, in_channels, image_size)
    try_out(name, net, torch.zeros(2, in_channels, image_size, image_size))
    return LibraryNet(name, net, image_size)


def _created(name: str, architecture: str, given: dict[str, Any]) -> nn.Module:
    """The net as timm makes it."""
    try:
        import timm
    except ImportError as error:
        raise missing("model", "timm", error) from error
    require_known("timm", "architecture", architecture, timm.list_models())
    net: nn.Module = made(name, partial(timm.create_model, architecture, pretrained=False), given)
    return net


def _sizes(net: nn.Module, image_size: int, factor: int) -> dict[str, Any]:
    """What to tell timm of the images, where the net is made for one size; with smaller patches where it takes them."""
    takes = inspect.signature(type(net)).parameters
    if "img_size" not in takes:
        return {}
    if "patch_size" in takes and factor > 1:
        patch_size = max(1, round(first_convolution(net).stride[0] / factor))
        return {"img_size": (image_size, image_size), "patch_size": patch_size}
    return {"img_size": (factor * image_size, factor * image_size)}
