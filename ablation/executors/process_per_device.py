"""One kept process a slot: a trial that dies takes only its own process with it.

A `concurrent.futures.Executor`. Knows nothing of trials: a function and its arguments go to the process, calls of the
link come back as messages and are made here. A process that sends none for the link's `patience` is ended, and so is
one whose result says `spoils_process`, or whose link raises. Each is the leader of a group: what a trial has started
ends with its process, and all of them with the driver. A device that fails repeatedly, by results that say
`blames_device` or by processes that end, is set aside.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any

from ablation.executors.calls import Call, FarLink, Submitting, answer_of, cancel_waiting
from ablation.executors.guarding import Guard
from ablation.executors.set_aside import Devices
from ablation.failures import ProcessEndedError, memory_kills

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()


def _context() -> ForkServerContext | SpawnContext:
    """Workers are forked from a server that has imported what they need and no more: no thread, no lock, no CUDA."""
    return multiprocessing.get_context("forkserver") if _FORKS else multiprocessing.get_context("spawn")


def preload(*modules: str) -> None:
    """Begin to import modules in the server that workers are forked from, while this process does something else."""
    if _FORKS:
        _context().set_forkserver_preload(list(modules))
        _start_server()


def _start_server() -> None:
    """Start the server that workers are forked from, deaf to SIGTERM: a scheduler may send that to a whole group.

    It ends when the driver does; a driver without it would take all its workers for dead.
    """
    resource_tracker.ensure_running()  # else the server starts it, and changes the mask meanwhile
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Unheard:
    """The link of calls that report to nobody."""

    patience: float = 600.0
    about: str = ""


class ProcessPerDevice(Submitting):
    """A process for each slot; `environments` names its device, set before torch looks for one."""

    def __init__(self, environments: Sequence[Mapping[str, str]], say: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self._processes: set[_Process] = set()
        self._guard = Guard()
        self._devices = Devices([_device(each) for each in environments], say)
        self._at_once = False
        self._threads = [
            threading.Thread(target=self._serve, args=(dict(environment),), name=f"slot-{slot}", daemon=True)
            for slot, environment in enumerate(environments)
        ]
        for thread in self._threads:
            thread.start()

    def room(self) -> int:
        """How many slots there are, without those whose device failed repeatedly: they take nothing more."""
        return len(self._threads) - self._devices.slots_aside()

    def at_work(self) -> list[tuple[int, tuple[Any, ...]]]:
        """The process and the arguments of each call under way, whoever asks."""
        found = [(process.leader, process.call) for process in tuple(self._processes)]
        return [(leader, call.arguments) for leader, call in found if call is not None]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after what they run, or at once with `wait=False`."""
        self._at_once = self._at_once or not wait
        if cancel_futures:
            cancel_waiting(self._calls)
        for _ in self._threads:
            self._calls.put(None)
        if not wait:
            for process in tuple(self._processes):
                process.kill()
        for thread in self._threads:
            thread.join()
        self._guard.close()

    def _serve(self, environment: dict[str, str]) -> None:
        """Run what comes, one after another, in a process that is replaced when it died."""
        process: _Process | None = None
        device = _device(environment)
        while (call := self._calls.get()) is not None:
            if not call.future.set_running_or_notify_cancel():
                continue
            process = process or self._start(environment)
            self._run(call, process, device)
            if process.ended:
                self._processes.discard(process)
                process = None
            if not self._devices.is_fit(device):
                break
        if process is not None:
            process.close()
            self._processes.discard(process)

    def _run(self, call: Call, process: _Process, device: str) -> None:
        """Bring a call to its end, and note what that says of the device before anybody hears of it."""
        try:
            result = process.run(call)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
            self._devices.raised(device, call.link.about, error)
            call.future.set_exception(error)
            return
        if getattr(result, "spoils_process", False):
            process.kill()
        self._devices.returned(device, call.link.about, result)
        call.future.set_result(result)

    def _start(self, environment: dict[str, str]) -> _Process:
        process = _Process(environment, self._guard)
        self._processes.add(process)
        if self._at_once:  # `shutdown` has looked before the process was there
            process.kill()
        return process


def _device(environment: Mapping[str, str]) -> str:
    """What tells a slot's device from others, as a person may read it."""
    return " ".join(f"{name}={value}" for name, value in sorted(environment.items()))


class _Process:
    """The driver's side of one worker process."""

    def __init__(self, environment: dict[str, str], guard: Guard) -> None:
        context = _context()
        if _FORKS:
            _start_server()
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, environment), daemon=True)
        self._process.start()
        other.close()
        assert self._process.pid is not None, "it was started"
        self.leader, self._guard, self.ended = self._process.pid, guard, False
        self.call: Call | None = None
        """What it runs."""
        guard.watch(self.leader)

    def run(self, call: Call) -> Any:
        kills, self.call = memory_kills(), call
        try:
            self._connection.send(("call", call.function, call.arguments))
            while True:
                kind, content = self._hear(call.link.patience)
                if kind == "returned":
                    return content
                if kind == "raised":
                    raise content
                self._connection.send(self._ask(call.link, kind, content))
        except (EOFError, ConnectionError) as error:
            self._process.join()
            self.kill()  # what it has started
            raise ProcessEndedError(self._process.exitcode, memory_ran_out=memory_kills() > kills) from error
        finally:
            self.call = None

    def _hear(self, patience: float) -> tuple[str, Any]:
        """The next message. The process is looked at as well: what it has started may keep the connection open."""
        ready = wait([self._connection, self._process.sentinel], patience)
        if self._connection in ready:
            kind, content = self._connection.recv()
            return kind, content
        if ready:
            raise EOFError
        self.kill()
        self._process.join()
        raise ProcessEndedError(self._process.exitcode, silent=True)

    def _ask(self, link: Any, kind: str, content: Any) -> Any:
        """The answer of the link. A worker that gets none has no use any more."""
        try:
            return answer_of(link, kind, content)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process and what it has started."""
        self.ended = True
        self._process.kill()
        self._guard.end(self.leader)

    def close(self) -> None:
        self._connection.close()
        self._process.join()
        self._guard.end(self.leader)


def _work(connection: Connection, environment: dict[str, str]) -> None:
    """The worker process: call after call until the driver closes the connection or dies."""
    os.environ.update(environment)
    if hasattr(os, "setsid"):
        os.setsid()  # the leader of a group: what a trial starts can be ended with it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # of the driver's group it is none any more
    # The terminal sends Ctrl-C to every process of the group; ending the study is the driver's to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_driver, daemon=True).start()
    link = FarLink(partial(_ask_by, connection))
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            _, function, arguments = connection.recv()
            try:
                answer = ("returned", function(*arguments, link))
            except ConnectionError:
                raise
            except Exception as error:  # noqa: BLE001 - raised again where the future is waited for
                answer = ("raised", error)
            connection.send(answer)


def _ask_by(connection: Connection, question: str, content: Any) -> Any:
    connection.send((question, content))
    return connection.recv()


def _die_with_driver() -> None:
    """Leave no orphan: end as soon as the driver's process is gone, whatever the trial is doing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        sys.stderr.flush()
        os._exit(1)
