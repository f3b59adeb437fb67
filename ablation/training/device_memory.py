"""What a training takes of an accelerator's memory, as one process finds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

CONTEXT_BYTES = 600 * 2**20
"""Allowed for what CUDA takes for a process before its first tensor, which the allocator does not count. Not measured
here: a generous guess, on whose side a mistake only packs fewer trials."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes on one device."""

    taken: int
    """By one process at its peak, CUDA's own part included."""
    free: int
    """For all of our processes together, before any of them came."""


def free_before(device: str) -> int:
    """Bytes that would be free on this process's device without the process; before its first tensor."""
    assert device == "cuda", "only CUDA tells what is free"
    free, total = torch.cuda.mem_get_info()
    return int(min(total, free + CONTEXT_BYTES))


def taken_at_peak(device: str) -> int:
    """Bytes that this process has taken of its device at its peak: what its allocator held, and CUDA's own part."""
    assert device == "cuda", "only CUDA tells what was taken"
    return int(torch.cuda.max_memory_reserved()) + CONTEXT_BYTES
