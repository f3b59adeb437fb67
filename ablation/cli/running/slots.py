"""How many trials run side by side on this machine, and where each of them runs.

On a CPU as many as its cores have room for, each with the study's threads. On CUDA as many as the memory of each device
holds, by what a step of the most demanding arms was measured to take. A number that a person gives is taken as it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ablation import designs
from ablation.cli.planning.outlook import built_size
from ablation.cli.terminal import say
from ablation.driver import Machine
from ablation.errors import AblationError
from ablation.executors.process_per_device import ProcessPerDevice, Unheard
from ablation.failures import ProcessEndedError
from ablation.study import Study
from ablation.training.devices import resolve_device
from ablation.trial import Arm, Assignment, Trial, trial_id

if TYPE_CHECKING:
    from ablation.training.device_memory import MemoryNeed

MOST_PROBED = 4
"""Arms whose memory is measured: each takes seconds."""
SHARE = 0.9
"""Of a device's free memory that is handed out; the rest is for what a step after the first may need more."""
_CIFAR = 10, 3
"""Classes and channels that sizes of models are compared at."""


def machine_of(study: Study, slots: int | None, data_root: Path) -> Machine:
    """The machine with so many slots; None: as many as it has room for."""
    device, threads, cores = study.execution.device, study.execution.threads, usable_cores()
    devices = cuda_devices() if device == "cuda" else []
    if slots is None:
        slots = side_by_side(device, threads, cores)
        if devices:
            open_one = partial(ProcessPerDevice, [{"CUDA_VISIBLE_DEVICES": devices[0]}])
            slots = packed(probe(study, open_one, data_root), len(devices), cores // threads)
    elif device == "cpu" and slots > 1 and slots * threads > cores:
        fitting = side_by_side(device, threads, cores)
        say(
            f"warning: {slots} slots of {threads} threads on {cores} cores get in each other's way, and do less than "
            f"{fitting} would. `--slots auto` takes {fitting}."
        )
    environments = slot_environments(devices, threads, slots)
    executor = ProcessPerDevice(environments, say)
    return Machine(executor, slots, data_root, executor.room)


def default_slots(study: Study) -> int:
    """How many trials run side by side where nobody says, before any memory is measured."""
    device = resolve_device(study.execution.device)
    if device == "cuda":
        return len(cuda_devices())
    return side_by_side(device, study.execution.threads, usable_cores())


def side_by_side(device: str, threads: int, cores: int) -> int:
    """How many trials a machine has room for by its cores; an accelerator without CUDA takes one."""
    return max(1, cores // threads) if device == "cpu" else 1


def packed(needs: Sequence[MemoryNeed], devices: int, by_cores: int) -> int:
    """How many trials fit on so many equal devices; never more than the cores feed, and one a device at least."""
    each = min((int(SHARE * need.free) // need.taken for need in needs), default=1)
    return max(devices, min(devices * max(1, each), by_cores))


def one_process(study: Study) -> ProcessPerDevice:
    """A single worker where the study runs, for what is tried before it is begun."""
    device, threads = study.execution.device, study.execution.threads
    return ProcessPerDevice(slot_environments(cuda_devices() if device == "cuda" else [], threads, 1))


def slot_environments(devices: list[str], threads: int, slots: int) -> list[dict[str, str]]:
    """The environment of each slot; several CUDA slots take the devices in turn."""
    if devices:
        return [{"CUDA_VISIBLE_DEVICES": devices[slot % len(devices)]} for slot in range(slots)]
    return [{"OMP_NUM_THREADS": str(threads)} for _ in range(slots)]


def usable_cores(limits: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The cores that this process may run on, and of those as many as its container is given the time of."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = limits.read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))  # `max` is no number: no limit
    return cores


def cuda_devices() -> list[str]:
    """The names of the CUDA devices, as a worker's environment is told them: of those that this process was given."""
    import torch

    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in given.split(",") if name.strip()]
    return names[: torch.cuda.device_count()] or [str(at) for at in range(torch.cuda.device_count())]


def most_demanding(arms: Sequence[Arm]) -> list[Arm]:
    """An arm of each kind that takes memory in a way of its own, the largest ones, by weights times batch, first."""
    kinds: dict[str, Arm] = {}
    for arm in arms:
        settings, recipe = arm.settings, arm.settings.recipe
        kind = (settings.dataset, settings.model, recipe.batch_size, recipe.precision, recipe.optimizer)
        kinds.setdefault(str(kind), arm)
    return sorted(kinds.values(), key=_demand, reverse=True)[:MOST_PROBED]


def _demand(arm: Arm) -> float:
    """Code from outside the package, which is not built to be counted, comes before all that is."""
    weights = built_size(arm.settings.model.model_dump_json(), *_CIFAR)
    return float("inf") if weights is None else weights * arm.settings.recipe.batch_size


def probe(study: Study, open_one: Callable[[], Executor], data_root: Path) -> list[MemoryNeed]:
    """What the most demanding arms take of a device, one after the other, each in a process of its own.

    An arm that fails here takes the device for itself, and tells its reason when it runs as a trial.
    """
    from ablation.calibration import measure_memory

    needs = []
    for arm in most_demanding(designs.arms(study)):
        with TemporaryDirectory() as folder, open_one() as executor:
            try:
                call = executor.submit(measure_memory, assignment_of(arm, study, Path(folder), data_root), Unheard())
                needs.append(call.result())
            except (AblationError, ProcessEndedError, RuntimeError) as error:
                say(f"the memory of {arm.name} could not be measured ({error}); one trial a device.")
                return []
    return needs


def assignment_of(arm: Arm, study: Study, folder: Path, data_root: Path) -> Assignment:
    """An arm in the first seed block, to be measured."""
    return Assignment(
        trial=Trial(id=trial_id(arm, 0), arm=arm, block=0, evaluate_on=study.evaluate_on, metrics=study.metrics),
        folder=folder,
        data_root=data_root.resolve(),
        device=study.execution.device,
        threads=study.execution.threads,
    )
