"""A stop, asked for once: by a signal, a deadline, a failure, or another driver. Nothing is launched after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

STOPPING = "stopping: running trials write a checkpoint; once more ends them at once."
"""What a person is told after the first signal."""

Why = Literal["signal", "deadline", "failure", "taken over"]


@dataclass(slots=True)
class StopRequest:
    """Safe to ask from a signal handler and from any thread: it sets a flag and wakes the driver."""

    why: Why | None = None
    driven: bool = False
    """Whether a driver listens."""
    shown: bool = False
    """Whether a table is drawn on the terminal that tells of it, and hides the cursor."""
    wake: Callable[[], None] = lambda: None

    @property
    def requested(self) -> bool:
        """Whether a stop was asked for."""
        return self.why is not None

    def look(self) -> None:
        """Let the driver look at what else has changed."""
        self.wake()

    def ask(self, why: Why) -> None:
        """Ask the driver to stop; a second time changes nothing."""
        if self.why is None:
            self.why = why
            self.wake()
