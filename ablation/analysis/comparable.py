"""Whose costs may be held against each other: seconds, images a second and memory hang on more than the arm.

One rule for findings, for the report's cost figure and for `ablate compare`: only trials that ran under the same
circumstances are compared. Parameters are counted, and the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ablation.trial import Stamp

_AND = "; "
_UNKNOWN_SLOTS = "an unknown number side by side"
_USUAL = ("batches whole", "steps not compiled")
"""What goes without saying."""


def circumstances(stamp: Stamp | None) -> str:
    """All that a trial's cost depends on beside its arm; empty where nothing is known of it."""
    if stamp is None:
        return ""
    beside = stamp.slots if stamp.busy is None else stamp.busy
    parts = (
        stamp.device.replace(_AND, ", ") or "an unknown device",
        f"{_counted(stamp.threads, 'thread')} a trial",
        _UNKNOWN_SLOTS if beside is None else f"{beside} side by side",
        f"batches in {stamp.pieces} pieces" if stamp.pieces > 1 else _USUAL[0],
        "steps compiled" if stamp.compiled else _USUAL[1],
    )
    return _AND.join(parts)


def alike(found: Collection[str]) -> bool:
    """Whether trials of these circumstances may be compared: known, and the same. An empty one is taken on trust."""
    return len(set(found)) == 1 and not any(map(is_unknown, found))


def is_unknown(found: str) -> bool:
    """Whether they were recorded without something that costs hang on."""
    return _UNKNOWN_SLOTS in found


def in_words(found: str) -> str:
    """`Xeon with 1 thread a trial, 2 side by side`."""
    if not found:
        return "something unknown"
    device, *rest = (part for part in found.split(_AND) if part not in _USUAL)
    return f"{device} with {', '.join(rest)}"


def apart(found: Iterable[str]) -> str:
    """Only what tells them apart: `2 side by side or 4 side by side`."""
    texts = sorted(set(found))
    shared = set.intersection(*(set(text.split(_AND)) for text in texts))
    told = (", ".join(part for part in text.split(_AND) if part not in shared) or in_words(text) for text in texts)
    return " or ".join(told)


@dataclass(frozen=True, slots=True)
class Comparable:
    """Of the trials whose costs are told side by side: those that ran alike, as far as there are others."""

    circumstances: str
    note: str
    """Whose costs are not among them, and why; empty where all ran alike."""


def most_comparable(trials: Sequence[tuple[str, str]]) -> Comparable:
    """Of trials, each by its arm and its circumstances, the circumstances that most arms share, in most trials."""
    counts = Counter(found for _, found in trials if not is_unknown(found))
    if not counts:
        return Comparable("", _left_out([found for _, found in trials], "") if trials else "")
    arms = Counter(found for _, found in set(trials))
    kept = max(counts, key=lambda found: (arms[found], counts[found]))
    return Comparable(kept, _left_out([found for _, found in trials if found != kept], kept))


def _left_out(others: Sequence[str], kept: str) -> str:
    if not others:
        return ""
    told = f"Times and memory of {_counted(len(others), 'trial')} are not comparable"
    if not kept:
        return f"{told}: it is not known how many trials ran side by side."
    return f"{told} with those of the others, and left out: {apart([kept, *others])}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
