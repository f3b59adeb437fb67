"""Preprocessing and net as one module, from a trial or from what a file says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ablation import components
from ablation.contracts import Transform
from ablation.exporting.description import Description
from ablation.exporting.opened import Run, in_pieces
from ablation.seeding import seed_of
from ablation.settings import Part
from ablation.training.data import chained, to_float
from ablation.training.generators import forked_generator


class Classifier(nn.Module):
    """uint8 images N x C x H x W to class probabilities N x K in float32, as the trial's own code computes them."""

    def __init__(self, net: nn.Module, transform: Transform, *, mirrored: bool = False) -> None:
        super().__init__()
        self.net = net
        self.transform = transform
        self.mirrored = mirrored
        self.to(memory_format=torch.contiguous_format)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """The probabilities; their logarithms are the logits, but for a constant of each image."""
        logits = self._logits(images)
        if self.mirrored:
            logits = (logits + self._logits(images.flip(3))) / 2
        return torch.softmax(logits, dim=1)

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net(self.transform(to_float(images, torch.contiguous_format)))
        return logits.float()


def rebuilt(description: Description, tensors: Mapping[str, Tensor]) -> Classifier:
    """The model that a description names, with these tensors.

    Raises:
        InputError: a component cannot be built as described.
        RuntimeError: the tensors are those of another model.
    """
    assert description.preprocessing is not None, "a file with tensors alone is written of known steps"
    part = components.complete("model", description.model)
    with forked_generator("cpu", seed_of(0, "rebuilding")):
        net: nn.Module = components.load("model", part.name)(
            len(description.classes), description.channels, **part.choices
        )
        no_images = torch.empty((0, *description.shape), dtype=torch.uint8)
        steps = [_built(step, no_images) for step in description.preprocessing]
    net.load_state_dict(tensors)
    return Classifier(net, chained(steps), mirrored=description.mirrored)


def without_images(parts: Sequence[Part], images: Tensor) -> tuple[Part, ...] | None:
    """The preprocessing steps in a form that needs no training images, given the uint8 images they were fitted to.

    A step's file says so in a function `learnt`; None where that of one step has none.
    """
    found = []
    for part in parts:
        module = sys.modules[components.load("preprocessing", part.name).__module__]
        learnt: Callable[..., dict[str, Any]] | None = getattr(module, "learnt", None)
        if learnt is None:
            return None
        found.append(components.complete("preprocessing", Part(name=part.name, choices=learnt(images, **part.choices))))
    return tuple(found)


def running(module: Callable[[Tensor], Tensor]) -> Run:
    """A module over arrays, some images at a time."""

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pieces = [module(torch.from_numpy(piece)) for piece in in_pieces(images)]
        return torch.cat(pieces).numpy()

    return run


def _built(part: Part, images: Tensor) -> Transform:
    part = components.complete("preprocessing", part)
    transform: Transform = components.load("preprocessing", part.name)(**part.choices)(images)
    return transform
