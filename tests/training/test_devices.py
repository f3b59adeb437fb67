import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from ablation.errors import AblationError
from ablation.training import devices


def test_auto_is_the_accelerator_where_there_is_one_else_the_cpu() -> None:
    found = torch.accelerator.current_accelerator(check_available=True)
    assert devices.resolve_device("auto") == (found.type if found else "cpu")
    assert devices.resolve_device("cpu") == "cpu"


def test_a_device_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(AblationError, match=r"no device 'tpu' on this machine, only cpu"):
        devices.resolve_device("tpu")


@pytest.mark.parametrize(
    ("channels", "device", "threads", "expected"),
    [
        (8, "cpu", 2, torch.contiguous_format),
        (8, "cpu", 1, torch.channels_last),
        (8, "cuda", 2, torch.channels_last),
        (16, "cpu", 2, torch.channels_last),
    ],
)
def test_channels_are_last_but_where_threads_would_share_the_sums_of_few_channels(
    channels: int, device: str, threads: int, expected: torch.memory_format
) -> None:
    model = nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), nn.BatchNorm2d(64))
    assert devices.best_layout(model, device, threads) is expected
    assert devices.best_layout(model[:1], device, threads) is torch.channels_last


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ("fpu avx2 avx512f avx512_bf16", "bfloat16"),
        ("fpu amx_bf16 amx_tile", "bfloat16"),
        ("asimd bf16 i8mm", "bfloat16"),
        ("fpu avx2 avx512f", "float32"),
        ("", "float32"),
    ],
)
def test_bfloat16_is_chosen_where_the_processor_multiplies_in_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, chosen: str
) -> None:
    monkeypatch.setattr(devices, "_processor_flags", lambda: frozenset(flags.split()))
    assert devices.resolve_precision("cpu") == chosen


def test_the_processor_names_what_it_can_do() -> None:
    flags = devices._processor_flags()
    if Path("/proc/cpuinfo").exists():
        assert {"fpu", "fp"} & flags
    assert devices.resolve_precision("cpu") == ("bfloat16" if devices.BFLOAT16_FLAGS & flags else "float32")


def test_the_peak_of_memory_follows_what_was_used() -> None:
    devices.reset_peak_memory("cpu")
    before = devices.peak_memory("cpu")
    held = torch.ones(40_000_000)
    assert devices.peak_memory("cpu") - before > 100_000_000
    del held


def test_the_hardware_has_a_name() -> None:
    assert devices.device_name("cpu")


FAULTS = """
import resource
import torch
from ablation.training import devices

PREPARE

def step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    activations = [torch.ones(10_000_000) for _ in range(2)]
    del activations
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(min([step() for _ in range(20)][10:]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting; others are left alone")
@pytest.mark.parametrize(("prepare", "least", "most"), [('devices.prepare("cpu", 1)', 0, 1_000), ("", 10_000, 40_000)])
def test_a_step_reuses_the_memory_that_the_one_before_it_freed(prepare: str, least: int, most: int) -> None:
    """Pages that the system had to give: none once the heap has found its shape, 19,532 a step otherwise.

    In a process of its own, as a worker is: what ran before in this one has left its heap in pieces.
    """
    told = subprocess.run(
        [sys.executable, "-c", FAULTS.replace("PREPARE", prepare)], check=True, capture_output=True, text=True
    )
    assert least <= int(told.stdout) <= most


@pytest.mark.parametrize(("size", "expected"), [(250, True), (251, False)])
def test_images_are_kept_on_the_device_where_an_epoch_of_them_leaves_half_of_it(
    monkeypatch: pytest.MonkeyPatch, size: int, expected: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1_000, 5_000))
    assert devices.has_room("cuda", size) is expected
    assert devices.has_room("cpu", size)
