"""Copies to a device that nobody waits for."""

from __future__ import annotations

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on the device, queued behind what the device has to do already; the host goes on at once.

    From pinned memory, since a copy from any other makes the host wait; torch keeps that memory until it was read.
    """
    target = torch.device(device)
    if tensor.device.type == target.type:
        return tensor
    return (tensor.pin_memory() if target.type == "cuda" else tensor).to(target, non_blocking=True)
