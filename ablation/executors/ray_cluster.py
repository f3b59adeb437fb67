"""Trials on a Ray cluster: a `concurrent.futures.Executor`.

A slot is an actor that holds the CPUs and the share of a GPU of one trial on a node, for as long as the run lasts: an
actor and not a task for each trial, since its process keeps torch and the data loaded. Slots come and go with the
nodes; what ran on a node that is lost raises `PlaceLostError`, and whoever submitted it may submit it again.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from ablation.errors import AblationError
from ablation.executors.calls import Call, Submitting, answer_of, cancel_waiting
from ablation.executors.ray_nodes import Node, environment, nodes, on
from ablation.executors.remote_slot import RemoteSlot
from ablation.executors.set_aside import Devices
from ablation.failures import PlaceLostError, ProcessEndedError

LOOK_SECONDS = 2.0
"""Between two looks at which nodes there are: nothing tells of a change."""

MARGIN_SECONDS = 30.0
"""Beyond the patience of a link, which its slot keeps by itself, until the slot itself counts as lost."""

MOST_STARTS = 3
"""Slots in a row that could not be begun on a node, after which it is left out."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a node has room for."""

    slots: int
    gpus: float = 0.0
    """The share of a GPU that each slot takes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all slots of a run."""

    threads: int
    most: int | None
    """At most so many slots; None: as many as there is room for."""
    admit: Callable[[Node], Room]
    """Asked of a node that joins, in a thread of its own; raises AblationError where no trial can run there."""
    say: Callable[[str], None]
    wake: Callable[[], None] = lambda: None
    """Called when there is room for another call."""


class RayCluster(Submitting):
    """Slots on the nodes of the cluster that this process has joined."""

    def __init__(self, rooms: Mapping[Node, Room], terms: Terms) -> None:
        super().__init__()
        self._terms, self._devices = terms, Devices((), terms.say)
        self._changed = threading.Condition()
        """Guards what follows."""
        self._rooms, self._met = dict(rooms), {node.id for node in rooms}
        self._seats, self._failed = set[_Seat](), Counter[Node]()
        self._closing = threading.Event()
        self._fill()
        self._watcher = threading.Thread(target=self._watch, name="nodes", daemon=True)
        self._watcher.start()

    def room(self) -> int:
        """How many slots have their place now, one at least: a call waits where there is none."""
        with self._changed:
            return max(1, self._ready())

    def wait_for_room(self, seconds: float) -> tuple[int, int]:
        """Wait until all slots have their place, or the time is over: how many have, and of how many."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready() == len(self._seats), seconds)
            return self._ready(), len(self._seats)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the slots: after what they run, or at once with `wait=False`."""
        if cancel_futures:
            cancel_waiting(self._calls)
        with self._changed:
            self._closing.set()
            seats = tuple(self._seats)
        for seat in seats:
            if not wait or (not seat.ready and self._calls.empty()):
                seat.end()
        self._calls.put(None)
        for seat in seats:
            seat.thread.join()
        self._watcher.join()
        cancel_waiting(self._calls)

    def _ready(self) -> int:
        return sum(seat.ready and self._devices.is_fit(seat.device) for seat in self._seats)

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        """Take away the slots of nodes that are gone, and begin new ones wherever there is room."""
        if self._closing.is_set():
            return
        try:
            present = nodes()
        except (RayError, ConnectionError):  # the head does not answer: the next look may reach it again
            return
        with self._changed:
            for seat in self._seats:
                if seat.node not in present:
                    seat.leave()
            self._rooms = {node: room for node, room in self._rooms.items() if node in present}
            new = [node for node in present if node.id not in self._met]
            self._met |= {node.id for node in new}
        for node in new:
            threading.Thread(target=self._admit, args=(node,), name="admitting", daemon=True).start()
        self._fill()

    def _admit(self, node: Node) -> None:
        try:
            room = self._terms.admit(node)
        except AblationError as error:
            self._terms.say(f"warning: {node} has joined, and runs no trial of this study: {error}")
            return
        with self._changed:
            self._rooms[node] = room
        self._fill()

    def _fill(self) -> None:
        """Begin slots wherever there is room for one, on the emptiest node first."""
        with self._changed:
            taken = Counter(seat.node for seat in self._seats)
            while not self._closing.is_set() and (self._terms.most is None or len(self._seats) < self._terms.most):
                free = {node: room.slots - taken[node] for node, room in self._rooms.items()}
                node = max(free, key=lambda each: free[each], default=None)
                if node is None or free[node] < 1:
                    return
                taken[node] += 1
                seat = _Seat(node, self._rooms[node], self._terms.threads)
                self._seats.add(seat)
                seat.thread = threading.Thread(target=self._serve, args=(seat,), name=f"slot on {node}", daemon=True)
                seat.thread.start()

    def _serve(self, seat: _Seat) -> None:
        """Run what comes, one after another, as long as the slot's place stands."""
        try:
            seat.begin()
        except RayError as error:
            self._note_failure(seat, error)
        else:
            self._failed[seat.node] = 0
            self._devices.join(seat.device)
            self._tell(seat, ready=True)
            self._work(seat)
            self._devices.leave(seat.device)
        with self._changed:
            self._seats.discard(seat)
        self._tell(seat, ready=False)
        seat.end()
        self._look()

    def _tell(self, seat: _Seat, *, ready: bool) -> None:
        with self._changed:
            seat.ready = ready
            self._changed.notify_all()
        if ready:
            self._terms.wake()

    def _note_failure(self, seat: _Seat, error: RayError) -> None:
        """A slot could not be begun. The node may be gone; one where that happens again and again is left out."""
        with self._changed:
            self._failed[seat.node] += 1
            given_up = self._failed[seat.node] == MOST_STARTS and seat.node in self._rooms
            if given_up:
                self._rooms[seat.node] = Room(0)
        if given_up and not self._closing.is_set():
            last = str(error).strip().rpartition("\n")[2]
            self._terms.say(f"warning: {seat.node} is left out: no slot could be begun there ({last})")

    def _work(self, seat: _Seat) -> None:
        """Run calls until the last, or until the place is lost; then another slot is begun wherever there is room."""
        while (call := self._calls.get()) is not None:
            if not seat.ready:  # the node went while nothing ran there
                self._calls.put(call)
                return
            if call.future.set_running_or_notify_cancel() and not self._run(seat, call):
                return
            if not self._devices.is_fit(seat.device):
                self._closing.wait()  # keeping the device, so that nobody is given it
                break
        self._calls.put(None)  # for the next slot

    def _run(self, seat: _Seat, call: Call) -> bool:
        """Bring a call to its end. Whether the slot is there for another."""
        about = call.link.about
        try:
            result = seat.converse(call)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
            lost = seat.lost
            if lost:
                self._tell(seat, ready=False)  # before anybody hears of it, and fills the room
            self._devices.raised(seat.device, about, error)
            call.future.set_exception(error)
            return not lost
        self._devices.returned(seat.device, about, result)
        call.future.set_result(result)
        return True


class _Seat:
    """The driver's side of one slot."""

    thread: threading.Thread

    def __init__(self, node: Node, room: Room, threads: int) -> None:
        self.node, self.device, self.ready, self.lost = node, "", False, False
        self._actor = (
            ray.remote(RemoteSlot)
            .options(num_cpus=threads, num_gpus=room.gpus, max_restarts=0, scheduling_strategy=on(node))
            .remote(str(Path.cwd()), {**environment(), "OMP_NUM_THREADS": str(threads)})
        )

    def begin(self) -> None:
        """Wait for the place, which others may still hold. Raises RayError where there is none."""
        device = ray.get(self._actor.device.remote())
        self.device = f"{self.node} CUDA_VISIBLE_DEVICES={device}" if device else str(self.node)

    def leave(self) -> None:
        """The node is gone."""
        self.ready = False
        self.end()

    def end(self) -> None:
        """End the slot at once, and what runs there."""
        self.lost = True
        with contextlib.suppress(RayError):
            ray.kill(self._actor)

    def converse(self, call: Call) -> Any:
        """Run a call, and bring the questions of its trial to the link."""
        message = self._actor.begin.remote(call.function, call.arguments, call.link.patience)
        while True:
            kind, content = self._hear(message, call.link.patience + MARGIN_SECONDS)
            if kind == "returned":
                return content
            if kind == "raised":
                raise content
            if kind == "ended":
                exit_code, silent, memory_ran_out = content
                raise ProcessEndedError(exit_code, silent=silent, memory_ran_out=memory_ran_out)
            message = self._actor.answer.remote(self._answer(call.link, kind, content))

    def _hear(self, message: Any, patience: float) -> Any:
        try:
            return ray.get(message, timeout=patience)
        except RayTaskError as error:  # what was sent cannot be read there, or the other way round
            self.end()
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except GetTimeoutError:
            self.end()
            raise PlaceLostError(str(self.node)) from None
        except RayError as error:
            self.end()
            if "OUT_OF_MEMORY" in str(error):  # Ray ends a process before the system would
                raise ProcessEndedError(-signal.SIGKILL, memory_ran_out=True) from None
            raise PlaceLostError(str(self.node)) from None

    def _answer(self, link: Any, kind: str, content: Any) -> Any:
        """The answer of the link. A slot that gets none has no use any more."""
        try:
            return answer_of(link, kind, content)
        except BaseException:
            self.end()
            raise
