"""The driver's side of the guardian, which leaves no orphan behind a driver that was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading

from ablation.executors import guardian


class Guard:
    """Worker processes, each the leader of a group of its own, none of which outlives this process.

    Where the system knows no groups, workers end by themselves when they see that their driver is gone.
    """

    def __init__(self) -> None:
        self._lock, self._watched = threading.Lock(), set[int]()
        self._guardian: subprocess.Popen[bytes] | None = None

    def watch(self, leader: int) -> None:
        """From now on the group ends with this process. The guardian is started with the first."""
        with self._lock:
            if self._guardian is None and hasattr(os, "killpg"):
                # In a session of its own, so that a signal to the driver's group does not end it.
                self._guardian = subprocess.Popen(  # noqa: S603 - this very Python, and a file of this package
                    [sys.executable, "-I", "-S", guardian.__file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
                self._guardian.wait()  # it goes on as nobody's child
            self._watched.add(leader)
            self._tell(f"+{leader}\n")

    def end(self, leader: int) -> None:
        """End what is left of a group now."""
        with self._lock:
            if leader in self._watched:
                self._watched.discard(leader)
                if hasattr(os, "killpg"):
                    guardian.end_group(leader)
                self._tell(f"-{leader}\n")

    def close(self) -> None:
        """End every group that is left, and the guardian."""
        for leader in tuple(self._watched):
            self.end(leader)
        with self._lock:
            if self._guardian is not None and self._guardian.stdin is not None:
                with contextlib.suppress(OSError):
                    self._guardian.stdin.close()
                self._guardian = None

    def _tell(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            with contextlib.suppress(OSError):  # somebody has ended the guardian; workers also look for themselves
                self._guardian.stdin.write(line.encode())
                self._guardian.stdin.flush()
