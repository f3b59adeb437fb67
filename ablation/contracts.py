"""What augmentations and preprocessing steps are to the trainer, and what some ask of it beyond a plain call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Generator, Tensor

Transform = Callable[[Tensor], Tensor]
"""Float images, N x C x H x W, to what the next step or the model sees."""

Fit = Callable[[Tensor], Transform]
"""The uint8 training images to the transform that they decide."""

Augmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
"""uint8 images and class probabilities (N x K) to new ones; parameters are drawn per image from the generator."""

Measure = Callable[[Tensor, Tensor], float]
"""Class probabilities of all images of a split (N x K, float32) and their labels (N, int64) to a metric's value."""


@dataclass(frozen=True, slots=True)
class Mixing:
    """An augmentation that mixes the images it is given with one another.

    The trainer gives it images from all over the training split, in an order drawn for the epoch: neighbours in a data
    set are often of one class. All other augmentations get them in the order of the data set.
    """

    mix: Augmentation

    def __call__(self, images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Mix these images."""
        return self.mix(images, targets, generator)


@dataclass(frozen=True, slots=True)
class Following:
    """A preprocessing step that is fitted to what the steps before it make of the training images."""

    fit: Callable[[Iterable[Tensor]], Transform]
    """Gets all of them once, batch after batch, as floats N x C x H x W."""

    def __call__(self, images: Tensor) -> Transform:
        """Fit it as the first step, to uint8 images."""
        return self.fit(part / 255 for part in images.split(1024))
