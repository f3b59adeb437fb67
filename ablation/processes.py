"""Processes of this machine, told apart by when they began: a number alone may belong to another one by now."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_TELLS = Path("/proc/self/stat")


def birth(process: int) -> str | None:
    """When a living process began, in the kernel's own count; empty where the system does not tell.

    None where it is gone, or has ended and waits to be reaped.
    """
    if not _TELLS.exists():
        return "" if _answers(process) else None
    try:
        # The second field is the program's name, which may hold spaces and brackets.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, began = fields[0], fields[19]
    return None if state in "ZX" else began


def age() -> float:
    """Seconds since this process began; 0 where the system does not tell."""
    began = birth(os.getpid())
    if not began:
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(began) / os.sysconf("SC_CLK_TCK"))


def is_alive(process: int, began: str) -> bool:
    """Whether the process that began then still runs."""
    return process > 0 and birth(process) == began


def terminate(process: int, began: str) -> bool:
    """Send SIGTERM to this very process. False where it is gone, hidden, or another user's."""
    if process <= 0:  # to the system these stand for groups of processes
        return False
    try:
        if not hasattr(os, "pidfd_open"):
            if is_alive(process, began):
                os.kill(process, signal.SIGTERM)
                return True
            return False
        # What is opened stays the same process, whatever ends and begins between the question and the signal.
        descriptor = os.pidfd_open(process)
        try:
            if not is_alive(process, began):
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        finally:
            os.close(descriptor)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _answers(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and another user's
        return True
    return True
