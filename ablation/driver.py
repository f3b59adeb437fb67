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
from ablation.infeasible import InfeasibleArms
from ablation.run_folder import RunFolder, write_outcome
from ablation.sampling import Sampling
from ablation.stopping import StopRequest
from ablation.study import ExecutionPlan
from ablation.trial import Answer, Assignment, Epoch, Outcome, Record, Trial

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

    def failed(self, trial: Trial, failure: Failure) -> None:
        """An attempt failed, and there will be another."""
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


@dataclass(frozen=True, slots=True)
class _Reported:
    trial: Trial
    epoch: Epoch
    answer: queue.SimpleQueue[Answer]


@dataclass(frozen=True, slots=True)
class _Ended:
    trial: Trial
    future: Future[Outcome | Failure | None]


_Inbox = queue.SimpleQueue["_Reported | _Ended | None"]
"""None wakes the driver, to look at the stop request."""


@dataclass(frozen=True, slots=True)
class _Link:
    """Brings a worker's reports to the driver's own thread, so that nothing of the driver needs a lock."""

    trial: Trial
    inbox: _Inbox
    stop: StopRequest
    patience: float
    """Seconds without any message after which a worker counts as hanging: longer than its own watchdog waits."""

    def report(self, epoch: Epoch) -> Answer:
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.inbox.put(_Reported(self.trial, epoch, answer))
        return answer.get()

    def stopping(self) -> bool:
        return self.stop.requested


@dataclass(slots=True)
class _State:
    infeasible: InfeasibleArms
    inbox: _Inbox = field(default_factory=queue.SimpleQueue)
    running: dict[str, Trial] = field(default_factory=dict)
    again: list[Trial] = field(default_factory=list)
    exhausted: bool = False
    stop_at: float = 0.0
    """When the grace of a stop that was asked for is over."""


def drive(parts: Drive) -> End:
    """Run the study until it has no more trials, or until a stop is asked for.

    A stop leaves every trial with an outcome, or with a checkpoint to go on from.

    Raises:
        PausedError: a disk is full or read-only.
    """
    state = _State(InfeasibleArms(parts.folder))
    parts.stop.wake, parts.stop.driven = lambda: state.inbox.put(None), True
    try:
        return _drive(parts, state)
    finally:
        parts.stop.driven = False
        if state.running:  # whoever still reports must not wait for an answer that nobody gives
            Thread(target=_refuse, args=(state.inbox,), name="refusing", daemon=True).start()


def _refuse(inbox: _Inbox) -> None:
    """Answer every report with a stop, for as long as the process lives."""
    while True:
        message = inbox.get()
        if isinstance(message, _Reported):
            message.answer.put("stop")


def _drive(parts: Drive, state: _State) -> End:
    while True:
        _launch_all(parts, state)
        if not state.running:
            return "complete" if state.exhausted and not state.again else "stopped"
        message = _next_message(parts, state)
        if parts.stop.requested and time.monotonic() >= state.stop_at > 0:
            _give_up_running(parts, state)
            return "stopped"
        _heed_deadline(parts)
        match message:
            case _Reported(trial, epoch, answer):
                reply: Answer = "stop"
                try:
                    parts.audience.reported(trial, epoch)
                    reply = "stop" if parts.stop.requested else parts.sampling.report(trial, epoch)
                finally:
                    answer.put(reply)
            case _Ended(trial, future):
                del state.running[trial.id]
                _close(parts, state, trial, future)


def _next_message(parts: Drive, state: _State) -> _Reported | _Ended | None:
    """What comes next; None on a wake-up, at the deadline, and when the grace of a stop is over."""
    _heed_deadline(parts)
    now = time.monotonic()
    if parts.stop.requested and not state.stop_at:
        state.stop_at = now + GRACE_SECONDS
    until = state.stop_at or parts.deadline
    try:
        return state.inbox.get(timeout=None if until is None else max(0.0, until - now))
    except queue.Empty:
        return None


def _heed_deadline(parts: Drive) -> None:
    if parts.deadline is not None and time.monotonic() >= parts.deadline:
        parts.stop.ask("deadline")


def _launch_all(parts: Drive, state: _State) -> None:
    _heed_deadline(parts)
    while not parts.stop.requested and len(state.running) < parts.machine.slots:
        trial = state.again.pop(0) if state.again else None if state.exhausted else parts.sampling.ask()
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
    open_attempt(folder)
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
        slots=parts.machine.slots,
        package_code=package_code(),
    )
    link = _Link(trial, state.inbox, parts.stop, 5 + 1.5 * execution.hang_seconds)
    future: Future[Outcome | Failure | None] = parts.machine.executor.submit(parts.run_trial, assignment, link)
    future.add_done_callback(lambda done: state.inbox.put(_Ended(trial, done)))
    state.running[trial.id] = trial
    point("trial submitted")
    parts.audience.launched(trial)


def _close(parts: Drive, state: _State, trial: Trial, future: Future[Outcome | Failure | None]) -> None:
    """Look at what came of an attempt; an outcome is told in the order that lets everything be rebuilt."""
    folder = parts.folder.trial_folder(trial.id)
    result, again = close_attempt(folder, trial, future)
    if isinstance(result, Failure):
        if result.cause == "disk":
            raise PausedError(f"trial {trial.id}: {result.reason}. Make room, then run the same command again.")
        if again:
            parts.audience.failed(trial, result)
            state.again.append(trial)
            return
        short = result.cause == "device memory"
        reason = f"infeasible on this device: {result.reason}" if short else result.reason
        result = Outcome(status="failed", cause=result.cause, reason=reason)
        write_outcome(folder, result)
    if result is not None:  # else it was stopped before its end, and goes on when the study does
        state.infeasible.learn(trial, result)
        _conclude(parts, state, trial, result)


def _conclude(parts: Drive, state: _State, trial: Trial, result: Outcome) -> None:
    """Tell of an outcome that is durable."""
    folder = parts.folder.trial_folder(trial.id)
    parts.sampling.tell(trial, result)
    state.exhausted = False  # a growing plan may have been waiting for this outcome
    point("outcome told")
    if parts.execution.keep == "best-per-arm":
        _keep_best_weights(parts.folder, trial)
    record = parts.folder.record(trial.id)
    assert record is not None, "a trial is opened before it is launched"
    parts.shipper.ship(record, folder)
    point("outcome shipped")
    parts.audience.finished(trial, result)
    if result.status == "failed" and parts.fail_fast:
        parts.stop.ask("failure")


def _give_up_running(parts: Drive, state: _State) -> None:
    """The grace is over: what has not reached a step boundary is ended, and goes on from its last checkpoint."""
    parts.machine.executor.shutdown(wait=False, cancel_futures=True)
    for trial in state.running.values():
        close_attempt(parts.folder.trial_folder(trial.id), trial, None)


def _keep_best_weights(folder: RunFolder, trial: Trial) -> None:
    """Of the arm's planned trials keep the weights of the best by validation accuracy, the earliest of equals."""
    scored = [
        (record.outcome.validation.accuracy, record.trial.id)
        for record in folder.records_of(trial.arm)
        if record.outcome and record.outcome.validation
    ]
    best = max(scored, key=lambda pair: pair[0], default=None)
    for _, trial_id in scored:
        if best is not None and trial_id != best[1]:
            (folder.trial_folder(trial_id) / "weights.pt").unlink(missing_ok=True)
