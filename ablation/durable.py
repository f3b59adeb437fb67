"""Files that survive a crash: written whole or not at all, or appended a line at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from ablation.faults import point

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO}
"""Full, over a quota, over a size limit, read-only, not allowed, broken."""

_SQLITE_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


UNFINISHED = ".part"
"""How a file ends that is being written; one that a crash left may go."""


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace the file at once: a reader sees the old content or the new, also after a crash."""
    data = content.encode() if isinstance(content, str) else content
    # Drawn, since on a shared disk a process of the same number may write the same file from another machine.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{UNFINISHED}")
    try:
        with temporary.open("wb", buffering=0) as file:
            _write(file, data)
        point("file written")
        temporary.replace(path)
        point("file replaced")
    except BaseException:
        # On a full disk half a file would take the room that the next try needs.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush_names(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, so that a crash leaves each of them or none below it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    flush_names(path.parent)


def move(path: Path, to: Path) -> None:
    """Move a file to another folder. A crash leaves it in one of them at least; a missing one is left out."""
    try:
        path.replace(to)
    except FileNotFoundError:
        return
    flush_names(to.parent)
    flush_names(path.parent)


def append_line(path: Path, line: str) -> None:
    """Add one line, flushed to the disk. A line that a crash tore off is ended first, so that no other is spoilt.

    Where the disk takes only a part of the line, that part is taken back.
    """
    with path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and not _ends_with_newline(file.fileno(), size)
        try:
            _write(file, (b"\n" if torn else b"") + line.encode() + b"\n")
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
    if size == 0:
        flush_names(path.parent)
    point("line appended")


def whole_lines(path: Path) -> Iterator[str]:
    """The lines of a file that end; a torn last line is left out, and a missing file has none."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        if line.strip():
            yield line.decode("utf-8", errors="replace")


def disk_failure(error: BaseException) -> OSError | sqlite3.Error | None:
    """What the disk refused, where that is an exception or stands behind it; else None.

    Knows the errors of the system and of SQLite. An `OSError` may concern any file, such as a data set that may not be
    read.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _DISK:
            return seen
        if isinstance(seen, sqlite3.Error) and getattr(seen, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DISK:
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _write(file: FileIO, data: bytes) -> None:
    """All of it, to the disk; the system may take it in pieces."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def _ends_with_newline(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"


def flush_names(folder: Path) -> None:
    """Make the names in a folder durable; systems that cannot open a directory do it by themselves."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
