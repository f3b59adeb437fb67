"""Attempts at a trial: what each came to, which of them count, and whether there is another.

An attempt counts only if it failed by itself and left no newer checkpoint. The driver's end, a stop and a signal from
outside never count, nor does a device that fails. Loads no torch.
"""

from __future__ import annotations

import contextlib
import uuid
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from ablation.durable import append_line, whole_lines, write_whole
from ablation.failures import Failure, ProcessEndedError, failure_of_process
from ablation.trial import Attempt, Outcome, Trial
from ablation.trial_files import ATTEMPT, read_outcome, remove_leftovers

RETRIES = 2


@dataclass(frozen=True, slots=True)
class Closed:
    """How an attempt ended."""

    result: Outcome | Failure | None
    """None: it was ended before it came to any."""
    again: bool
    """Whether the trial is to be tried again."""
    in_vain: bool
    """It was ended from outside, and left no newer checkpoint."""


def open_attempt(folder: Path, driver: str) -> str:
    """Note, before a launch, what the folder holds: what is newer afterwards is the attempt's.

    Gives the attempt's own token, made from that of its driver; empty where that is. Its worker asks by it whether the
    trial is still its own: a machine that was taken for lost may come back when the next attempt is under way.
    """
    token = driver and f"{driver}.{uuid.uuid4().hex[:12]}"
    write_whole(folder / ATTEMPT, f"{_position(folder)} {token}")
    return token


def close_attempt(folder: Path, trial: Trial, future: Future[Outcome | Failure | None] | None) -> Closed:
    """Record how an attempt ended; no future: the driver has ended it."""
    try:
        before = (folder / ATTEMPT).read_text().partition(" ")[0]
    except FileNotFoundError:  # another driver, or a person, was here: nothing is held against the trial
        before = ""
    result, outside = _result(folder, future)
    failed = isinstance(result, Failure)
    further = _position(folder) > before
    counts = failed and not outside and not further
    attempt = Attempt(
        ended="failed" if isinstance(result, Failure) else "stopped" if result is None else "complete",
        cause=result.cause if isinstance(result, Failure) else None,
        reason=result.reason if isinstance(result, Failure) else "",
        checkpoint=_position(folder),
        counts=counts,
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    append_line(folder / "attempts.jsonl", attempt.model_dump_json())
    (folder / ATTEMPT).unlink(missing_ok=True)
    again = isinstance(result, Failure) and _again(folder, trial, result)
    return Closed(result, again, in_vain=failed and outside and not further)


def attempts(folder: Path) -> list[Attempt]:
    """What was tried, in order. A line that a crash tore is left out, and does not count against the trial."""
    found = []
    for line in whole_lines(folder / "attempts.jsonl"):
        with contextlib.suppress(ValidationError):
            found.append(Attempt.model_validate_json(line))
    return found


def next_pieces(folder: Path) -> int:
    """In how many pieces the next attempt computes a batch: twice as many each time the device's memory ran out."""
    short = sum(attempt.cause == "device memory" for attempt in attempts(folder))
    return 1 << short


def _again(folder: Path, trial: Trial, failure: Failure) -> bool:
    if failure.cause == "device memory":
        return next_pieces(folder) <= trial.arm.settings.recipe.batch_size
    return failure.is_accident and sum(attempt.counts for attempt in attempts(folder)) <= RETRIES


def _result(folder: Path, future: Future[Outcome | Failure | None] | None) -> tuple[Outcome | Failure | None, bool]:
    """What came of an attempt, and whether that came from outside: somebody ended it, or the device failed."""
    if future is None:
        return None, True
    try:
        result = future.result()
        return result, isinstance(result, Failure) and result.blames_device
    except CancelledError:
        return None, True
    except ProcessEndedError as error:
        if (outcome := read_outcome(folder)) is not None:  # all that was left to do was to say so
            remove_leftovers(folder)
            return outcome, False
        failure = failure_of_process(error, folder / "log.txt")
        return failure, failure.cause == "killed" and error.from_outside
    except Exception as error:  # noqa: BLE001 - what an executor raises is the failure of this trial alone
        return Failure(cause="bug", reason=f"{type(error).__name__}: {error}"), False


def _position(folder: Path) -> str:
    """The name of the newest checkpoint, which tells epoch and step; empty without one."""
    return max((path.stem for path in folder.glob("checkpoint-*.pt")), default="")
