"""What `ablate doctor` says of one thing: how it stands, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]

MOST_APART = 5.0
"""Seconds between two clocks at which times of one study begin to look wrong."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. A warning leaves a study possible, a problem does not."""

    about: str
    state: State
    found: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def compare_clocks(whose: str, ahead: float) -> Check:
    """A clock that is so many seconds ahead of this machine's."""
    apart = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) < MOST_APART:
        return Check("clock", "ok", f"{whose}: within {MOST_APART:g} s of this machine's")
    return Check(
        "clock",
        "warning",
        f"{whose}: {apart}",
        "Set both machines' clocks by NTP. No result depends on it, but times in MLflow and Optuna will not agree.",
    )
