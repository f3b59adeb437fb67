"""How many trials can one driver feed? A simulated cluster below a real driver, real Optuna and real MLflow stores.

Every slot is simulated: its trials take a drawn time (log-normal), report their epochs, write the files that a worker
writes, and train nothing. Of 100 trials two are killed on the way and run again, one diverges, and one in 200 fails by
a bug. All that one driver does is real: run folder, flushed files, Optuna and MLflow on SQLite. Told are the trials an
hour, the share of their time in which slots have work, the driver's processor time, by the thousand what it costs and
holds, and how long MLflow lags behind the end.

    python benchmarks/scale.py [--trials 10000] [--slots 256] [--seconds 20] [--quick] [--json]

`--seconds 0` takes away the trials' own time: what is left is the most that one driver can feed. Ten thousand trials of
20 s take a quarter of an hour.
"""

from __future__ import annotations

import heapq
import itertools
import resource
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from made_folders import begun, text_of
from measuring import Figures, machine, options, show

from ablation.driver import Audience, Drive, Machine, drive
from ablation.failures import Failure, ProcessEndedError
from ablation.sampling import open_sampling
from ablation.stopping import StopRequest
from ablation.study import ExecutionPlan, Study
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, note_of
from ablation.trial import Assignment, Cost, Epoch, Outcome, Scores, Stamp, Trial
from ablation.trial_files import append_epoch, write_outcome

EPOCHS = 5
ARMS = 100
KILLED, DIVERGED, FAILED = 0.02, 0.01, 0.005
SCORES = Scores(loss=0.5, accuracy=0.9)
AT_A_TIME = 64
"""Messages that reach the driver together at most."""


def write_epoch(folder: Path, number: int) -> Epoch:
    """What a worker does at the end of an epoch."""
    epoch = Epoch(
        epoch=number, train=SCORES, validation=SCORES, learning_rate=0.1, seconds=1.0, images_per_second=1000.0
    )
    append_epoch(folder, epoch)
    return epoch


def write_end(folder: Path, status: str) -> Outcome:
    """What a worker does at the end of a trial."""
    outcome = Outcome.model_validate(
        {
            "status": status,
            "reason": "the loss is not a finite number" if status == "diverged" else "",
            **dict.fromkeys(("train", "validation", "test"), SCORES),
            "classes": tuple(f"class {at}" for at in range(10)),
            "confusion": tuple(tuple(900 if at == to else 11 for to in range(10)) for at in range(10)),
            "cost": Cost(seconds=10.0, images_per_second=1000.0, parameters=300_000, peak_memory_bytes=10**9),
            "stamp": Stamp(versions={}),
        }
    )
    write_outcome(folder, outcome)
    return outcome


@dataclass(order=True)
class Event:
    """Something that happens in a slot at a moment of `time.monotonic`."""

    when: float
    number: int
    act: Callable[[], None] = field(compare=False)


class SimulatedCluster(Executor):
    """Trials that only take time. Another process writes their files, as workers would."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._draws = seconds, np.random.default_rng(0)
        self._events: list[Event] = []
        self._numbers, self._changed = itertools.count(), threading.Condition()
        self._writer, self._threads = ProcessPoolExecutor(1), ThreadPoolExecutor(AT_A_TIME)
        self._writer.submit(len, ()).result()  # the process starts, and imports what it needs
        self.worked = 0.0
        """Seconds in which slots had something to do."""
        threading.Thread(target=self._happen, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:  # noqa: ARG002
        """Begin a trial."""
        assignment, link = args
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        taken = self._seconds * float(self._draws.lognormal(-0.125, 0.5)) if self._seconds else 0.0
        self.worked += taken
        chance = float(self._draws.random())
        killed = chance < KILLED
        acts = [self._epoch(assignment, link, number) for number in range(1, EPOCHS + 1 - killed)]
        self._follow([*acts, self._end(assignment, future, chance)], taken / EPOCHS)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing runs that would have to be ended."""
        self._writer.shutdown(wait, cancel_futures=cancel_futures)
        self._threads.shutdown(wait, cancel_futures=cancel_futures)

    def _epoch(self, assignment: Assignment, link: Any, number: int) -> Callable[[], None]:
        return lambda: link.report(self._writer.submit(write_epoch, assignment.folder, number).result())

    def _end(self, assignment: Assignment, future: Future[Any], chance: float) -> Callable[[], None]:
        def end() -> None:
            if chance < KILLED:
                future.set_exception(ProcessEndedError(-signal.SIGKILL))
            elif chance < KILLED + FAILED:
                future.set_result(Failure(cause="bug", reason="ValueError: simulated"))
            else:
                status = "diverged" if chance < KILLED + FAILED + DIVERGED else "complete"
                future.set_result(self._writer.submit(write_end, assignment.folder, status).result())

        return end

    def _follow(self, acts: Sequence[Callable[[], None]], seconds: float) -> None:
        """Let one act happen after the other, so many seconds after the one before has come to its end."""

        def act() -> None:
            acts[0]()
            if acts[1:]:
                self._follow(acts[1:], seconds)

        with self._changed:
            heapq.heappush(self._events, Event(time.monotonic() + seconds, next(self._numbers), act))
            self._changed.notify()

    def _happen(self) -> None:
        while True:
            with self._changed:
                while not self._events or self._events[0].when > time.monotonic():
                    self._changed.wait(self._events[0].when - time.monotonic() if self._events else None)
                event = heapq.heappop(self._events)
            self._threads.submit(event.act)


@dataclass(slots=True)
class Looking(Audience):
    """Says nothing; looks at the driver each time so many trials have ended."""

    every: int
    ended: int = 0
    retried: int = 0
    looks: list[tuple[float, float, int]] = field(default_factory=list)
    """Seconds by the clock, of the driver's thread, and the process's memory in kB."""

    def launched(self, trial: Trial) -> None:
        """Say nothing."""

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Say nothing."""

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:  # noqa: ARG002 - as an audience is told
        """Count."""
        self.retried += 1

    def finished(self, trial: Trial, outcome: Outcome) -> None:  # noqa: ARG002 - as an audience is told
        """Count, and look."""
        self.ended += 1
        if self.ended % self.every == 0:
            self.look()

    def look(self) -> None:
        """Note where the driver is; to be called in its thread."""
        self.looks.append((time.perf_counter(), time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def run(place: Path, trials: int, slots: int, seconds: float) -> Figures:
    """Drive one study over the simulated cluster until all has arrived everywhere."""
    study, folder = begun(place, text_of(ARMS, trials // ARMS, EPOCHS))
    cluster, looking = SimulatedCluster(seconds), Looking(max(1, trials // 10))
    tracker = MlflowTracker(f"sqlite:///{place}/mlflow.db")
    with Shipping(tracker, study, note_of(folder, Stamp(versions={})), folder, print) as shipping, cluster:
        sampling = open_sampling(study, folder)
        looking.look()
        parts = Drive(
            folder=folder,
            sampling=sampling,
            machine=Machine(cluster, slots, place),
            execution=ExecutionPlan(keep="none"),
            run_trial=write_end,
            shipper=shipping,
            audience=looking,
            stop=StopRequest(),
        )
        assert drive(parts) == "complete"
        ended = time.perf_counter()
        assert shipping.wait()
        lag = time.perf_counter() - ended
    check(study, folder.records(), looking.ended)
    return figures(looking, cluster.worked / (slots * (ended - looking.looks[0][0])), lag)


def check(study: Study, records: Any, ended: int) -> None:
    """Every planned trial has one outcome, and none was told twice."""
    assert ended == len(records) == len(study.seed_blocks) * ARMS
    assert all(record.outcome is not None for record in records)


def figures(looking: Looking, worked: float, lag: float) -> Figures:
    """What was seen."""
    (begun, thread, _), (ended, thread_end, memory) = looking.looks[0], looking.looks[-1]
    steps = list(itertools.pairwise(looking.looks))
    each = [1000 * (after[1] - before[1]) / looking.every for before, after in steps]
    grown = (memory - looking.looks[1][2]) / max(1, looking.ended - looking.every)
    return {
        "trials": looking.ended,
        "attempts that were killed": looking.retried,
        "s": round(ended - begun, 1),
        "trials an hour": round(3600 * looking.ended / (ended - begun)),
        "% of the slots' time with work": round(100 * worked, 1),
        "% of the time in which the driver's thread computes": round(100 * (thread_end - thread) / (ended - begun), 1),
        "ms of processor time of the driver's thread a trial, by tenths": [round(one, 1) for one in each],
        "ms a trial by the clock, by tenths": [round(1000 * (b[0] - a[0]) / looking.every, 1) for a, b in steps],
        "MB of the driver at the end": round(memory / 1000),
        "kB a trial": round(grown, 1),
        "s that MLflow lags behind": round(lag, 1),
    }


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--slots", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=20.0, help="mean of a trial's own time")
    chosen = parser.parse_args()
    trials = 500 if chosen.quick else chosen.trials
    with tempfile.TemporaryDirectory() as place:
        found = run(Path(place), trials, chosen.slots, chosen.seconds)
    show({"machine": machine(), "slots": chosen.slots, "s of a trial": chosen.seconds} | found, chosen.json)


if __name__ == "__main__":
    main()
