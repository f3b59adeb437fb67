"""Devices that fail again and again, in real processes on devices that only their environment tells apart."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_studies import SMALL, StudyWriter, load

from ablation.attempts import attempts
from ablation.driver import Drive, Machine, drive
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.executors.set_aside import STRIKES, Devices
from ablation.failures import Failure, ProcessEndedError
from ablation.inbox import DriverLink
from ablation.run_folder import RunFolder
from ablation.sampling import open_sampling
from ablation.stopping import StopRequest
from ablation.trial import Assignment, Epoch, Outcome, Record, Scores, Trial
from ablation.trial_files import write_outcome

BROKEN = Failure(cause="device", reason="AcceleratorError: CUDA error: uncorrectable ECC error encountered")


@dataclass
class Link:
    about: str
    patience: float = 30.0

    def report(self, epoch: Epoch) -> str:
        return "proceed"

    def stopping(self) -> bool:
        return False


def device() -> str:
    return os.environ["ABLATION_TEST_DEVICE"]


def fail_on_the_first(link: Link) -> Failure | str:
    time.sleep(0.05)
    return BROKEN if device() == "0" else device()


def end_on_the_first(link: Link) -> str:
    time.sleep(0.05)
    if device() == "0":
        os.kill(os.getpid(), signal.SIGSEGV)
    return device()


def end_anywhere(link: Link) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def end_from_outside(link: Link) -> str:
    if device() == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return device()


def environments(*devices: str) -> list[dict[str, str]]:
    return [{"ABLATION_TEST_DEVICE": name} for name in devices]


def came_of(futures: list[Future[object]]) -> list[object]:
    return [future.exception(60) or future.result() for future in futures]


def until_aside(executor: ProcessPerDevice, function: Callable[..., object], slots: int) -> list[object]:
    """What came of calls, as many at a time as there are slots, until a device is set aside."""
    results: list[object] = []
    while executor.room() == slots and len(results) < 100:
        results += came_of([executor.submit(function, Link(f"trial {len(results) + at}")) for at in range(slots)])
    return results


@pytest.mark.parametrize("function", [fail_on_the_first, end_on_the_first])
def test_a_device_that_fails_again_and_again_gets_nothing_more(function: Callable[..., object]) -> None:
    said: list[str] = []
    with ProcessPerDevice(environments("0", "1"), said.append) as executor:
        results = until_aside(executor, function, 2)
        after = came_of([executor.submit(function, Link("later")) for _ in range(4)])
        assert executor.room() == 1
    assert STRIKES <= sum(one != "1" for one in results) <= STRIKES + 1
    assert after == ["1"] * 4
    assert len(said) == 1
    assert "ABLATION_TEST_DEVICE=0 is set aside: 3 trials in a row failed on it" in said[0]


def test_all_slots_of_a_device_go_with_it() -> None:
    said: list[str] = []
    with ProcessPerDevice(environments("0", "1", "0", "1"), said.append) as executor:
        results = until_aside(executor, fail_on_the_first, 4)
        assert executor.room() == 2
    assert STRIKES <= sum(one == BROKEN for one in results) <= STRIKES + 2
    assert len(said) == 1


def test_a_trial_that_ends_its_process_everywhere_costs_no_device() -> None:
    with ProcessPerDevice(environments("0", "1"), pytest.fail) as executor:
        ended = came_of([executor.submit(end_anywhere, Link("always the same")) for _ in range(6)])
        assert all(isinstance(one, ProcessEndedError) for one in ended)
        ended = came_of([executor.submit(end_anywhere, Link(f"trial {at}")) for at in range(6)])
        assert all(isinstance(one, ProcessEndedError) for one in ended)
        assert executor.room() == 2


def test_what_is_killed_from_outside_costs_no_device() -> None:
    with ProcessPerDevice(environments("0", "1"), pytest.fail) as executor:
        came_of([executor.submit(end_from_outside, Link(f"trial {at}")) for at in range(16)])
        assert executor.room() == 2


def test_a_success_clears_a_device_and_the_last_one_stays() -> None:
    said: list[str] = []
    devices = Devices(["0", "1"], said.append)
    for _ in range(5):
        for _ in range(STRIKES - 1):
            devices.failed("0", "broken", "a trial", blamed=True)
        devices.succeeded("0")
    assert said == []
    for device in ("0", "1"):
        for at in range(3 * STRIKES):
            devices.failed(device, "broken", f"trial {at}", blamed=True)
    assert len(said) == 1
    assert not devices.is_fit("0")
    assert devices.is_fit("1")
    assert devices.slots_aside() == 1


class Nobody:
    """Audience and shipper that look away."""

    def launched(self, trial: Trial) -> None: ...
    def reported(self, trial: Trial, epoch: Epoch) -> None: ...
    def failed(self, trial: Trial, failure: Failure, wait: float) -> None: ...
    def finished(self, trial: Trial, outcome: Outcome) -> None: ...
    def ship(self, record: Record, folder: Path) -> None: ...


def train_on_the_second(assignment: Assignment, link: DriverLink) -> Outcome | Failure:
    time.sleep(0.1)
    if device() == "0":
        return BROKEN
    outcome = Outcome(status="complete", validation=Scores(loss=0.5, accuracy=0.5), test=Scores(loss=0.5, accuracy=0.5))
    write_outcome(assignment.folder, outcome)
    return outcome


def drive_on(executor: Executor, machine: Machine, study_file: Path) -> RunFolder:
    study, folder = load(study_file), RunFolder(study_file.parent)
    parts = Drive(
        folder, open_sampling(study, folder), machine, study.execution, train_on_the_second, Nobody(), Nobody(),
        StopRequest(),
    )  # fmt: skip
    with executor:
        assert drive(parts) == "complete"
    return folder


def test_a_study_ends_whole_though_a_device_is_broken(tmp_path: Path, write_study: StudyWriter) -> None:
    said: list[str] = []
    executor = ProcessPerDevice(environments("0", "1"), said.append)
    machine = Machine(executor, 2, tmp_path, executor.room)
    folder = drive_on(executor, machine, write_study(SMALL.replace("seeds: 2", "seeds: 4")))
    records = folder.records()
    assert [record.outcome and record.outcome.status for record in records] == ["complete"] * 12
    assert len(said) == 1
    assert machine.room == 1
    tried = [one for record in records for one in attempts(folder.trial_folder(record.trial.id))]
    blamed = [one for one in tried if one.cause == "device"]
    assert len(blamed) >= STRIKES
    assert not any(one.counts for one in blamed)
