"""An append-only index of outcomes: how many trials ended, and how, without opening the files of each.

A line vouches for a trial's files in the state that they had: the times of their last change and their sizes. Where
they are in another one, or a crash tore the line, the files themselves are read: what the index says is never wrong,
at worst it says nothing. So a line is not flushed to the disk. Only the driver writes; whoever wants to, reads.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ablation.trial import Status

FILES = ("trial.json", "outcome.json")
State = tuple[int, ...]
"""Of each file the nanoseconds of its last change, and its bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a trial ended, and the state of the files that say so."""

    status: Status
    state: State


def state_of(place: str | Path) -> State | None:
    """The state of a trial's files, None where one of them is missing."""
    try:
        states = [os.stat(f"{place}/{name}") for name in FILES]  # noqa: PTH116 - ten thousand paths would be slower
    except OSError:
        return None
    return tuple(number for each in states for number in (each.st_mtime_ns, each.st_size))


def read(index: Path) -> Mapping[str, Entry]:
    """What the index says of each trial, by its id; of several lines the last one counts."""
    found: dict[str, Entry] = {}
    try:
        lines = index.read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):  # a line that a crash tore
            trial, status, *state = json.loads(line)
            found[str(trial)] = Entry(status, tuple(state))
    return found


def note(index: Path, place: Path, status: Status) -> None:
    """Add a line for a trial whose outcome is durable. Its files come from no other hand at this moment."""
    state = state_of(place)
    if state is not None:
        with index.open("a", encoding="utf-8") as file:
            file.write(json.dumps([place.name, status, *state]) + "\n")
