import contextlib
import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import fill, read_only, small_disk

from ablation.durable import UNFINISHED, append_line, disk_failure, make_folder, move, whole_lines, write_whole


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "256k") as place:
        yield place


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "outcome ü.json"
    write_whole(file, "first")
    write_whole(file, b"second")
    assert file.read_text() == "second"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outcome.json"
    write_whole(file, "first")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "second")
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert list(whole_lines(file)) == []
    for line in ("one", "zwei ü", "three"):
        append_line(file, line)
    assert list(whole_lines(file)) == ["one", "zwei ü", "three"]


@pytest.mark.parametrize("torn", [b"t", b"thre", b"three"])
def test_a_torn_last_line_is_left_out_and_spoils_no_other(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "events.jsonl"
    append_line(file, "one")
    with file.open("ab") as stream:
        stream.write(torn)
    assert list(whole_lines(file)) == ["one"]
    append_line(file, "two")
    assert list(whole_lines(file)) == ["one", torn.decode(), "two"]


def test_what_does_not_fit_leaves_the_old_content_and_no_room_is_lost(disk: Path) -> None:
    file = disk / "outcome.json"
    write_whole(file, "first")
    with pytest.raises(OSError, match="No space") as caught:
        write_whole(file, bytes(2**20))
    assert disk_failure(caught.value)
    assert list(disk.iterdir()) == [file]
    assert file.read_text() == "first"
    write_whole(file, bytes(2**17))


def test_a_line_that_does_not_fit_is_taken_back(disk: Path) -> None:
    file = disk / "events.jsonl"
    append_line(file, "one")
    filling = fill(disk)
    with pytest.raises(OSError, match="No space"):
        append_line(file, "x" * 20_000)
    assert file.read_bytes() == b"one\n"
    filling.unlink()
    append_line(file, "two")
    assert file.read_bytes() == b"one\ntwo\n"


def test_a_read_only_disk_is_told_apart(disk: Path) -> None:
    write_whole(disk / "outcome.json", "first")
    with read_only(disk), pytest.raises(OSError, match="Read-only") as caught:
        write_whole(disk / "outcome.json", "second")
    assert disk_failure(caught.value) is caught.value
    assert [path.name for path in disk.iterdir()] == ["outcome.json"]


def test_a_limit_on_the_size_of_files_is_one_of_the_disk(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            write_whole(tmp_path / "weights.pt", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert disk_failure(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_full_database_is_one_of_the_disk_behind_any_error(disk: Path) -> None:
    with contextlib.closing(sqlite3.connect(disk / "study.db")) as database:
        database.execute("create table trials (text)")
        fill(disk)
        with pytest.raises(sqlite3.Error) as caught:
            database.executescript(f"insert into trials values ('{'x' * 2**18}'); commit")
    wrapped = RuntimeError("the storage failed")
    wrapped.__cause__ = caught.value
    assert str(disk_failure(wrapped)) == "database or disk is full"


@pytest.mark.parametrize("error", [ValueError("full"), FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))])
def test_other_errors_are_none_of_the_disk(error: Exception) -> None:
    assert disk_failure(error) is None


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose names were made durable."""
    found: list[Path] = []
    monkeypatch.setattr("ablation.durable.flush_names", found.append)
    return found


def test_new_names_are_made_durable(tmp_path: Path, flushed: list[Path]) -> None:
    make_folder(tmp_path / "trials" / "one")
    assert flushed == [tmp_path, tmp_path / "trials"]
    make_folder(tmp_path / "trials" / "one")
    file = tmp_path / "trials" / "one" / "events.jsonl"
    append_line(file, "first")
    append_line(file, "second")
    assert flushed[2:] == [file.parent]
    move(file, tmp_path / "events.jsonl")
    assert flushed[3:] == [tmp_path, file.parent]
    move(file, tmp_path / "events.jsonl")  # which is gone
    assert len(flushed) == 5
    assert (tmp_path / "events.jsonl").read_text() == "first\nsecond\n"


def test_two_processes_of_one_number_do_not_write_the_same_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = set[str]()
    monkeypatch.setattr("ablation.durable.point", lambda name: written.update(path.name for path in tmp_path.iterdir()))
    for _ in range(2):
        write_whole(tmp_path / "outcome.json", "")
    temporary = {name for name in written if name.endswith(UNFINISHED)}
    assert len(temporary) == 2
    assert all(name.startswith(".outcome.json.") for name in temporary)
