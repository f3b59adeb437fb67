"""The machine under a study, as `ablate doctor` looks at it: versions, devices, memory, disk, shared memory, clock."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from pathlib import Path

from ablation.checks import Check, compare_clocks
from ablation.cli.running.room import check_writable, megabytes
from ablation.cli.running.slots import usable_cores
from ablation.errors import AblationError
from ablation.holding import file_system_time

DISTRIBUTION = "ablation-harness"
NEWEST_PYTHON = (3, 13)
"""That the package says it runs with (the classifiers in pyproject.toml)."""

ENOUGH_MEMORY = 2 * 10**9
"""Bytes. A trial on CIFAR-10 adds half a gigabyte to what torch takes (benchmarks/memory.py)."""
ENOUGH_DISK = 5 * 10**9
ENOUGH_SHARED_MEMORY = 2**28
"""Bytes. Docker gives 64 MB unless it is told otherwise."""


def check_versions() -> list[Check]:
    """Python and every package that is needed, against the ranges that this package was installed with."""
    running = sys.version_info[:2]
    if running > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        python = Check("python", "warning", f"{platform.python_version()}: tested up to {newest}", f"Use {newest}.")
    else:
        python = Check("python", "ok", platform.python_version())
    wanted = [requirement for requirement in _requirements() if "extra ==" not in requirement]
    missing = [told for requirement in wanted if (told := _too_old(requirement))]
    if missing:
        packages = Check(
            "packages", "problem", "; ".join(missing), "Install them: pip install --upgrade and their names."
        )
    else:
        shown = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "optuna", "mlflow"))
        packages = Check("packages", "ok", f"{shown}; all {len(wanted)} that are needed are in range")
    return [python, packages]


def _requirements() -> list[str]:
    try:
        return importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return []


def _too_old(requirement: str) -> str:
    """What is wrong with an installed package; nothing where it is in its range, which has a lower end alone."""
    name, _, lowest = requirement.partition(">=")
    try:
        found = importlib.metadata.version(name.strip())
    except importlib.metadata.PackageNotFoundError:
        return f"{name.strip()} is not installed"
    return f"{name} {found} is older than {lowest}" if _numbers(found) < _numbers(lowest) else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def check_devices() -> list[Check]:
    """Every device that trials would run on; each multiplies a little, since one may be there and not answer."""
    import torch

    from ablation.training.devices import device_name, resolve_device, resolve_precision

    kind = resolve_device("auto")
    precision = resolve_precision(kind)
    if kind != "cuda":
        name = f"{kind}: {device_name(kind)}, {usable_cores()} cores, {precision}"
        return [Check("device", "ok", name), *_idle_gpu(torch.version.cuda)]
    return [_check_gpu(number, precision) for number in range(torch.cuda.device_count())]


def _idle_gpu(built_for: str | None) -> list[Check]:
    """An NVIDIA driver on a machine whose torch finds no device."""
    if not Path("/proc/driver/nvidia/version").exists():
        return []
    if built_for is None:
        advice = "Install the build of torch for CUDA."
    else:
        advice = f"Bring the driver up to what CUDA {built_for} needs; in a container, give it the device (--gpus all)."
    return [Check("device", "warning", "there is an NVIDIA driver, and torch finds no device", advice)]


def _check_gpu(number: int, precision: str) -> Check:
    import torch

    name = f"cuda:{number}"
    try:
        free, total = torch.cuda.mem_get_info(number)
        ones = torch.ones(64, 64, device=name)
        right = bool(((ones @ ones) == 64).all())
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        return Check("device", "problem", f"{name} does not answer: {reason}", "Look at nvidia-smi, and restart it.")
    if not right:
        return Check("device", "problem", f"{name} multiplies wrongly", "Take it out of CUDA_VISIBLE_DEVICES.")
    found = f"{name}: {torch.cuda.get_device_name(number)}, {megabytes(free)} of {megabytes(total)} free, {precision}"
    if free < total / 2:
        return Check(
            "device", "warning", found, "Others use it: see nvidia-smi, or name free ones in CUDA_VISIBLE_DEVICES."
        )
    return Check("device", "ok", found)


def check_memory(system: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> Check:
    """The memory that is left, within a container's share."""
    left = _memory_left(system, group)
    if left is None:
        return Check("memory", "ok", "this system does not say how much is left")
    if left < ENOUGH_MEMORY:
        advice = "Run fewer --slots, end what else runs, or give the container more."
        return Check("memory", "warning", f"{megabytes(left)} are left", advice)
    return Check("memory", "ok", f"{megabytes(left)} are left")


def _memory_left(system: Path, group: Path) -> int | None:
    left = []
    if system.exists():
        found = re.search(r"^MemAvailable:\s+(\d+) kB", system.read_text(), re.MULTILINE)
        left += [int(found[1]) * 1024] if found else []
    most, taken = group / "memory.max", group / "memory.current"
    if most.exists() and taken.exists() and (limit := most.read_text().strip()).isdecimal():
        left.append(max(0, int(limit) - int(taken.read_text())))
    return min(left, default=None)


def standing(folder: Path) -> Path:
    """The folder, or what stands there of the way to it."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())


def check_disk(folder: Path) -> Check:
    """The disk that run folders are written to."""
    try:
        check_writable(folder)
    except AblationError as error:
        return Check("disk", "problem", str(error), "Make it writable, or give another --runs-dir.")
    free = shutil.disk_usage(folder).free
    found = f"{megabytes(free)} are free for {folder}"
    if hasattr(os, "statvfs") and (system := os.statvfs(folder)).f_files and system.f_favail < 10_000:
        return Check("disk", "warning", f"{found}, and {system.f_favail:,} files", "Remove some files.")
    if free < ENOUGH_DISK:
        advice = "`ablate plan STUDY` says what a study needs; `ablate clean STUDY` removes weights."
        return Check("disk", "warning", found, advice)
    return Check("disk", "ok", found)


def check_shared_memory(place: Path = Path("/dev/shm")) -> Check:  # noqa: S108 - the system's own place, looked at
    """Processes that share data do it there: Ray's, and the loaders of components that start some."""
    if not place.exists():
        return Check("shared memory", "ok", "this system has no such place")
    size, _, free = shutil.disk_usage(place)
    found = f"{megabytes(free)} of {megabytes(size)} are free in {place}"
    if free < ENOUGH_SHARED_MEMORY:
        advice = "Give the container more: `shm_size: 1gb` in a compose file, --shm-size=1g of docker run."
        return Check("shared memory", "warning", found, advice)
    return Check("shared memory", "ok", found)


def check_clock(folder: Path) -> Check:
    """The clock that stamps the files of run folders, which on a shared disk is another machine's."""
    return compare_clocks(f"the disk of {folder}", file_system_time(folder) - time.time())
