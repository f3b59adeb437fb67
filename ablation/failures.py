"""Why a trial failed: what an exception, the end of a process or a log says of the cause."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

from ablation.errors import AblationError, InputError
from ablation.settings import Frozen
from ablation.trial import ACCIDENTS, ATTEMPT_MARK, Cause, Said

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_FROM_OUTSIDE: set[int] = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class ProcessEndedError(AblationError):
    """The process that ran a trial ended by itself, or was ended; negative exit codes are signals."""

    process_exit_code: int | None
    silent: bool
    """It was ended because it gave no sign of life."""

    def __init__(self, exit_code: int | None, *, silent: bool = False) -> None:
        ended = "was ended, for it gave no sign of life" if silent else f"ended by itself ({_ending(exit_code)})"
        super().__init__(f"the worker process {ended}")
        self.process_exit_code, self.silent = exit_code, silent


class Failure(Frozen):
    """An attempt that failed, before anybody has decided whether there is another."""

    cause: Cause
    reason: Said

    @property
    def is_accident(self) -> bool:
        """Whether another attempt may succeed."""
        return self.cause in ACCIDENTS

    @property
    def spoils_process(self) -> bool:
        """Whether the process must not run another trial: its memory, or its device's, may be in pieces."""
        return self.cause in ("device memory", "host memory")


def failure_of(error: BaseException) -> Failure:
    """What an exception inside a trial comes to."""
    return Failure(cause=_cause(error), reason=f"{type(error).__name__}: {error}")


def _cause(error: BaseException) -> Cause:
    if isinstance(error, InputError):
        return "input"
    if type(error).__name__ == "OutOfMemoryError":  # torch's, known here by name: this file loads no torch
        return "device memory"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "host memory"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.errno in _DISK:
        return "disk"
    return "bug"


def failure_of_process(exit_code: int | None, log: Path, memory_ran_out: bool) -> Failure:
    """What the end of a worker's process comes to.

    `memory_ran_out`: the system killed a process for memory meanwhile.
    """
    if hung(log):
        return Failure(cause="hang", reason="no step was made for the time that execution.hang_seconds allows")
    ended = _ending(exit_code)
    if exit_code == -signal.SIGKILL and memory_ran_out:
        return Failure(cause="host memory", reason=f"the system killed the process for want of memory ({ended})")
    return Failure(cause="killed", reason=f"the worker process ended by itself ({ended})")


def came_from_outside(exit_code: int | None) -> bool:
    """Whether somebody ended the process: that is no failing of the trial's."""
    return exit_code is not None and exit_code < 0 and -exit_code in _FROM_OUTSIDE


def hung(log: Path) -> bool:
    """Whether the watchdog ended the last attempt: `faulthandler` leaves its mark and the stack in the log."""
    if not log.exists():
        return False
    last = log.read_text(errors="replace").rpartition(ATTEMPT_MARK)[2]
    return any(line.startswith("Timeout (") for line in last.splitlines())


def memory_kills() -> int:
    """How many processes the system has killed for want of memory since it started; 0 where it does not tell."""
    counters = Path("/proc/vmstat")
    if counters.exists():
        for line in counters.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
