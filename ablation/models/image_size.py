"""The smallest image that a net can take."""

from __future__ import annotations

from torch import Tensor

from ablation.errors import InputError


def require_size(model: str, images: Tensor, smallest: int) -> None:
    """Raise InputError where images (N x C x H x W) have a side below `smallest` pixels."""
    height, width = images.shape[-2:]
    if min(height, width) < smallest:
        raise InputError(
            f"model {model} needs images of at least {smallest} x {smallest} pixels, these have {height} x {width}; "
            "choose a model that halves them less often (small takes 4 x 4) or a data set of larger images."
        )
