"""One driver a study: a lock of the operating system, and a record of who holds it.

The system frees the lock when its process ends, however it ends. Between machines that share a disk the lock may not
reach: there the record counts, whose time stamp is renewed while its driver lives. Its age is taken by the clock of
the file system, which stamps the files of all machines, so that it does not matter how their own clocks differ.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import NonNegativeInt, ValidationError

from ablation.durable import write_whole
from ablation.errors import StudyLockedError
from ablation.processes import birth, is_alive, terminate
from ablation.settings import Frozen

LOCK, RECORD, REQUEST = "driver.lock", "driver.json", "driver.stop"

Alarm = Literal["taken over", "asked to stop"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that the drivers of a study agree on."""

    look: float = 2.0
    """Between two looks of a driver at its record, and at whether it is asked to stop."""
    renew: float = 30.0
    """Between two signs of life."""
    silence: float = 120.0
    """Without a sign of life a driver on another machine counts as gone."""
    leave: float = 10.0
    """How long a driver that was asked to stop is waited for."""


PACE = Pace()


class Holder(Frozen):
    """The driver of a study, as its record names it."""

    host: str
    process: NonNegativeInt
    """0 where it is not known."""
    began: str
    """When the process began, so that another one of the same number is not taken for it."""
    since: str
    """UTC, ISO 8601."""
    token: str
    """Its own, so that each driver knows its record from another's."""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}" if self.process else "another process"


_UNKNOWN = Holder(host="", process=0, began="", since="", token="")
"""Whoever has the lock and has not written its record yet, or no longer has one."""


def holder_of(folder: Path, here: str | None = None, pace: Pace = PACE) -> Holder | None:
    """Who drives the study of a run folder at this moment; None where nobody does. `here`: the name of this machine."""
    recorded = _recorded(folder)
    if recorded is not None and _counts(folder, recorded, here or platform.node(), pace):
        return recorded
    if not (folder / LOCK).exists():
        return None
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _recorded(folder) or _UNKNOWN
    except OSError:  # a folder that nothing can be written to is driven by nobody
        return None
    lock.release()
    return None


@contextlib.contextmanager
def hold(
    folder: Path,
    take_over: bool = False,
    alarm: Callable[[Alarm], None] = lambda _: None,
    here: str | None = None,
    pace: Pace = PACE,
) -> Iterator[Holding]:
    """Hold a study as its one driver.

    `take_over`: ask another driver to leave, and take its place even where it does not answer. `alarm` is called in a
    thread of its own when another driver has taken over, and when somebody asks this one to stop.

    Raises:
        StudyLockedError: another driver holds it; at the end, another driver has taken over meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = here or platform.node()
    present = holder_of(folder, here, pace) if take_over else None
    if present is not None:
        ask_to_stop(folder, present, here)
        wait_until_left(folder, present, here, pace)
    lock, contested = _seize(folder, take_over, here, pace)
    try:
        with Holding(folder, _myself(here), alarm, pace) as holding:
            if contested:
                # The other driver, if it lives, notices within a look and ends its workers at once; a suspended
                # one is kept out by its fence. Of two that take over at once the later one stays.
                holding.lost.wait(2 * pace.look)
                holding.check()
            yield holding
            holding.check()
    finally:
        lock.release()


@contextlib.contextmanager
def lock_alone(folder: Path) -> Iterator[None]:
    """Hold a study by the system's lock without a record, which on a full disk would find no room.

    Raises:
        StudyLockedError: a driver holds it.
    """
    lock, _ = _seize(folder, False, platform.node(), PACE)
    try:
        yield
    finally:
        lock.release()


def _seize(folder: Path, take_over: bool, here: str, pace: Pace) -> tuple[FileLock, bool]:
    """The lock, and whether it was taken from a driver that may live."""
    recorded = _recorded(folder)
    counts = recorded is not None and _counts(folder, recorded, here, pace)
    if counts and not take_over:
        raise _held(folder, recorded)
    may_live = counts or (recorded is not None and recorded.host != here)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        silent = may_live and _recorded(folder) == recorded
        if not take_over and not silent:
            raise _held(folder, _recorded(folder)) from None
        # Held by a driver that does not answer, or for a machine that is gone: a new file is a new lock.
        (folder / LOCK).unlink(missing_ok=True)
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            raise _held(folder, _recorded(folder)) from None
        return lock, True
    return lock, may_live


def _held(folder: Path, holder: Holder | None) -> StudyLockedError:
    return StudyLockedError(
        f"{folder} is being run by {holder or _UNKNOWN}. Wait for it, end it with `ablate stop {folder}`, or take its "
        "place with `ablate run --take-over`."
    )


def _myself(here: str) -> Holder:
    return Holder(
        host=here,
        process=os.getpid(),
        began=birth(os.getpid()) or "",
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        token=uuid.uuid4().hex,
    )


def _recorded(folder: Path) -> Holder | None:
    try:
        return Holder.model_validate_json((folder / RECORD).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _counts(folder: Path, holder: Holder, here: str, pace: Pace) -> bool:
    """Whether a recorded driver must be taken to live."""
    if holder.host == here:
        return is_alive(holder.process, holder.began)
    return _age(folder) < pace.silence


def _age(folder: Path) -> float:
    """Seconds since the record's last renewal."""
    try:
        with (folder / RECORD).open("rb") as file:  # opened, since a network file system may answer `stat` from memory
            renewed = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return float("inf")
    return file_system_time(folder) - renewed


def file_system_time(folder: Path) -> float:
    """The time by the clock that stamps the files of a folder; our own where nothing can be written there."""
    probe = folder / f".{RECORD}.{uuid.uuid4().hex}.now"
    try:
        probe.touch()
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink()
    except OSError:  # nothing can be written there, so nobody is about to take over either
        return time.time()


class Holding:
    """A study held by this process. A thread gives signs of life, and sees what others want."""

    def __init__(self, folder: Path, holder: Holder, alarm: Callable[[Alarm], None], pace: Pace) -> None:
        self.lost = threading.Event()
        """Another driver has taken over: this one must stop."""
        self.stop_requested = threading.Event()
        """Somebody asks this driver to stop."""
        self._folder, self._holder, self._alarm, self._pace = folder, holder, alarm, pace
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="holding", daemon=True)
        (folder / REQUEST).unlink(missing_ok=True)
        self._write()

    @property
    def token(self) -> str:
        """This driver's own."""
        return self._holder.token

    def __enter__(self) -> Holding:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join(self._pace.leave)
        with contextlib.suppress(OSError):
            if self._other() is None:
                (self._folder / RECORD).unlink(missing_ok=True)
                (self._folder / REQUEST).unlink(missing_ok=True)

    def check(self) -> None:
        """Raise StudyLockedError where another driver has taken over."""
        other = self._other()
        if self.lost.is_set() or other is not None:
            raise StudyLockedError(f"{self._folder} was taken over by {other or _UNKNOWN}; this driver has stopped.")

    def _write(self) -> None:
        write_whole(self._folder / RECORD, self._holder.model_dump_json())
        self._renewed = time.monotonic()

    def _other(self) -> Holder | None:
        """The driver that has taken over, None where none has."""
        recorded = _recorded(self._folder)
        return recorded if recorded is not None and recorded.token != self._holder.token else None

    def _watch(self) -> None:
        while not self.lost.is_set() and not self._ended.wait(self._pace.look):
            with contextlib.suppress(OSError):  # a disk that does not answer: the next look may reach it again
                self._look()

    def _look(self) -> None:
        if self._other() is not None:
            self.lost.set()
            self._alarm("taken over")
            return
        if not (self._folder / RECORD).exists():  # removed by hand
            self._write()
        if time.monotonic() - self._renewed >= self._pace.renew:
            # The stamp alone: the record itself is never written twice, and so never over that of another driver.
            os.utime(self._folder / RECORD)
            self._renewed = time.monotonic()
        with contextlib.suppress(FileNotFoundError):
            if (self._folder / REQUEST).read_text() == self._holder.token and not self.stop_requested.is_set():
                self.stop_requested.set()
                self._alarm("asked to stop")


def ask_to_stop(folder: Path, holder: Holder, here: str | None = None) -> None:
    """Ask a driver to stop: by SIGTERM on this machine, by a file that it looks for on another."""
    if holder.host != (here or platform.node()) or not terminate(holder.process, holder.began):
        write_whole(folder / REQUEST, holder.token)


def wait_until_left(folder: Path, holder: Holder, here: str | None = None, pace: Pace = PACE) -> bool:
    """Whether a driver has left before its time is over."""
    deadline = time.monotonic() + pace.leave
    while (present := holder_of(folder, here, pace)) is not None and present.token == holder.token:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)  # from one machine to another nothing tells of a change
    return True
