"""The images that a net can take."""

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


def require_exact_size(model: str, images: Tensor, size: int) -> None:
    """Raise InputError where images (N x C x H x W) are not as large as the `image_size` a net was built for."""
    height, width = images.shape[-2:]
    if (height, width) != (size, size):
        hint = f"set image_size: {height}" if height == width else "it takes square images alone"
        raise InputError(
            f"model {model} was built for images of {size} x {size} pixels, these have {height} x {width}; {hint}."
        )


def require_multiple(model: str, images: Tensor, patch_size: int) -> None:
    """Raise InputError where images (N x C x H x W) cannot be cut into whole patches."""
    height, width = images.shape[-2:]
    if height % patch_size or width % patch_size:
        raise InputError(
            f"model {model} cuts images into patches of {patch_size} x {patch_size} pixels, and these have "
            f"{height} x {width}; set patch_size to a number that divides both."
        )
