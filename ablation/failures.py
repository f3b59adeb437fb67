"""Why a trial failed: what an exception, the end of a process or a log says of the cause."""

from __future__ import annotations

import errno
import re
import signal
from pathlib import Path

from ablation.errors import AblationError, InputError
from ablation.settings import Frozen
from ablation.trial import ACCIDENTS, ATTEMPT_MARK, Cause, Said

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_DEVICE = re.compile(r"(?s)\b(CUDA|HIP|MPS|XPU)\b.*out of memory|\bCU(DNN|BLAS|FFT|SOLVER)_(STATUS_)?ALLOC_FAILED")
_BROKEN = re.compile(
    r"(CUDA|HIP) (driver )?error: .*(ECC|busy or unavailable|no (CUDA|ROCm)-capable device|hardware|NVLink"
    r"|unknown error|initialization error|not yet initialized|invalid device ordinal)|No (CUDA|HIP) GPUs are available"
)
_STICKY = re.compile(r"\b(CUDA|HIP) (driver )?error\b")
"""Whatever it was, the context of the process is lost to what comes after."""
_HOST = re.compile(r"can't allocate memory|std::bad_alloc")
_FROM_OUTSIDE: set[int] = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class ProcessEndedError(AblationError):
    """The process that ran a trial ended by itself, or was ended; negative exit codes are signals."""

    process_exit_code: int | None
    silent: bool
    """It was ended because it gave no sign of life."""
    memory_ran_out: bool
    """The system that it ran on killed a process for want of memory meanwhile."""

    def __init__(self, exit_code: int | None, *, silent: bool = False, memory_ran_out: bool = False) -> None:
        ended = "was ended, for it gave no sign of life" if silent else f"ended by itself ({_ending(exit_code)})"
        super().__init__(f"the worker process {ended}")
        self.process_exit_code, self.silent, self.memory_ran_out = exit_code, silent, memory_ran_out

    @property
    def from_outside(self) -> bool:
        """Whether somebody ended the process: that is no failing of what it ran."""
        code = self.process_exit_code
        return code is not None and code < 0 and -code in _FROM_OUTSIDE


class PlaceLostError(ProcessEndedError):
    """The machine that a process ran on is gone, or does not answer. What came of the process is not known."""

    def __init__(self, place: str) -> None:
        super().__init__(None)
        self.args = (f"{place} is lost: it is gone, or does not answer",)

    @property
    def from_outside(self) -> bool:
        """Always."""
        return True


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
        return self.cause in ("device memory", "host memory", "device") or bool(_STICKY.search(self.reason))

    @property
    def blames_device(self) -> bool:
        """Whether the device failed rather than what ran on it."""
        return self.cause == "device"


def failure_of(error: BaseException, folder: Path | None = None) -> Failure:
    """What an exception inside a trial comes to; in its `folder` a file that may not be written is the disk's fault."""
    return Failure(cause=_cause(error, folder), reason=f"{type(error).__name__}: {error}")


def _cause(error: BaseException, folder: Path | None) -> Cause:
    if isinstance(error, InputError):
        return "input"
    # Known by name, for this file loads no torch; what the libraries under it want for comes as a RuntimeError.
    if type(error).__name__ == "OutOfMemoryError" or (isinstance(error, RuntimeError) and _DEVICE.search(str(error))):
        return "device memory"
    if isinstance(error, RuntimeError) and _BROKEN.search(str(error)):
        return "device"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _HOST.search(str(error))):
        return "host memory"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return "host memory"
    if isinstance(error, OSError) and (error.errno in _DISK or _is_forbidden(error, folder)):
        return "disk"
    return "bug"


def _is_forbidden(error: OSError, folder: Path | None) -> bool:
    """Whether permission was lacking in this folder: elsewhere that is a mistake of whoever named the file."""
    named = Path(error.filename).absolute() if isinstance(error.filename, str | Path) else None
    return bool(isinstance(error, PermissionError) and folder and named and named.is_relative_to(folder.absolute()))


def failure_of_process(error: ProcessEndedError, log: Path) -> Failure:
    """What the end of a worker's process comes to."""
    if isinstance(error, PlaceLostError):
        return Failure(cause="killed", reason=str(error))
    if error.silent:
        return Failure(cause="hang", reason=str(error))
    if hung(log):
        return Failure(cause="hang", reason="no step was made for the time that execution.hang_seconds allows")
    if error.process_exit_code == -signal.SIGKILL and error.memory_ran_out:
        ended = _ending(error.process_exit_code)
        return Failure(cause="host memory", reason=f"the system killed the process for want of memory ({ended})")
    return Failure(cause="killed", reason=str(error))


def hung(log: Path) -> bool:
    """Whether the watchdog ended the last attempt: `faulthandler` leaves its mark and the stack in the log."""
    if not log.exists():
        return False
    last = log.read_text(errors="replace").rpartition(ATTEMPT_MARK)[2]
    return any(line.startswith("Timeout (") for line in last.splitlines())


def memory_kills(root: Path = Path("/")) -> int:
    """How many processes the system has killed for want of memory since it started; 0 where it does not tell.

    Of this process's control group where the system has them (version 2), else of the whole machine.
    """
    group = _counters(root / "proc/self/cgroup", "::").get("0")
    events = {} if group is None else _counters(root / "sys/fs/cgroup" / group.lstrip("/") / "memory.events")
    return int(events.get("oom_kill") or _counters(root / "proc/vmstat").get("oom_kill") or 0)


def _counters(file: Path, separator: str = " ") -> dict[str, str]:
    """The lines of a file by their first words; none where there is no such file."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    return {name: value for name, _, value in (line.partition(separator) for line in lines)}


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
