from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ablation.errors import InputError
from ablation.sources.decoded import load_or_decode
from ablation.splits import LabelledImages, Splits, fingerprint_of


def splits_of(value: int) -> Splits:
    train, test = (
        LabelledImages(np.full((count, 1, 2, 2), value, np.uint8), np.arange(count, dtype=np.int64)) for count in (4, 3)
    )
    return Splits(train, test, ("a", "b"), fingerprint_of(train, test, ("a", "b")))


class Decoder:
    """Decodes a file to images filled with its first byte, and counts how often."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.calls = 0

    def __call__(self) -> Splits:
        self.calls += 1
        return splits_of(self.source.read_bytes()[0])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source with space, ü"
    path.write_bytes(b"\x07")
    return path


def entry_of(cache: Path) -> Path:
    (entry,) = (path for path in (cache / "decoded").iterdir() if path.is_dir())
    return entry


def test_decodes_once_and_maps_what_was_decoded(tmp_path: Path, source: Path) -> None:
    decode = Decoder(source)
    first = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    second = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert decode.calls == 1
    for splits in (first, second):
        assert isinstance(splits.train.images, np.memmap)
        assert not splits.train.images.flags.writeable
        assert splits.train.images.dtype == np.uint8
        np.testing.assert_array_equal(splits.train.images, splits_of(7).train.images)
        np.testing.assert_array_equal(splits.test.labels, [0, 1, 2])
        assert (splits.classes, splits.fingerprint) == (("a", "b"), splits_of(7).fingerprint)


def edit(source: Path) -> None:
    source.write_bytes(b"\x08")


def edit_and_set_the_clock_back(source: Path) -> None:
    before = source.stat()
    source.write_bytes(b"\x08")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(source: Path) -> None:
    other = source.with_name("other")
    other.write_bytes(b"\x08")
    other.replace(source)


@pytest.mark.parametrize("change", [edit, edit_and_set_the_clock_back, replace])
def test_changed_source_is_decoded_again(tmp_path: Path, source: Path, change: Callable[[Path], None]) -> None:
    decode = Decoder(source)
    old = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    change(source)
    new = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert (old.train.images[0, 0, 0, 0], new.train.images[0, 0, 0, 0]) == (7, 8)
    assert new.fingerprint != old.fingerprint


@pytest.mark.parametrize(
    "file", ["content.json", "train-images.npy", "train-labels.npy", "test-images.npy", "test-labels.npy"]
)
@pytest.mark.parametrize("damage", ["cut", "emptied", "deleted"])
def test_damaged_entry_is_made_again(tmp_path: Path, source: Path, file: str, damage: str) -> None:
    decode = Decoder(source)
    load_or_decode(tmp_path / "cache", "toy", [source], decode)
    path = entry_of(tmp_path / "cache") / file
    if damage == "deleted":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1 if damage == "cut" else 0)
    mended = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert decode.calls == 2
    np.testing.assert_array_equal(mended.train.images, splits_of(7).train.images)
    load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert decode.calls == 2


def test_what_a_killed_process_left_is_replaced(tmp_path: Path, source: Path) -> None:
    decode = Decoder(source)
    load_or_decode(tmp_path / "cache", "toy", [source], decode)
    entry = entry_of(tmp_path / "cache")
    (entry / "content.json").unlink()
    entry.rename(entry.with_name(f"{entry.name}.partial"))
    load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert decode.calls == 2
    assert entry_of(tmp_path / "cache") == entry


def test_open_maps_outlive_their_entry(tmp_path: Path, source: Path) -> None:
    decode = Decoder(source)
    first = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    (entry_of(tmp_path / "cache") / "content.json").unlink()
    load_or_decode(tmp_path / "cache", "toy", [source], decode)
    np.testing.assert_array_equal(first.train.images, splits_of(7).train.images)


def test_failed_decoding_leaves_no_entry(tmp_path: Path, source: Path) -> None:
    def fail() -> Splits:
        raise InputError("row 3 is broken")

    with pytest.raises(InputError, match="row 3"):
        load_or_decode(tmp_path / "cache", "toy", [source], fail)
    assert load_or_decode(tmp_path / "cache", "toy", [source], Decoder(source)).fingerprint == splits_of(7).fingerprint


def test_cache_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    splits = load_or_decode(blocked / "cache", "toy", [source], Decoder(source))
    assert splits.fingerprint == splits_of(7).fingerprint
    assert "ABLATE_CACHE" in caplog.text


def test_full_disk_costs_a_warning(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    decode = Decoder(source)
    splits = load_or_decode(tmp_path / "cache", "toy", [source], decode)
    assert splits.fingerprint == splits_of(7).fingerprint
    assert decode.calls == 1
    assert "No space left" in caplog.text
    assert [path for path in (tmp_path / "cache" / "decoded").iterdir() if path.is_dir()] == []


def test_two_processes_decode_once(tmp_path: Path, source: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from ablation.sources.decoded import load_or_decode; from ablation.splits import *\n"
        "cache, source, log = map(Path, sys.argv[1:])\n"
        "def decode():\n"
        "    with log.open('a') as out: out.write('decoded\\n')\n"
        "    part = LabelledImages(np.zeros((20000, 3, 32, 32), np.uint8), np.zeros(20000, np.int64))\n"
        "    return Splits(part, part, ('a',), fingerprint_of(part, part, ('a',)))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(load_or_decode(cache, 'toy', [source], decode).train.images.shape)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), str(source), str(tmp_path / "log")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert answers == ["(20000, 3, 32, 32)"] * 2
    assert (tmp_path / "log").read_text() == "decoded\n"
