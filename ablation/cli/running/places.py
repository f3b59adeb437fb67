"""Where a study runs: on this machine, or on a cluster that it is a part of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ablation.cli.running import slots
from ablation.driver import Machine
from ablation.study import Study
from ablation.training import devices
from ablation.training.devices import Precision


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files of a study lie."""

    folder: Path
    """Its run folder."""
    data_root: Path


class Place(Protocol):
    """What a run asks of where its trials run."""

    def has_accelerator(self) -> bool:
        """Whether a trial could have one."""
        ...

    def resolve_device(self, wanted: str) -> str:
        """The device kind that `wanted` means there. Raises AblationError where there is none of it."""
        ...

    def resolve_precision(self, study: Study, device: str) -> Precision:
        """What the hardware does well there."""
        ...

    def device_name(self, device: str) -> str:
        """The name of the hardware."""
        ...

    def check(self, study: Study, paths: Paths) -> None:
        """Make sure that trials can run wherever they may come to run. Raises AblationError where they cannot."""
        ...

    def one_process(self, study: Study) -> Executor:
        """A single worker, for what is tried before a study is begun."""
        ...

    def machine(self, study: Study, wanted: int | None, paths: Paths, wake: Callable[[], None]) -> Machine:
        """So many slots, or as many as there is room for; `wake` is called when there is more room later."""
        ...


class ThisMachine:
    """A process for each slot, here."""

    has_accelerator = staticmethod(devices.has_accelerator)
    resolve_device = staticmethod(devices.resolve_device)
    device_name = staticmethod(devices.device_name)
    one_process = staticmethod(slots.one_process)

    def resolve_precision(self, study: Study, device: str) -> Precision:  # noqa: ARG002 - there is but one machine
        """What this hardware does well."""
        return devices.resolve_precision(device)

    def check(self, study: Study, paths: Paths) -> None:
        """Nothing: the run looks at this machine itself."""

    def machine(self, study: Study, wanted: int | None, paths: Paths, wake: Callable[[], None]) -> Machine:  # noqa: ARG002
        """So many slots here; there will never be more."""
        return slots.machine_of(study, wanted, paths.data_root)
