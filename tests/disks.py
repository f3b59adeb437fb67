"""Small and read-only disks by real means: file systems in memory, mounted for a test."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of so many bytes (`2m`) at `place`; skips the test where mounting is not allowed."""
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "small-disk", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A disk of `small_disk` that takes no writing for a while. Modes of a directory would not stop root."""
    _mount("-o", "remount,ro", str(place))
    try:
        yield
    finally:
        _mount("-o", "remount,rw", str(place))


def fill(place: Path, leave: int = 0) -> Path:
    """Write a file until the disk is full, then give so many bytes back. Returns the file."""
    file = place / "fills the disk"
    with file.open("ab", buffering=0) as stream:
        with contextlib.suppress(OSError):
            while True:
                stream.write(bytes(4096))
        stream.truncate(max(0, stream.tell() - leave))
    return file


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
