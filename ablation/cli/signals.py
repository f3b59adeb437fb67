"""Ctrl-C and SIGTERM: the first asks the study to stop, the second ends it at once; both leave a state that goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from ablation.stopping import STOPPING, StopRequest

if TYPE_CHECKING:
    from ablation.holding import Alarm

_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


LAST_RESORT = 4.5
"""Seconds after the first signal at which the command is left as it stands, where it has not come to its end."""


_SHOW_CURSOR = "\x1b[?25h"


class Ended(BaseException):
    """A second signal, or the first one where nothing can stop by itself."""


def heed(stop: StopRequest) -> Callable[[Alarm], None]:
    """What a driver does when another takes over, and when somebody elsewhere asks it to stop: as after a signal."""

    def on_alarm(why: Alarm) -> None:
        if why == "taken over":
            stop.ask("taken over")
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    return on_alarm


@contextlib.contextmanager
def interruptible(stop: StopRequest | None = None) -> Iterator[None]:
    """Exit with 130 after Ctrl-C and 143 after SIGTERM. With a stop request the first signal only asks."""
    received: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
        received.append(number)
        if len(received) == 1:  # an exception may be lost, in a library or in a finalizer
            last = threading.Timer(LAST_RESORT, _interrupted, [number, stop])
            last.daemon = True
            last.start()
        if stop is None or not stop.driven or len(received) > 1:
            raise Ended
        stop.ask("signal")
        if not stop.shown:
            write(STOPPING)

    before = {number: signal.signal(number, on_signal) for number in _EXIT_CODES}
    try:
        with contextlib.suppress(Ended):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        _interrupted(received[0], stop)


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """While packages are imported a signal ends the command at once: in an import an exception may get lost."""
    before = {number: signal.signal(number, lambda number, _: _interrupted(number)) for number in _EXIT_CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupted(number: int, stop: StopRequest | None = None) -> None:
    if stop is not None and stop.shown:  # what draws did not come to its end
        write(_SHOW_CURSOR)
    leave(_EXIT_CODES[signal.Signals(number)], "interrupted; run the same command again to go on.")


def leave(code: int, text: str) -> None:
    """End the process with a last word. All that matters is on the disk; taking all down one by one takes seconds."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(RuntimeError, OSError):  # in the middle of being written to, or gone
            stream.flush()
    write(text)
    os._exit(code)


def write(text: str) -> None:
    """One line on stderr, also in the middle of another one's printing, which would begin that line anew."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())
