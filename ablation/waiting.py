"""Trials that wait for another attempt. One that is ended from outside again and again waits longer each time."""

from __future__ import annotations

import time
from collections import Counter

from ablation.trial import Trial

MOST = 10
"""Ends from outside without a newer checkpoint after which a trial is left for the next run of the study."""

FIRST, LONGEST = 1.0, 60.0
"""Seconds between two such ends: none after the first, then `FIRST`, then twice as many each time."""


class Waiting:
    """The trials of one run of a study that are to be tried again."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, Trial]] = {}
        self._in_vain: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._due)

    def add(self, trial: Trial, in_vain: bool) -> float:
        """Let a trial wait. `in_vain`: it was ended from outside and left no newer checkpoint. The seconds until then.

        They are infinite where it has been in vain too often.
        """
        times = self._in_vain[trial.id] = self._in_vain[trial.id] + 1 if in_vain else 0
        seconds = 0.0 if times < 2 else float("inf") if times >= MOST else min(LONGEST, FIRST * 2 ** (times - 2))
        self._due[trial.id] = (time.monotonic() + seconds, trial)
        return seconds

    def take(self) -> Trial | None:
        """The trial that has waited longest of those whose time has come."""
        due, trial = min(self._due.values(), key=lambda pair: pair[0], default=(float("inf"), None))
        if trial is None or due > time.monotonic():
            return None
        del self._due[trial.id]
        return trial

    def next(self) -> float:
        """When the next one's time comes, in the terms of `time.monotonic`; infinite where that of none does."""
        return min((due for due, _ in self._due.values()), default=float("inf"))

    def left(self) -> tuple[str, ...]:
        """The names of those that wait."""
        return tuple(self._due)
