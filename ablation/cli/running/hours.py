"""`--max-hours`: a run is over before the hour, its report and its tracker included."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from ablation.cli.signals import leave
from ablation.errors import PausedError
from ablation.processes import age

RESERVE = 20.0
"""Seconds before the hour at which trials are asked to stop: for their checkpoints, the report and the tracker. Of less
than 40 seconds it is half."""

LAST_RESORT = 2.0
"""Seconds before the hour at which the command is left as it stands, where it has not come to its end."""

OVER = "the time of --max-hours is over; the study is left as it is. Run the same command again to go on."


def end_of(max_hours: float | None) -> float | None:
    """When the hour is over, in the terms of `time.monotonic`, counted from the start of this process."""
    return None if max_hours is None else time.monotonic() - age() + 3600 * max_hours


def deadline_of(max_hours: float | None) -> float | None:
    """When trials are asked to stop."""
    end = end_of(max_hours)
    return None if end is None or max_hours is None else end - min(RESERVE, 1800 * max_hours)


@contextlib.contextmanager
def over_by(max_hours: float | None) -> Iterator[None]:
    """Leave what still goes on when the hour is over: a study may be killed at any moment. 0 hours launch nothing."""
    if not max_hours:
        yield
        return
    left = max(0.0, (end_of(max_hours) or 0.0) - LAST_RESORT - time.monotonic())
    last = threading.Timer(left, leave, (PausedError.exit_code, OVER))
    last.daemon = True
    last.start()
    try:
        yield
    finally:
        last.cancel()
