"""Ask for trials, submit them, wait, tell and log. Knows neither Optuna nor MLflow nor torch: they come as parts."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Literal, Protocol

from ablation.attempts import close_attempt, next_pieces, open_attempt
from ablation.components import package_code
from ablation.errors import PausedError
from ablation.failures import Failure
from ablation.faults import point
from ablation.inbox import DriverLink, Ended, Inbox, Reported, refuse
from ablation.infeasible import InfeasibleArms
from ablation.keeping import keep_best_weights, tidy
from ablation.run_folder import RunFolder
from ablation.sampling import Sampling
from ablation.stopping import StopRequest
from ablation.study import ExecutionPlan
from ablation.trial import Answer, Assignment, Epoch, Outcome, Record, Trial
from ablation.trial_files import write_outcome
from ablation.waiting import MOST, Waiting

GRACE_SECONDS = 3.0
"""How long running trials have to reach a step boundary and write a checkpoint once a stop was asked for."""

End = Literal["complete", "stopped"]


class Shipper(Protocol):
    """Takes finished trials to the tracker without making anybody wait."""

    def ship(self, record: Record, folder: Path) -> None:
        """Log one finished trial, later."""
        ...


class Audience(Protocol):
    """Whoever watches the study: the terminal, or a test."""

    def launched(self, trial: Trial) -> None:
        """A trial was submitted."""
        ...

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """A trial ended an epoch."""
        ...

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        """An attempt failed, and there will be another after so many seconds; infinite: when the study is run again."""
        ...

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """A trial has its outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """Where trials run: the same for all of a study, but for the slots."""

    executor: Executor
    slots: int
    data_root: Path
    room_now: Callable[[], int] | None = None
    """How many slots there are now, where that changes: a device is set aside, a node joins a cluster or is lost."""

    @property
    def room(self) -> int:
        """How many trials can run side by side now."""
        return self.slots if self.room_now is None else self.room_now()


@dataclass(frozen=True, slots=True)
class Drive:
    """The parts of one run of a study."""

    folder: RunFolder
    sampling: Sampling
    machine: Machine
    execution: ExecutionPlan
    run_trial: Callable[..., Outcome | Failure | None]
    shipper: Shipper
    audience: Audience
    stop: StopRequest
    deadline: float | None = None
    """In the terms of `time.monotonic`: when a stop is asked for."""
    fail_fast: bool = False
    fence: Callable[[], None] = lambda: None
    """Called before each write; raises where another driver has taken the study over."""
    token: str = ""
    """This driver's own, from which those of its attempts are made."""


@dataclass(slots=True)
class _State:
    infeasible: InfeasibleArms
    inbox: Inbox = field(default_factory=queue.SimpleQueue)
    running: dict[str, Trial] = field(default_factory=dict)
    again: Waiting = field(default_factory=Waiting)
    exhausted: bool = False
    best: dict[str, str] = field(default_factory=dict)
    """The trial of each arm, by its signature, whose weights are kept."""
    stop_at: float = 0.0
    """When the grace of a stop that was asked for is over."""


def drive(parts: Drive) -> End:
    """Run the study until it has no more trials, or until a stop is asked for.

    A stop leaves every trial with an outcome, or with a checkpoint to go on from.

    Raises:
        PausedError: a disk is full or read-only, or what is left is ended from outside again and again.
        StudyLockedError: another driver has taken over; whoever gave the executor ends what runs in it.
    """
    state = _State(InfeasibleArms(parts.folder))
    parts.stop.wake, parts.stop.driven = lambda: state.inbox.put(None), True
    try:
        return _drive(parts, state)
    finally:
        parts.stop.driven = False
        if state.running:
            _refuse_reports(state)


def _refuse_reports(state: _State) -> None:
    """Whoever still reports must not wait for an answer that nobody gives."""
    Thread(target=refuse, args=(state.inbox,), name="refusing", daemon=True).start()


def _drive(parts: Drive, state: _State) -> End:
    while True:
        _launch_all(parts, state)
        if not state.running and (parts.stop.requested or not state.again):
            return "complete" if state.exhausted and not state.again else "stopped"
        _pause_if_hopeless(state)
        message = _next_message(parts, state)
        if isinstance(message, Reported):
            _answer(parts, message)
        if parts.stop.requested and time.monotonic() >= state.stop_at > 0:
            _give_up_running(parts, state, message)
            return "stopped"
        parts.fence()
        if isinstance(message, Ended):
            del state.running[message.trial.id]
            _close(parts, state, message.trial, message.future)


def _answer(parts: Drive, message: Reported) -> None:
    reply: Answer = "stop"
    try:
        parts.fence()
        _heed_deadline(parts)
        parts.audience.reported(message.trial, message.epoch)
        if not parts.stop.requested:
            reply = parts.sampling.report(message.trial, message.epoch)
    finally:
        message.answer.put(reply)


def _pause_if_hopeless(state: _State) -> None:
    """Raise PausedError where nothing runs, and all that waits was ended from outside too often."""
    if not state.running and state.again.next() == float("inf"):
        raise PausedError(
            f"{', '.join(state.again.left())}: ended from outside {MOST} times without a newer checkpoint. What does "
            "that (the system, for want of memory; somebody; the trial itself) may do it again: see `ablate explain`. "
            "The study is paused; the same command goes on."
        )


def _next_message(parts: Drive, state: _State) -> Reported | Ended | None:
    """What comes next; None on a wake-up, at the deadline, when a stop's grace or a trial's waiting is over."""
    _heed_deadline(parts)
    now = time.monotonic()
    if parts.stop.requested and not state.stop_at:
        state.stop_at = now + GRACE_SECONDS
    deadline = float("inf") if parts.deadline is None else parts.deadline
    waiting = state.again.next() if len(state.running) < parts.machine.room else float("inf")
    until = state.stop_at or min(deadline, waiting)
    try:
        return state.inbox.get(timeout=None if until == float("inf") else max(0.0, until - now))
    except queue.Empty:
        return None


def _heed_deadline(parts: Drive) -> None:
    if parts.deadline is not None and time.monotonic() >= parts.deadline:
        parts.stop.ask("deadline")


def _launch_all(parts: Drive, state: _State) -> None:
    _heed_deadline(parts)
    while not parts.stop.requested and len(state.running) < parts.machine.room:
        parts.fence()
        trial = state.again.take() or (None if state.exhausted else parts.sampling.ask())
        point("trial asked")
        if trial is None:
            state.exhausted = True
            return
        if (known := state.infeasible.close(trial)) is None:
            _launch(parts, state, trial)
        else:
            write_outcome(parts.folder.open_trial(trial), known)
            _conclude(parts, state, trial, known)


def _launch(parts: Drive, state: _State, trial: Trial) -> None:
    folder = parts.folder.open_trial(trial).resolve()
    token = open_attempt(folder, parts.token)
    point("trial opened")
    execution = parts.execution
    assignment = Assignment(
        trial=trial,
        folder=folder,
        data_root=parts.machine.data_root.resolve(),
        device=execution.device,
        threads=execution.threads,
        keep_weights=execution.keep != "none",
        checkpoint_seconds=execution.checkpoint_seconds,
        hang_seconds=execution.hang_seconds,
        pieces=next_pieces(folder),
        slots=parts.machine.room,
        token=token,
        package_code=package_code(),
        compilations=parts.folder.path.resolve() / "compiled" if execution.device == "cuda" else None,
    )
    link = DriverLink(
        trial, state.inbox, parts.stop, parts.fence, running=state.running, patience=5 + 1.5 * execution.hang_seconds
    )
    future: Future[Outcome | Failure | None] = parts.machine.executor.submit(parts.run_trial, assignment, link)
    future.add_done_callback(lambda done: state.inbox.put(Ended(trial, done)))
    state.running[trial.id] = trial
    point("trial submitted")
    parts.audience.launched(trial)


def _close(parts: Drive, state: _State, trial: Trial, future: Future[Outcome | Failure | None]) -> None:
    """Look at what came of an attempt; an outcome is told in the order that lets everything be rebuilt."""
    folder = parts.folder.trial_folder(trial.id)
    closed = close_attempt(folder, trial, future)
    result = closed.result
    if isinstance(result, Failure):
        if result.cause == "disk":
            raise PausedError(f"trial {trial.id}: {result.reason}. Make room, then run the same command again.")
        if closed.again:
            parts.audience.failed(trial, result, state.again.add(trial, closed.in_vain))
            return
        result = _final(result)
        write_outcome(folder, result)
    if result is not None:  # else it was stopped before its end, and goes on when the study does
        state.infeasible.learn(trial, result)
        _conclude(parts, state, trial, result)


def _conclude(parts: Drive, state: _State, trial: Trial, result: Outcome) -> None:
    """Tell of an outcome that is durable."""
    folder = parts.folder.trial_folder(trial.id)
    parts.folder.note_outcome(trial.id, result)
    point("outcome noted")
    parts.fence()
    parts.sampling.tell(trial, result)
    state.exhausted = False  # a growing plan may have been waiting for this outcome
    point("outcome told")
    tidy(parts.folder, trial, result)
    if parts.execution.keep == "best-per-arm":
        keep_best_weights(parts.folder, trial, state.best)
    record = parts.folder.record(trial.id)
    assert record is not None, "a trial is opened before it is launched"
    parts.fence()
    parts.shipper.ship(record, folder)
    point("outcome shipped")
    parts.audience.finished(trial, result)
    if result.status == "failed" and parts.fail_fast:
        parts.stop.ask("failure")


def _final(failure: Failure) -> Outcome:
    """What a trial comes to that is not tried again."""
    short = failure.cause == "device memory"
    reason = f"infeasible on this device: {failure.reason}" if short else failure.reason
    return Outcome(status="failed", cause=failure.cause, reason=reason)


def _give_up_running(parts: Drive, state: _State, message: Reported | Ended | None) -> None:
    """The grace is over: what has not reached a step boundary is ended, and goes on from its last checkpoint."""
    parts.fence()
    if isinstance(message, Ended):
        _close(parts, state, state.running.pop(message.trial.id), message.future)
    _refuse_reports(state)
    parts.machine.executor.shutdown(wait=False, cancel_futures=True)
    for trial in state.running.values():
        parts.fence()
        close_attempt(parts.folder.trial_folder(trial.id), trial, None)
