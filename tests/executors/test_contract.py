"""What every executor promises; a new one gives a factory and inherits all tests."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from live_processes import all_gone
from ray_clusters import real_cluster

from ablation.executors import process_per_device
from ablation.executors.in_process import open_executor
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.failures import ProcessEndedError

Factory = Callable[[int], Executor]
"""An executor of so many slots."""


class Recorder:
    """A link that remembers what it heard."""

    patience, about = 30.0, "a test"

    def __init__(self) -> None:
        self.heard: list[object] = []

    def report(self, content: object) -> str:
        self.heard.append(content)
        return f"heard {content}"

    def stopping(self) -> bool:
        return len(self.heard) > 1

    def side_by_side(self) -> int:
        return 40 + len(self.heard)


def report_twice(first: int, link: Recorder) -> tuple[str, str]:
    return link.report(first), link.report(first + 1)


def ask_to_stop(link: Recorder) -> list[bool]:
    answers = [link.stopping()]
    link.report("one")
    link.report("two")
    return [*answers, link.stopping()]


def ask_how_busy(link: Recorder) -> list[int]:
    answers = [link.side_by_side()]
    link.report("one")
    return [*answers, link.side_by_side()]


def refuse(link: Recorder) -> None:
    raise ValueError("no such thing")


def process_of(link: Recorder) -> int:
    return os.getpid()


def device_of(link: Recorder) -> str | None:
    time.sleep(0.2)
    return os.environ.get("ABLATION_TEST_DEVICE")


def end_process(link: Recorder) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_long(link: Recorder) -> None:
    link.report(os.getpid())
    time.sleep(600)


def open_processes(slots: int) -> Executor:
    return ProcessPerDevice([{}] * slots)


def open_ray(slots: int) -> Executor:
    from ablation.executors.ray_cluster import RayCluster, Room, Terms
    from ablation.executors.ray_nodes import nodes

    return RayCluster(dict.fromkeys(nodes(), Room(slots)), Terms(1, slots, lambda node: Room(slots), pytest.fail))


@pytest.fixture(scope="module", params=["process_per_device", "ray_cluster"])
def open_slots(request: pytest.FixtureRequest) -> Iterator[Factory]:
    """Of the executors that give each slot a process."""
    if request.param == "process_per_device":
        yield open_processes
        return
    with ExitStack() as stack:
        cluster = stack.enter_context(real_cluster(cpus=2))
        from ablation.executors.ray_nodes import joined

        stack.enter_context(joined(cluster.address))
        yield open_ray


@pytest.fixture(params=[None, "with processes"], ids=["in_process", "with_processes"])
def executor(request: pytest.FixtureRequest, open_slots: Factory) -> Iterator[Executor]:
    with open_slots(1) if request.param else open_executor() as opened:
        yield opened


def test_results_and_reports_come_through(executor: Executor) -> None:
    link = Recorder()
    assert executor.submit(report_twice, 3, link).result(30) == ("heard 3", "heard 4")
    assert link.heard == [3, 4]


def test_a_stop_is_heard(executor: Executor) -> None:
    assert executor.submit(ask_to_stop, Recorder()).result(30) == [False, True]


def test_how_busy_the_machine_is_is_heard(executor: Executor) -> None:
    assert executor.submit(ask_how_busy, Recorder()).result(30) == [40, 41]


def test_whose_process_is_at_work_is_told_while_it_is() -> None:
    link = Recorder()
    with ProcessPerDevice([{}, {}]) as executor:
        assert executor.at_work() == []
        sleeping = executor.submit(sleep_long, link)
        while not link.heard:
            time.sleep(0.02)
        assert executor.at_work() == [(link.heard[0], ())]
        os.kill(int(str(link.heard[0])), signal.SIGKILL)
        with pytest.raises(ProcessEndedError):
            sleeping.result(30)
        assert executor.at_work() == []


def test_an_error_belongs_to_its_own_future(executor: Executor) -> None:
    failing = executor.submit(refuse, Recorder())
    with pytest.raises(ValueError, match="no such thing"):
        failing.result(30)
    assert executor.submit(report_twice, 0, Recorder()).result(30) == ("heard 0", "heard 1")


def test_a_process_is_kept_between_calls(open_slots: Factory) -> None:
    with open_slots(1) as executor:
        first, second = (executor.submit(process_of, Recorder()).result(30) for _ in range(2))
    assert first == second != os.getpid()


def test_a_process_that_dies_loses_its_own_call_only(open_slots: Factory) -> None:
    with open_slots(2) as executor:
        dying = executor.submit(end_process, Recorder())
        others = [executor.submit(report_twice, 0, Recorder()) for _ in range(4)]
        with pytest.raises(ProcessEndedError, match="SIGKILL"):
            dying.result(30)
        assert [other.result(30) for other in others] == [("heard 0", "heard 1")] * 4


def stop_oneself(link: Recorder) -> None:
    link.report(os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)


def test_a_process_that_gives_no_sign_of_life_is_ended(open_slots: Factory) -> None:
    link = Recorder()
    link.patience = 1.0
    with open_slots(1) as executor:
        with pytest.raises(ProcessEndedError, match="no sign of life"):
            executor.submit(stop_oneself, link).result(30)
        assert executor.submit(process_of, Recorder()).result(30) != link.heard[0]


@dataclass
class Spoilt:
    process: int
    spoils_process: bool


def spoil(spoilt: bool, link: Recorder) -> Spoilt:
    return Spoilt(os.getpid(), spoilt)


def test_a_process_that_was_spoilt_runs_nothing_more(open_slots: Factory) -> None:
    with open_slots(1) as executor:
        processes = [executor.submit(spoil, spoilt, Recorder()).result(30).process for spoilt in (False, True, False)]
    assert processes[0] == processes[1] != processes[2]


def test_each_slot_has_its_own_device() -> None:
    with ProcessPerDevice([{"ABLATION_TEST_DEVICE": "0"}, {"ABLATION_TEST_DEVICE": "1"}]) as executor:
        futures = [executor.submit(device_of, Recorder()) for _ in range(2)]
        assert {future.result(30) for future in futures} == {"0", "1"}


def test_shutdown_without_waiting_ends_what_runs(open_slots: Factory) -> None:
    executor = open_slots(1)
    started = threading.Event()

    class Signal(Recorder):
        def report(self, content: object) -> str:
            started.set()
            return super().report(content)

    link = Signal()
    running = executor.submit(sleep_long, link)
    waiting = executor.submit(process_of, link)
    assert started.wait(30)
    began = time.monotonic()
    executor.shutdown(wait=False, cancel_futures=True)
    assert time.monotonic() - began < 5
    assert isinstance(running.exception(5), ProcessEndedError)
    assert waiting.cancelled()
    assert all_gone([int(str(link.heard[0]))], 5)


def test_shutdown_without_waiting_ends_a_process_that_was_still_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    starting, closing = threading.Event(), threading.Event()
    make = process_per_device._Process

    def slow(*arguments: Any) -> Any:
        starting.set()
        assert closing.wait(30)
        return make(*arguments)

    monkeypatch.setattr(process_per_device, "_Process", slow)
    executor = ProcessPerDevice([{}])
    running = executor.submit(sleep_long, Recorder())
    assert starting.wait(30)
    threading.Timer(0.2, closing.set).start()
    began = time.monotonic()
    executor.shutdown(wait=False, cancel_futures=True)
    assert time.monotonic() - began < 10
    assert isinstance(running.exception(5), ProcessEndedError)


def test_a_link_that_raises_ends_the_process_that_waits_for_it(open_slots: Factory) -> None:
    class Fenced(Recorder):
        def report(self, content: object) -> str:
            super().report(content)
            raise LookupError("no longer")

    link = Fenced()
    with open_slots(1) as executor:
        with pytest.raises(LookupError, match="no longer"):
            executor.submit(sleep_long, link).result(30)
        assert all_gone([int(str(link.heard[0]))], 10)
        assert executor.submit(report_twice, 0, Recorder()).result(30) == ("heard 0", "heard 1")


def start_a_process(end: bool, link: Recorder) -> None:
    link.report(subprocess.Popen(["sleep", "600"]).pid)
    if end:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)


@pytest.mark.parametrize("end", [True, False], ids=["ends by itself", "hangs"])
def test_what_a_process_has_started_ends_with_it(open_slots: Factory, end: bool) -> None:
    link = Recorder()
    link.patience = 1.0
    with open_slots(1) as executor:
        with pytest.raises(ProcessEndedError):
            executor.submit(start_a_process, end, link).result(30)
        assert all_gone([int(str(link.heard[0]))], 10)


def test_what_a_process_has_started_ends_at_a_shutdown_without_waiting(open_slots: Factory) -> None:
    link, executor = Recorder(), open_slots(1)
    running = executor.submit(start_a_process, False, link)
    while not link.heard:
        time.sleep(0.05)
    executor.shutdown(wait=False)
    assert isinstance(running.exception(5), ProcessEndedError)
    assert all_gone([int(str(link.heard[0]))], 5)


def fork(link: Recorder) -> None:
    if os.fork() == 0:
        time.sleep(600)
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_end_of_a_process_is_seen_though_a_fork_keeps_its_connection(open_slots: Factory) -> None:
    with open_slots(1) as executor, pytest.raises(ProcessEndedError, match="SIGKILL"):
        executor.submit(fork, Recorder()).result(10)
