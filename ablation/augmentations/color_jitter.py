"""Change brightness, contrast, saturation and hue, in this order (torchvision's ColorJitter draws the order too).

The arithmetic is that of `torchvision.transforms.v2.functional` on uint8, each step ending in whole levels, with a
factor of its own for each image; the results are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ablation.augmentations.levels import blend, check_channels, grey_levels, per_image, to_bytes
from ablation.errors import InputError
from ablation.sending import send
from ablation.settings import HalfTurn, NotNegative

Step = tuple[Callable[[Tensor, Tensor], Tensor], float, float]
"""What to do to images with a factor each, and the least and the greatest factor."""

CPU_BLOCK = 64
"""Images at a time on a CPU: what they need in between stays in its cache, 1.5 times as fast as 1,024 at once."""

_HALF_LEVEL = 1 / 512

_SECTORS = ((0b1100001, 0b0010010), (0b0000110, 0b1001001), (0b0011000, 0b0100100))
"""For red, green and blue: the sixths of the colour circle (bit 0 is the first) where it is highest, and where between.

Bit 6 is a full turn, so the first again.
"""


def build(
    *, brightness: NotNegative = 0.0, contrast: NotNegative = 0.0, saturation: NotNegative = 0.0, hue: HalfTurn = 0.0
) -> Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]:
    """Scale brightness, contrast and saturation by factors within 1 +- their choice; turn the hue within +- its own."""
    steps: list[Step] = [
        (adjust_brightness, max(0.0, 1 - brightness), 1 + brightness),
        (adjust_contrast, max(0.0, 1 - contrast), 1 + contrast),
        (adjust_saturation, max(0.0, 1 - saturation), 1 + saturation),
        (adjust_hue, -hue, hue),
    ]

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        check_channels(images, "color_jitter")
        if images.shape[1] == 1 and (saturation or hue):
            raise InputError(
                "augmentation color_jitter: images of one channel have no saturation and no hue to change; leave these "
                "choices out."
            )
        # Four draws an image whatever the choices are: a step added or left out does not move the draws of the others.
        shares = send(torch.rand(len(images), len(steps), generator=generator), images.device)
        block = CPU_BLOCK if images.device.type == "cpu" else max(1, len(images))
        parts = zip(images.split(block), shares.split(block), strict=True)
        return torch.cat([_jitter(part, share, steps) for part, share in parts]), targets

    return augment


def _jitter(images: Tensor, shares: Tensor, steps: list[Step]) -> Tensor:
    """Run the steps that change something; `shares` (N x steps) say how far from low to high each factor lies."""
    for (adjust, low, high), share in zip(steps, shares.unbind(1), strict=True):
        if low < high:
            images = adjust(images, low + share * (high - low))
    return images


def adjust_brightness(images: Tensor, factors: Tensor) -> Tensor:
    """Blend each image with black; factors are float32 of shape N, 0 gives black and 1 the image."""
    return to_bytes((images * per_image(factors, images)).clamp_(0, 255))


def adjust_contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Blend each image with the mean of its grey levels."""
    return blend(images, grey_levels(images).mean((1, 2, 3), keepdim=True), factors)


def adjust_saturation(images: Tensor, factors: Tensor) -> Tensor:
    """Blend each image with its grey version; images of one channel stay as they are."""
    return images if images.shape[1] == 1 else blend(images, grey_levels(images), factors)


def adjust_hue(images: Tensor, shifts: Tensor) -> Tensor:
    """Turn the hue of each image by its share of a full turn, -0.5 to 0.5; images of one channel stay as they are."""
    if images.shape[1] == 1:
        return images
    hue, saturation, value = _hue_saturation_value(images.to(torch.float32).mul_(1 / 255))
    return _rgb(_wrap(hue.add_(shifts[:, None, None])), saturation, value)


def _wrap(turns: Tensor) -> Tensor:
    """Leave the part of a turn behind the point, in place."""
    return turns.sub_(turns.floor())


# What follows chooses with arithmetic on exact zeros and ones: `torch.where` takes 30 times as long on a CPU.


def _hue_saturation_value(colours: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From red, green and blue in [0, 1], N x 3 x H x W, to three tensors N x H x W; the hue of grey is 0."""
    red, green, blue = colours.unbind(1)
    value = torch.maximum(torch.maximum(red, green), blue)
    spread = value - torch.minimum(torch.minimum(red, green), blue)
    # Both divisors are 0 or about 1/255 at least; where one is 0, so is what it divides.
    divisor = spread.clamp(min=_HALF_LEVEL)
    saturation = spread.div_(value.clamp(min=_HALF_LEVEL))
    from_red, from_green, from_blue = ((value - channel).div_(divisor) for channel in (red, green, blue))
    red_below, green_below = from_red.sign(), from_green.sign()
    unless_red = torch.lerp((from_red + 2).sub_(from_blue), (from_green + 4).sub_(from_red), green_below)
    hue = torch.lerp(from_blue.sub_(from_green), unless_red, red_below)
    return _wrap(hue.mul_(1 / 6).add_(1)), saturation, value


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Back to uint8 N x 3 x H x W: in each sixth of the circle one channel is highest, one lowest, one between them."""
    sixths = hue.mul_(6)
    sector = sixths.floor()
    rising = sixths.sub_(sector).mul_(saturation)
    floor = 1 - saturation
    rises, falls = _levels((rising + floor).mul_(value)), _levels((1 - rising).mul_(value))
    lowest, highest = _levels(floor.mul_(value)), _levels(value)
    sector = to_bytes(sector)
    between = falls.sub_(rises).mul_(sector & 1).add_(rises).sub_(lowest)
    highest = highest.sub_(lowest)
    channels = [
        (_bit(at_top, sector).mul_(highest)).add_(_bit(between_two, sector).mul_(between)).add_(lowest)
        for at_top, between_two in _SECTORS
    ]
    return torch.stack(channels, dim=1)


def _bit(table: int, sector: Tensor) -> Tensor:
    """Give 1 where the table has the sector's bit, else 0."""
    return torch.bitwise_right_shift(table, sector).bitwise_and_(1)


def _levels(shares: Tensor) -> Tensor:
    """From [0, 1] to whole levels, as torchvision converts; the input is overwritten."""
    return to_bytes(shares.mul_(255.999))
