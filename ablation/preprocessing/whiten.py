"""Whiten images by the covariance of the training split (ZCA: Krizhevsky 2009, Learning Multiple Layers of Features).

After `normalize` with statistics `image` this is the classic way to prepare CIFAR-10: contrast by image, then whitening
with a tenth of the variance added (Goodfellow et al. 2013, Maxout Networks, arXiv 1302.4389, as pylearn2 does it).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from ablation.contracts import Following, Transform
from ablation.errors import InputError
from ablation.sending import send

MOST_NUMBERS = 12_288
"""Of an image (64 x 64 x 3): the covariance has as many rows, and its eigenvectors take the cube of that in time."""

Epsilon = Annotated[float, Field(gt=0, examples=[1.0, 0.1, 0.01, 0.001])]


def build(*, epsilon: Epsilon = 0.1) -> Following:
    """Decorrelate all pixels and channels (ZCA); `epsilon`, in mean variances, is added to that of each direction."""

    def fit(batches: Iterable[Tensor]) -> Transform:
        mean, covariance = mean_and_covariance(batches)
        matrix = whitening_matrix(covariance, epsilon).to(torch.float32)
        centre = mean.to(torch.float32)

        def transform(batch: Tensor) -> Tensor:
            white = (batch.flatten(1) - send(centre, batch.device)) @ send(matrix, batch.device)
            last = batch.is_contiguous(memory_format=torch.channels_last)
            layout = torch.channels_last if last else torch.contiguous_format
            return white.view(batch.shape).contiguous(memory_format=layout)

        return transform

    return Following(fit)


def mean_and_covariance(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Of the numbers of images (float N x C x H x W, batch after batch), in float64: M numbers, and M x M.

    Products are summed about the mean of the first batch, so that little is lost where the rest is taken off.
    """
    count, start, total, products = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
    for batch in batches:
        _check_size(batch)
        numbers = (batch.cpu() if batch.device.type == "mps" else batch).flatten(1).double()  # MPS has no float64
        if not count:
            start = numbers.mean(0)
            total, products = torch.zeros_like(start), numbers.new_zeros(len(start), len(start))
        numbers -= start
        count += len(numbers)
        total += numbers.sum(0)
        products.addmm_(numbers.T, numbers)
    shift = total / count
    return start + shift, products.div_(count).sub_(torch.outer(shift, shift))


def whitening_matrix(covariance: Tensor, epsilon: float) -> Tensor:
    """The symmetric matrix that gives each direction the variance 1, or less where it has little beside `epsilon`."""
    variances, directions = torch.linalg.eigh(covariance)
    variances = variances.clamp_(min=0)
    matrix: Tensor = (directions / (variances + epsilon * variances.mean()).sqrt()) @ directions.T
    return matrix


def _check_size(batch: Tensor) -> None:
    numbers = batch[0].numel()
    if numbers > MOST_NUMBERS:
        channels, height, width = batch.shape[1:]
        raise InputError(
            f"preprocessing whiten takes images of at most {MOST_NUMBERS:,} numbers, and {channels} x {height} x "
            f"{width} are {numbers:,}; choose normalize."
        )
