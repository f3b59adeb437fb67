"""Centre and scale colours: by the statistics of the training split, by given ones, or image by image."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ablation.errors import InputError
from ablation.sending import send
from ablation.settings import Positive


def build(
    *,
    statistics: Literal["dataset", "given", "image"] = "dataset",
    mean: list[float] | None = None,
    std: list[Positive] | None = None,
) -> Callable[[Tensor], Callable[[Tensor], Tensor]]:
    """Subtract mean and divide by std: of each channel (in the training split, or given for 0 to 1) or each image."""
    if statistics != "given":
        if mean is not None or std is not None:
            raise InputError(
                f"normalize takes mean and std only with statistics given, not {statistics}; leave them out."
            )
        return _fit_to_split if statistics == "dataset" else lambda _: standardize_images
    if mean is None or std is None:
        raise InputError(
            "normalize with statistics given needs both mean and std: one number a channel, on a scale of 0 to 1."
        )
    if min(std, default=1.0) <= 0:
        raise InputError(f"normalize divides by std: its entries must be above 0, not {std}.")

    def fit(images: Tensor) -> Callable[[Tensor], Tensor]:
        channels = images.shape[1]
        if not len(mean) == len(std) == channels:
            raise InputError(
                f"normalize needs one mean and one std a channel: the images have {channels}, "
                f"mean has {len(mean)} and std {len(std)} entries."
            )
        return _by_channel(mean, std, images.device)

    return fit


def learnt(images: Tensor, *, statistics: str, mean: list[float] | None, std: list[float] | None) -> dict[str, object]:
    """The choices that do the same without the training images: what was taken from these stands in them."""
    if statistics != "dataset":
        return {"statistics": statistics, "mean": mean, "std": std}
    centre, scale = _split_statistics(images)
    return {"statistics": "given", "mean": centre, "std": scale}


def channel_statistics(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and (population) standard deviation of each channel of uint8 images N x C x H x W, on a scale of 0 to 1.

    Exact before the last rounding: levels are counted and summed as integers, so no order of summation matters.
    """
    means, deviations = [], []
    for channel in images.unbind(1):
        counts: list[int] = torch.bincount(channel.reshape(-1), minlength=256).tolist()
        total = sum(counts)
        first = sum(level * count for level, count in enumerate(counts))
        second = sum(level * level * count for level, count in enumerate(counts))
        means.append(first / (255 * total))
        deviations.append(math.sqrt(total * second - first * first) / (255 * total))
    return means, deviations


def standardize_images(batch: Tensor) -> Tensor:
    """Give each image mean 0 and standard deviation 1 over all its pixels and channels.

    As `tf.image.per_image_standardization`: the deviation counts as at least that of one level among black ones,
    1 / sqrt(number of entries), so that an even image becomes 0.
    """
    variance, mean = torch.var_mean(batch, dim=(1, 2, 3), correction=0, keepdim=True)
    least = 1 / math.sqrt(batch[0].numel())
    return (batch - mean) / variance.sqrt().clamp(min=least)


def _fit_to_split(images: Tensor) -> Callable[[Tensor], Tensor]:
    return _by_channel(*_split_statistics(images), images.device)


def _split_statistics(images: Tensor) -> tuple[list[float], list[float]]:
    mean, std = channel_statistics(images)
    # A constant channel is all at its mean: divided by 1 it becomes 0.
    return mean, [deviation or 1.0 for deviation in std]


def _by_channel(mean: list[float], std: list[float], device: torch.device) -> Callable[[Tensor], Tensor]:
    centre, scale = (torch.tensor(values, device=device)[:, None, None] for values in (mean, std))

    def transform(batch: Tensor) -> Tensor:
        return (batch - send(centre, batch.device)).div_(send(scale, batch.device))

    return transform
