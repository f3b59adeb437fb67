"""What the machine has and does well: the device, its name, its arithmetic, its memory."""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from ablation.errors import AblationError

Precision = Literal["float32", "bfloat16"]

BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""Instructions that multiply in bfloat16, as Linux names them: the first two on x86, the last on ARM."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's `mallopt`."""

_LINE = 16
"""float32 numbers in a cache line of 64 bytes."""

_KEPT_BLOCK = 64 * 2**20
"""Bytes. Activations are smaller and come back at the next step; the images of a data set are larger."""


def has_accelerator() -> bool:
    """Whether an accelerator is there and answers (`current_accelerator` alone may name one that is not)."""
    return torch.accelerator.current_accelerator(check_available=True) is not None


def resolve_device(wanted: str) -> str:
    """The device kind that `wanted` means here: `auto` takes the accelerator, else the CPU."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return chosen_device(wanted, found.type if found else None, "on this machine")


def chosen_device(wanted: str, accelerator: str | None, where: str) -> str:
    """The device kind that is wanted, of the CPU and an accelerator's. Raises AblationError where it is not there."""
    there = ["cpu", *([accelerator] if accelerator else [])]
    if wanted == "auto":
        return there[-1]
    if wanted not in there:
        raise AblationError(f"there is no device {wanted!r} {where}, only {', '.join(there)}. Choose with --device.")
    return wanted


def resolve_precision(device: str) -> Precision:
    """bfloat16 where this hardware multiplies in it by itself, else float32.

    Asked of the hardware and not of the clock: the same machine answers the same however busy it is. Processors
    without the instructions emulate them, far slower.
    """
    if device == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able = device == "cpu" and not BFLOAT16_FLAGS.isdisjoint(_processor_flags())
    return "bfloat16" if able else "float32"


def _processor_flags() -> frozenset[str]:
    """What the processor can do, by the names that Linux gives; nothing is known elsewhere."""
    return frozenset(_processor_entry("flags", "Features").split())


def _processor_entry(*names: str) -> str:
    """The first processor's entry of one of these names, empty where the system tells none."""
    information = Path("/proc/cpuinfo")
    for line in information.read_text().splitlines() if information.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() in names:
            return value.strip()
    return ""


def prepare(device: str, threads: int) -> None:
    """Fix what decides the last bit of a result, threads on the CPU and deterministic kernels on an accelerator."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if device == "cpu":
        _keep_freed_memory()
        return
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else each new tensor is written once more, to find bugs by.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def _keep_freed_memory() -> None:
    """Let a step reuse the memory that the one before it freed; no number changes by it.

    glibc gives large blocks back to the system at once, which clears every page of them anew at the next step: that
    took about a tenth of a step of the small net and of ResNet-18. (Huge pages on top gained nothing and took 100 MB.)
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):  # musl has none
        mallopt(_MMAP_THRESHOLD, _KEPT_BLOCK)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def best_layout(model: nn.Module, device: str, threads: int) -> torch.memory_format:
    """How images and weights lie in memory: channels last, which convolutions are fastest in.

    But not where several CPU threads share a model that normalises fewer than 16 channels: torch sums a batch's
    gradients in a row of channels for each thread, and shorter rows lie in one cache line, which the threads then pass
    to and fro. At 8 channels two threads took 9.0 ms where one took 1.9 ms.
    """
    few = any(isinstance(part, nn.BatchNorm2d) and part.num_features < _LINE for part in model.modules())
    return torch.contiguous_format if device == "cpu" and threads > 1 and few else torch.channels_last


def has_room(device: str, size: int) -> bool:
    """Whether images of so many bytes, and as many again for an augmented epoch, leave half of what is free on it.

    The half is for the model. Only CUDA says what is free; elsewhere all are taken for small enough.
    """
    return device != "cuda" or 2 * size <= torch.cuda.mem_get_info()[0] / 2


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device != "cpu":
        torch.accelerator.synchronize()


def device_name(device: str) -> str:
    """The name of the hardware, as its maker gives it where the system tells."""
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    if device != "cpu":
        return device
    return _processor_entry("model name") or platform.processor() or platform.machine()


def reset_peak_memory(device: str) -> None:
    """Begin a new measurement of the peak. On a CPU only Linux can; elsewhere it is the process's own."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    control = Path("/proc/self/clear_refs")
    if control.exists():
        control.write_text("5")


def peak_memory(device: str) -> int:
    """Bytes at the peak: of the device's allocations, or of this process on a CPU."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
