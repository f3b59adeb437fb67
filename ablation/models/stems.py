"""Fits nets that are made for large images to small ones.

Nets for 224 pixels a side reduce them 4-fold before their first stage: a 32 x 32 image would leave a single pixel for
the last. `adapt_stem` takes as much of that away as the images are smaller, 4-fold at most.

The layers that reduce are found by watching one pass, level by level of size: the image's, then half of it, and so on.
All layers of a level are changed together, so that parallel branches still meet. A convolution loses its stride and, of
a filter larger than 3, as much of the filter: 7x7 of stride 2 becomes 3x3 of stride 1, a patch of 4 x 4 a single pixel.
Its weights are the middle of the old ones, scaled up so that what it gives keeps its variance. A pooling that is alone
on its level is left out. Nets that begin at full size (VGG) have no such stem and stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ablation.errors import InputError
from ablation.models.libraries import try_out

WAY_OUT = "Set stem: original, or take another architecture."

_USUAL_SIZE = 224
"""Pixels a side for which the libraries' nets are made."""

_MOST = 4

Reducing = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


def shrinkage(image_size: int) -> int:
    """By what the reduction of such images is divided: as much as they are smaller than usual, as a power of 2."""
    return min(_MOST, 1 << max(0, int(math.log2(_USUAL_SIZE / image_size))))


def adapt_stem(name: str, net: nn.Module, in_channels: int, image_size: int) -> None:
    """Change a net so that it reduces images of this size `shrinkage` times less, by the first layers that do.

    Raises InputError where it cannot be changed like that.
    """
    left = shrinkage(image_size)
    steps = _steps(name, net, torch.zeros(1, in_channels, image_size * left, image_size * left))
    while left > 1 and steps:
        level = [step for step in steps if step.before == steps[0].before]
        steps = steps[len(level) :]
        stride = level[0].stride
        if any(step.stride != stride for step in level) or (stride % left and left % stride):
            named = ", ".join(f"{step.name} {step.stride}-fold" for step in level)
            raise InputError(f"{name} cannot reduce images {left} times less than it does: {named}. {WAY_OUT}")
        taken = min(stride, left)
        for step in level:
            _weaken(net, step, stride // taken, alone=len(level) == 1)
        left //= taken


@dataclass(frozen=True, slots=True)
class _Step:
    """A layer that makes maps smaller."""

    name: str
    layer: Reducing
    before: int
    """Pixels a side of what it is given."""

    @property
    def stride(self) -> int:
        stride = self.layer.stride
        return stride if isinstance(stride, int) else int(stride[0])


def _steps(name: str, net: nn.Module, images: Tensor) -> list[_Step]:
    """What reduces images, from the first level to the last; nothing where a convolution sees them at full size first.

    Raises InputError where something else than a convolution or a pooling does.
    """
    seen: list[_Step] = []
    names = {layer: path for path, layer in net.named_modules() if isinstance(layer, Reducing)}

    def watch(layer: nn.Module, given: tuple[Tensor, ...], _: Tensor) -> None:
        if isinstance(layer, Reducing):
            seen.append(_Step(names[layer], layer, given[0].shape[-1]))

    hooks = [layer.register_forward_hook(watch) for layer in names]
    try:
        try_out(name, net, images)
    except InputError as error:
        raise InputError(f"the stem of {name} cannot be found: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
    if not seen or seen[0].before != images.shape[-1]:
        raise InputError(f"{name} reduces images before its first convolution, which cannot be changed. {WAY_OUT}")
    steps = [step for step in seen if step.stride > 1]
    return sorted(steps, key=lambda step: -step.before) if seen[0].stride > 1 else []


def _weaken(net: nn.Module, step: _Step, stride: int, *, alone: bool) -> None:
    """Give a layer a smaller stride; a pooling that then only smooths goes, unless something beside it has to fit."""
    if isinstance(step.layer, nn.Conv2d):
        _narrow(step.layer, stride)
    elif stride == 1 and (alone or step.layer.kernel_size == step.layer.stride):
        net.set_submodule(step.name, nn.Identity())
    else:
        step.layer.stride = stride


@torch.no_grad()
def _narrow(layer: nn.Conv2d, stride: int) -> None:
    """Give a convolution a smaller stride and, as far as it is larger than 3, a smaller filter."""
    old, reduced_by = layer.kernel_size[0], layer.stride[0] // stride
    apart = old == layer.stride[0]  # patches that do not overlap
    size = stride if apart else min(old, max(3, old // reduced_by // 2 * 2 + 1))
    layer.stride = (stride, stride)
    if size < old:
        start = (old - size) // 2
        middle = layer.weight[:, :, start : start + size, start : start + size]
        layer.weight = nn.Parameter((middle * (old / size)).contiguous())
        layer.kernel_size = (size, size)
        layer.padding = (size // 2, size // 2) if size > stride else (0, 0)
