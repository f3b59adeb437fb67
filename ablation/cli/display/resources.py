"""What the workers of a run hold of the machine, read from the system: cheap enough to be asked every second."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ablation.executors.process_per_device import ProcessPerDevice
from ablation.trial import Assignment


@dataclass(frozen=True, slots=True)
class Resources:
    """Where trials run, and what each of them holds."""

    device: str
    threads: int
    slots: int
    memory: Callable[[], Mapping[str, int]]
    """Bytes of host memory by the name of a trial; without those of which the system does not tell."""


def memory_of(executor: ProcessPerDevice) -> dict[str, int]:
    """What the process of each trial under way holds of the host's memory."""
    found = {}
    for process, arguments in executor.at_work():
        held = resident(process)
        if held is not None and isinstance(arguments[0], Assignment):
            found[arguments[0].trial.id] = held
    return found


def resident(process: int) -> int | None:
    """Bytes of memory that a process holds, those that it shares included; None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None
