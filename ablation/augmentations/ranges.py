"""How strong the operations of learned and random policies are, in steps from weakest to strongest.

The ranges are those of `torchvision.transforms.v2`, and rounded to single precision as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Range:
    """Even steps from the weakest magnitude to the strongest."""

    weakest: float
    strongest: float
    of: Literal["height", "width", "itself"] = "itself"
    """In shares of the height or the width of an image, or as it stands."""
    whole: bool = False

    def steps(self, count: int, height: int, width: int) -> Tensor:
        """The magnitude at each step, float32."""
        sides = {"height": height, "width": width, "itself": 1}
        found = torch.linspace(self.weakest, self.strongest * sides[self.of], count)
        return found.round_() if self.whole else found


NOTHING = Range(0, 0)
"""Of an operation that has no strength."""

USUAL = {
    "identity": NOTHING,
    "shear_x": Range(0, 0.3),
    "shear_y": Range(0, 0.3),
    "translate_x": Range(0, 150 / 331, of="width"),
    "translate_y": Range(0, 150 / 331, of="height"),
    "rotate": Range(0, 30),
    "brightness": Range(0, 0.9),
    "color": Range(0, 0.9),
    "contrast": Range(0, 0.9),
    "sharpness": Range(0, 0.9),
    "posterize": Range(8, 4, whole=True),
    "solarize": Range(1, 0),
    "auto_contrast": NOTHING,
    "equalize": NOTHING,
}
"""Of RandAugment, and of AutoAugment, which also has `invert`."""

WIDE = {
    "identity": NOTHING,
    "shear_x": Range(0, 0.99),
    "shear_y": Range(0, 0.99),
    "translate_x": Range(0, 32),
    "translate_y": Range(0, 32),
    "rotate": Range(0, 135),
    "brightness": Range(0, 0.99),
    "color": Range(0, 0.99),
    "contrast": Range(0, 0.99),
    "sharpness": Range(0, 0.99),
    "posterize": Range(8, 2, whole=True),
    "solarize": Range(1, 0),
    "auto_contrast": NOTHING,
    "equalize": NOTHING,
}
"""Of TrivialAugment Wide."""


def magnitudes(ranges: Mapping[str, Range], count: int, images: Tensor) -> Tensor:
    """The magnitude of each operation (row) at each of `count` steps, float64, on the CPU."""
    height, width = images.shape[-2:]
    return torch.stack([each.steps(count, height, width) for each in ranges.values()]).double()
