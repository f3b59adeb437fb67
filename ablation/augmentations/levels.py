"""Arithmetic on the levels of uint8 images N x C x H x W, with numbers of its own for each image.

As in `torchvision.transforms.v2.functional` each step ends in whole levels; the results are equal to the last bit, but
for a level at times in the last pixels of an image whose number of pixels is no multiple of a processor's vector.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ablation.errors import InputError
from ablation.sending import send


def check_channels(images: Tensor, name: str) -> None:
    """Refuse images that are neither grey nor coloured."""
    if images.shape[1] not in (1, 3):
        raise InputError(f"augmentation {name} needs images of 1 or 3 channels, not {images.shape[1]}; leave it out.")


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """N numbers as float32, beside the images and in a shape that meets each image with its own."""
    return send(values.to(torch.float32), images.device)[:, None, None, None]


def blend(images: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    """Take factor * image + (1 - factor) * other; second product and sum round once, as in torchvision's `add`.

    Of float64 factors both weights are exact before they are rounded.
    """
    ratios, rests = per_image(factors, images), per_image(1 - factors, images)
    return to_bytes((images * ratios).addcmul_(others, rests).clamp_(0, 255))


def grey_levels(images: Tensor) -> Tensor:
    """Luma (ITU-R BT.601) in whole levels, float32 N x 1 x H x W."""
    if images.shape[1] == 1:
        return images.to(torch.float32)
    red, green, blue = (images[:, channel, None] for channel in range(3))
    return red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def to_bytes(values: Tensor) -> Tensor:
    """Cut floats within 0 and 256 down to uint8; twice as fast by way of int32."""
    return values.to(torch.int32).to(torch.uint8)
