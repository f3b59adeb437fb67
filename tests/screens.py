"""Commands on a real pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest


class Screen:
    """A command that runs on a terminal of its own, 100 columns wide unless it is told otherwise."""

    def __init__(self, command: Sequence[str], cwd: Path, columns: int = 100, rows: int = 30, **env: str) -> None:
        pyte = pytest.importorskip("pyte", reason="pyte is not installed")
        self._screen: Any = pyte.Screen(columns, rows)
        self._stream: Any = pyte.ByteStream(self._screen)
        self.raw, self.code = b"", None
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            os.chdir(cwd)
            sizes = ("COLUMNS", "LINES")  # else they would count for more than the window
            own = {name: value for name, value in os.environ.items() if name not in sizes}
            os.execve(command[0], command, own | {"TERM": "xterm-256color", "NO_COLOR": ""} | env)
        self.resize(columns, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            os.kill(self.process, 9)
            os.waitpid(self.process, 0)
        os.close(self._terminal)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window, as a person who drags its corner."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def press(self, keys: bytes) -> None:
        """Type something: `\\x03` is Ctrl-C."""
        os.write(self._terminal, keys)

    @property
    def lines(self) -> list[str]:
        """What stands there, without the empty end of the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def hides_cursor(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def until(self, seen: Callable[[str], object], seconds: float = 120) -> str:
        """Read on until the screen shows it, and give the screen; looked at only between two drawings of it."""
        deadline = time.monotonic() + seconds
        while True:
            assert time.monotonic() < deadline, self.text
            if not self._is_quiet():
                assert self._read(0.0), f"the command has ended:\n{self.text}"
            elif seen(text := self.text):
                return text

    def end(self, seconds: float = 120) -> int:
        """Read on until the command ends; its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.05):
            assert time.monotonic() < deadline, self.text
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return self.code

    def _is_quiet(self) -> bool:
        """Whether nothing comes for a moment."""
        return not select.select([self._terminal], [], [], 0.1)[0]

    def _read(self, seconds: float) -> bool:
        """Whether the command may say more."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


def ablate_on_screen(*arguments: str, cwd: Path, columns: int = 100, rows: int = 30, **env: str) -> Screen:
    """`ablate` with these arguments, as a person starts it."""
    return Screen([sys.executable, "-m", "ablation", *arguments], cwd, columns, rows, **env)
