"""Slots on the nodes of a real Ray cluster: nodes that come, go and are refused, GPUs, and what is left of the dead."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from live_processes import all_gone, descendants, parent_of
from ray_clusters import real_cluster
from test_contract import Recorder, ask_to_stop, report_twice, sleep_long, start_a_process

from ablation.errors import AblationError
from ablation.executors.remote_slot import RemoteSlot
from ablation.failures import Failure, PlaceLostError

SECONDS = 30.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Its head has no CPUs: tests add the nodes that they need, and remove them."""
    with ExitStack() as stack:
        cluster = stack.enter_context(real_cluster())
        from ablation.executors.ray_nodes import joined

        stack.enter_context(joined(cluster.address))
        yield cluster


@dataclass
class Opened:
    """An executor on the cluster, with what it said, and the nodes that have joined since."""

    slots: Callable[[Any], Any]
    """Those of a node that joins, or what is raised."""
    most: int | None = None
    said: list[str] = field(default_factory=list)
    woken: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)

    def __enter__(self) -> Any:
        from ablation.executors.ray_cluster import RayCluster, Terms
        from ablation.executors.ray_nodes import nodes

        terms = Terms(1, self.most, self.slots, self.said.append, lambda: self.woken.put(None))
        self.executor = RayCluster({node: self.slots(node) for node in nodes()}, terms)
        self.executor.wait_for_room(SECONDS)
        return self.executor

    def __exit__(self, *exception: object) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def nodes_of(cluster: Any, *made: dict[str, int]) -> Iterator[list[Any]]:
    """Nodes for one test; it may remove some of them itself, and add to them."""
    added = [cluster.add_node(**each) for each in made]
    try:
        yield added
    finally:
        for node in added:
            if node in cluster.worker_nodes:
                cluster.remove_node(node)
        cluster.wait_for_nodes()


def by_cpus(node: Any) -> Any:
    from ablation.executors.ray_cluster import Room

    return Room(node.cpus)


def heard(link: Recorder, count: int) -> list[int]:
    """The processes that have reported."""
    until(lambda: len(link.heard) >= count)
    return [int(str(one)) for one in link.heard]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_runs_on_a_lost_node_is_lost_and_nothing_else_and_a_new_node_gives_room(cluster: Any) -> None:
    opened, link = Opened(by_cpus), Recorder()
    with nodes_of(cluster, {"num_cpus": 1}, {"num_cpus": 2}) as added, opened as executor:
        assert executor.room() == 3
        running = [executor.submit(sleep_long, link) for _ in range(3)]
        processes = heard(link, 3)
        cluster.remove_node(added[1], allow_graceful=False)
        until(lambda: sum(each.done() for each in running) == 2)
        for each in running:
            if each.done():
                error = each.exception()
                assert isinstance(error, PlaceLostError)
                assert error.from_outside
        (alive,) = [each for each in processes if not all_gone([each], 3)]
        assert executor.room() == 1
        while not opened.woken.empty():
            opened.woken.get()
        added.append(cluster.add_node(num_cpus=1))
        opened.woken.get(timeout=SECONDS)
        assert executor.room() == 2
        assert executor.submit(report_twice, 0, Recorder()).result(SECONDS) == ("heard 0", "heard 1")
    assert all_gone([alive], 5)
    assert opened.said == []


def test_a_given_number_of_slots_moves_to_where_there_is_room(cluster: Any) -> None:
    with nodes_of(cluster, {"num_cpus": 2}, {"num_cpus": 2}) as added, Opened(by_cpus, most=2) as executor:
        link = Recorder()
        assert executor.room() == 2
        for _ in range(2):
            executor.submit(sleep_long, link)
        heard(link, 2)
        cluster.remove_node(added[0], allow_graceful=False)  # each node has one of the two
        until(lambda: executor.room() == 1)
        until(lambda: executor.room() == 2)


def visible_device(link: Recorder) -> str:
    link.report("there")
    while not link.stopping():
        time.sleep(0.05)
    return os.environ["CUDA_VISIBLE_DEVICES"]


class Together(Recorder):
    """Lets calls go on once so many of them run."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def stopping(self) -> bool:
        return len(self.heard) >= self.count


def fail_on_the_first(link: Recorder) -> Failure | str:
    time.sleep(0.05)
    device = os.environ["CUDA_VISIBLE_DEVICES"]
    return Failure(cause="device", reason="CUDA error: uncorrectable ECC error") if device == "0" else device


def test_slots_share_gpus_and_a_broken_gpu_is_kept_from_everybody(cluster: Any) -> None:
    from ablation.executors.ray_cluster import Room

    opened, link = Opened(lambda node: Room(2 * node.gpus, 0.5)), Together(4)
    with nodes_of(cluster, {"num_cpus": 4, "num_gpus": 2}), opened as executor:
        running = [executor.submit(visible_device, link) for _ in range(4)]
        assert sorted(each.result(SECONDS) for each in running) == ["0", "0", "1", "1"]
        results = [each.result(SECONDS) for each in [executor.submit(fail_on_the_first, Recorder()) for _ in range(30)]]
        assert results.count("1") >= 25
        assert executor.room() == 2
        (warning,) = opened.said
        assert "CUDA_VISIBLE_DEVICES=0 is set aside" in warning


def test_a_node_that_cannot_run_trials_is_told_and_gets_none(cluster: Any) -> None:
    def admit(node: Any) -> Any:
        if node.cpus == 2:
            raise AblationError("it lacks the data")
        return by_cpus(node)

    opened = Opened(admit)
    with nodes_of(cluster, {"num_cpus": 1}) as added, opened as executor:
        added.append(cluster.add_node(num_cpus=2))
        until(lambda: bool(opened.said))
        assert "has joined, and runs no trial of this study: it lacks the data" in opened.said[0]
        assert executor.room() == 1


def test_a_slot_whose_actor_somebody_kills_is_lost_and_replaced(cluster: Any) -> None:
    link = Recorder()
    with nodes_of(cluster, {"num_cpus": 1}), Opened(by_cpus) as executor:
        running = executor.submit(sleep_long, link)
        (worker,) = heard(link, 1)
        server = parent_of(Path(f"/proc/{worker}/stat"))  # of which workers are forked
        os.kill(parent_of(Path(f"/proc/{server}/stat")), signal.SIGKILL)
        assert isinstance(running.exception(SECONDS), PlaceLostError)
        assert all_gone([worker], 5)
        assert executor.submit(ask_to_stop, Recorder()).result(SECONDS) == [False, True]


def test_nodes_are_asked_and_what_one_raises_is_its_answer(cluster: Any, tmp_path: Path) -> None:
    from ablation.executors.ray_nodes import ask, nodes

    with nodes_of(cluster, {"num_cpus": 1}):
        (asked,) = [each for each in nodes() if each.cpus]
        assert ask([asked], Path.cwd) == [Path.cwd()]
        (answer,) = ask([asked], os.listdir, str(tmp_path / "missing"))
        assert isinstance(answer, FileNotFoundError)


DRIVER = """
import sys, threading
from ablation.executors.ray_nodes import joined, nodes
from ablation.executors.ray_cluster import RayCluster, Room, Terms
from test_contract import sleep_long, start_a_process, stop_oneself

class Link:
    patience, about = 600.0, "a test"
    def report(self, content):
        print(content, file=sys.stderr, flush=True)
    def stopping(self):
        return False

if __name__ == "__main__":
    with joined(sys.argv[1]):
        rooms = {node: Room(node.cpus) for node in nodes() if node.cpus}
        executor = RayCluster(rooms, Terms(1, None, lambda node: Room(0), print))
        for call in [(sleep_long,), (stop_oneself,), (start_a_process, False)]:
            executor.submit(*call, Link())
        threading.Event().wait()
"""


def test_no_process_outlives_a_killed_driver(cluster: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-c", DRIVER, str(cluster.address)]
    with nodes_of(cluster, {"num_cpus": 3}):
        driver = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        assert driver.stderr is not None
        processes = [int(next(line for line in driver.stderr if line.strip().isdecimal())) for _ in range(3)]
        assert set(processes) <= set(descendants(os.getpid()))
        driver.kill()
        driver.communicate()
        assert all_gone(processes, 10)


UNANSWERED = """
import sys
from ablation.executors import remote_slot
from test_contract import sleep_long

if __name__ == "__main__":
    remote_slot.UNANSWERED_SECONDS = 0.5
    slot = remote_slot.RemoteSlot(sys.argv[1], {})
    print(slot.begin(sleep_long, (), 60.0)[1], flush=True)
    sys.stdin.read()
"""


def test_a_slot_whose_driver_answers_no_more_gives_its_place_back(tmp_path: Path) -> None:
    (tmp_path / "slot.py").write_text(UNANSWERED)
    paths = os.pathsep.join(path for path in sys.path if path)
    slot = subprocess.Popen(
        [sys.executable, "slot.py", str(tmp_path)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert slot.stdout is not None
    worker = int(slot.stdout.readline())
    assert slot.wait(SECONDS) == 1
    assert all_gone([worker], 5)
    slot.communicate()


def test_a_slot_answers_one_question_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any cluster: in a thread, as an actor's methods are called."""
    monkeypatch.chdir(Path.cwd())  # to be here afterwards
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)
    slot = RemoteSlot(str(tmp_path), {})
    try:
        assert slot.device() == os.environ.get("CUDA_VISIBLE_DEVICES", "")
        assert slot.begin(report_twice, (3,), 30.0) == ("report", 3)
        assert slot.answer("one") == ("report", 4)
        assert slot.answer("two") == ("returned", ("one", "two"))
        kind, process = slot.begin(start_a_process, (True,), 30.0)
        assert kind == "report"
        kind, content = slot.answer("go on")
        assert (kind, content) == ("ended", (-signal.SIGKILL, False, False))
        assert all_gone([process], 5)
    finally:
        slot.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slot-")]
