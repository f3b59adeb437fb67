"""The findings so far, for a person who watches a run. Marked provisional wherever they stand, and never in the way.

To load pandas and scipy and analyse takes a second or two of a core. So a process of its own does it, which gives way
to the trials, and so seldom that it takes a fiftieth of the time at most. What goes wrong in it leaves the findings of
before, or none: the run does not know of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SHARE = 0.02
"""Of a core's time that goes into findings so far, at most."""

_FIRST_COST = 1.5
"""Seconds of a core that the first ones are taken to cost; later ones cost what those before did."""


@dataclass(frozen=True, slots=True)
class Told:
    """Findings, and of how many trials."""

    rows: Sequence[Sequence[str]]
    """As `ablation.cli.display.provisional` gives them."""
    ended: int


class SoFar:
    """Asked again and again; begins an analysis when it is time, and knows the last one that came to its end."""

    def __init__(self, folder: Path, share: float = SHARE) -> None:
        self._folder, self._share = folder, share
        self._due = time.monotonic() + _FIRST_COST / share
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: IO[bytes] | None = None
        self._ended = 0
        self.told: Told | None = None

    def look(self, ended: int) -> Told | None:
        """The newest findings; `ended` trials have an outcome by now. Waits for nothing."""
        if self._process is not None and self._process.poll() is not None:
            self._read(self._process.returncode)
        if self._process is None and ended > self._ended and time.monotonic() >= self._due:
            self._begin(ended)
        return self.told

    def close(self) -> None:
        """End an analysis that is under way: nobody asks any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._answer is not None:
            self._answer.close()

    def _begin(self, ended: int) -> None:
        self._ended = ended
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115 - read and closed once the process has ended
        with contextlib.suppress(OSError):  # no memory for one more process: the trials need it more
            self._process = subprocess.Popen(  # noqa: S603 - this very Python, and a module of this package
                [sys.executable, "-P", "-m", "ablation.cli.display.provisional", str(self._folder.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=self._answer,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the driver, which ends this one
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        self._due = time.monotonic() + _FIRST_COST / self._share

    def _read(self, code: int) -> None:
        self._process = None
        assert self._answer is not None, "opened with the process"
        with self._answer as answer, contextlib.suppress(ValueError, KeyError):
            if code == 0:
                answer.seek(0)
                found = json.loads(answer.read())
                self.told = Told(found["rows"], self._ended)
                self._due = time.monotonic() + found["cost"] / self._share
