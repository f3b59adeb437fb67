"""How many trials run side by side on this machine, and where each of them runs."""

from __future__ import annotations

import os
from pathlib import Path

from ablation.driver import Machine
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.study import Study
from ablation.training.devices import resolve_device


def machine_of(study: Study, slots: int | None, data_root: Path) -> Machine:
    """The slots of this machine: one an accelerator, or on a CPU its cores over the study's threads."""
    device, threads = study.execution.device, study.execution.threads
    environments = slot_environments(device, threads, slots)
    return Machine(ProcessPerDevice(environments), len(environments), data_root)


def default_slots(study: Study) -> int:
    """How many trials run side by side on this machine where nobody says."""
    return len(slot_environments(resolve_device(study.execution.device), study.execution.threads, None))


def slot_environments(device: str, threads: int, slots: int | None) -> list[dict[str, str]]:
    """The environment of each slot; several CUDA slots take the devices in turn."""
    if device == "cuda":
        import torch

        devices = torch.cuda.device_count()
        return [{"CUDA_VISIBLE_DEVICES": str(slot % devices)} for slot in range(slots or devices)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    side_by_side = max(1, cores // threads) if device == "cpu" else 1
    return [{"OMP_NUM_THREADS": str(threads)} for _ in range(slots or side_by_side)]
