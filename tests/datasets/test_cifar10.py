"""The readers on tiny real files of every layout, and the whole way on the real data where ABLATE_DATA names them."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from https_site import tar_gz
from numpy.typing import NDArray
from PIL import Image

from ablation.datasets import cifar10
from ablation.errors import AblationError, InputError
from ablation.sources.downloads import Archive
from ablation.splits import LabelledImages, Splits

Write = Callable[[Path, str, LabelledImages], None]


def made(count: int, seed: int) -> LabelledImages:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, size=(count, 3, 32, 32), dtype=np.uint8)
    return LabelledImages(images, rng.permutation(np.arange(count, dtype=np.int64) % 10))


TRAIN, TEST = made(30, seed=1), made(20, seed=2)


def png(image: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(out, "PNG")
    return out.getvalue()


def write_parquet(path: Path, part: LabelledImages) -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": png(image), "path": f"{number}.png"} for number, image in enumerate(part.images)]
    pq.write_table(pa.table({"img": pa.array(rows, image), "label": pa.array(part.labels)}), path)


def write_shards(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first, second = (LabelledImages(TRAIN.images[rows], TRAIN.labels[rows]) for rows in (slice(17), slice(17, None)))
    write_parquet(folder / "train-00000-of-00002.parquet", first)
    write_parquet(folder / "train-00001-of-00002.parquet", second)
    write_parquet(folder / "test-00000-of-00001.parquet", TEST)


def write_folders(folder: Path) -> None:
    for split, part in (("train", TRAIN), ("test", TEST)):
        for number, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            path = folder / split / cifar10.CLASSES[label] / f"{number:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(image))


def batch(part: LabelledImages) -> bytes:
    """A pickle as Python 2 wrote the official ones, byte strings and all; Python 3 cannot write its like."""

    def text(content: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(content)) + content

    labels = b"](" + b"".join(b"K" + bytes([label]) for label in part.labels.tolist()) + b"e"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff"
    shape = b"(J" + struct.pack("<i", len(part)) + b"J" + struct.pack("<i", 3072) + b"t"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    data = array + b"(K\x01" + shape + dtype + b"K\x00tb" + b"\x89" + text(part.images.tobytes()) + b"tb"
    items = {b"batch_label": text(b"one of one"), b"labels": labels, b"data": data}
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in items.items()) + b"u."


def batch_files() -> dict[str, bytes]:
    first, second = (LabelledImages(TRAIN.images[rows], TRAIN.labels[rows]) for rows in (slice(17), slice(17, None)))
    return {"data_batch_1": batch(first), "data_batch_2": batch(second), "test_batch": batch(TEST)}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Tiny official batches, with their MD5 sums in place of the real ones."""
    files = batch_files()
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(cifar10, "TRAIN_BATCHES", {name: sums[name] for name in ("data_batch_1", "data_batch_2")})
    monkeypatch.setattr(cifar10, "TEST_BATCHES", {"test_batch": sums["test_batch"]})
    return files


def write_batches(folder: Path) -> None:
    folder = folder / "cifar-10-batches-py"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in batch_files().items():
        (folder / name).write_bytes(content)


def archive_of(sha256: str) -> Archive:
    """At an address where nobody listens."""
    return Archive(
        "https://127.0.0.1:1/cifar.tar.gz", sha256, 1, "cifar-10-batches-py", tuple(batch_files()), unpacked=200_000
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the user's cache, and none goes to the network."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ABLATE_CACHE", str(folder))
    monkeypatch.setattr(cifar10, "ARCHIVE", archive_of("0" * 64))
    return folder


def by_class(part: LabelledImages) -> list[tuple[int, bytes]]:
    return sorted(zip(part.labels.tolist(), (image.tobytes() for image in part.images), strict=True))


def assert_is_ours(splits: Splits) -> None:
    assert by_class(splits.train) == by_class(TRAIN)
    assert by_class(splits.test) == by_class(TEST)
    assert splits.classes == cifar10.CLASSES
    assert splits.train.images.dtype == np.uint8
    assert splits.train.labels.dtype == np.int64


WRITERS = [write_batches, write_shards, write_folders]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("inside", [".", "cifar10", "Größe 日本 [x]/cifar10"])
def test_every_layout_gives_the_same_images(
    tmp_path: Path, published: dict[str, bytes], write: Callable[[Path], None], inside: str
) -> None:
    write(tmp_path / inside)
    root = tmp_path / inside
    splits = cifar10.build(root.parent if root.name == "cifar10" else root)
    assert_is_ours(splits)
    assert isinstance(splits.train.images, np.memmap)


def test_batches_and_parquet_have_one_fingerprint(tmp_path: Path, published: dict[str, bytes]) -> None:
    write_batches(tmp_path / "a")
    write_shards(tmp_path / "b")
    assert cifar10.build(tmp_path / "a").fingerprint == cifar10.build(tmp_path / "b").fingerprint


def test_root_and_files_may_be_links(tmp_path: Path) -> None:
    write_shards(tmp_path / "blobs")
    links = tmp_path / "snapshot"
    links.mkdir()
    for path in (tmp_path / "blobs").iterdir():
        (links / path.name).symlink_to(path)
    (tmp_path / "root").symlink_to(links)
    assert_is_ours(cifar10.build(tmp_path / "root"))


def test_second_build_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shards(tmp_path)
    first = cifar10.build(tmp_path)
    monkeypatch.setattr(cifar10, "whole", None)  # what decoding ends with
    assert cifar10.build(tmp_path).fingerprint == first.fingerprint


def test_sizes_draw_each_class_evenly_and_the_same_every_time(tmp_path: Path) -> None:
    write_shards(tmp_path)
    splits = cifar10.build(tmp_path, train_size=20, test_size=10)
    assert np.bincount(splits.train.labels).tolist() == [2] * 10
    assert np.bincount(splits.test.labels).tolist() == [1] * 10
    assert set(by_class(splits.train)) < set(by_class(TRAIN))
    assert splits.fingerprint == cifar10.build(tmp_path, train_size=20, test_size=10).fingerprint
    whole = cifar10.build(tmp_path)
    assert splits.fingerprint != whole.fingerprint
    assert cifar10.build(tmp_path, train_size=30, test_size=20).fingerprint == whole.fingerprint


@pytest.mark.parametrize("choices", [{"train_size": 31}, {"test_size": 21}, {"train_size": 9}])
def test_impossible_sizes_are_named(tmp_path: Path, choices: dict[str, int]) -> None:
    write_shards(tmp_path)
    with pytest.raises(InputError, match=rf"{next(iter(choices))} is \d+; give 10 "):
        cifar10.build(tmp_path, **choices)


def test_hidden_files_are_no_images(tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "train" / "cat" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "train" / ".cache").mkdir()
    assert_is_ours(cifar10.build(tmp_path))


def test_another_data_set_in_root_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "train" / "rose").mkdir(parents=True)
    with pytest.raises(AblationError, match="three ways out"):
        cifar10.build(tmp_path)


def test_missing_split_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(InputError, match=r"no test-\*\.parquet; both splits are needed"):
        cifar10.build(tmp_path)


def test_missing_class_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path)
    rest = TEST.labels != 3
    write_parquet(tmp_path / "test-00000-of-00001.parquet", LabelledImages(TEST.images[rest], TEST.labels[rest]))
    with pytest.raises(InputError, match="no test image is of the class cat"):
        cifar10.build(tmp_path)


def test_dangling_link_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "test" / "frog" / "gone.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"cannot be read: .*gone\.png"):
        cifar10.build(tmp_path)


def test_strange_and_missing_folders_are_named(tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "train" / "lion").mkdir()
    with pytest.raises(InputError, match="'lion' is none of them"):
        cifar10.build(tmp_path)
    (tmp_path / "train" / "lion").rmdir()
    (tmp_path / "test").rename(tmp_path / "validation")
    with pytest.raises(InputError, match=r"test is to hold one folder a class .*; 'airplane' is missing"):
        cifar10.build(tmp_path)


def test_altered_batch_is_not_opened(tmp_path: Path, published: dict[str, bytes]) -> None:
    write_batches(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_2"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(InputError, match="data_batch_2: its md5 is"):
        cifar10.build(tmp_path)


def test_missing_batch_is_named(tmp_path: Path, published: dict[str, bytes]) -> None:
    write_batches(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "test_batch").unlink()
    with pytest.raises(InputError, match=r"test_batch is missing; delete .*cifar-10-batches-py to download it again"):
        cifar10.build(tmp_path)


def test_archive_lying_there_is_used_offline(
    tmp_path: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tar_gz({f"cifar-10-batches-py/{name}": content for name, content in published.items()})
    (tmp_path / "cifar.tar.gz").write_bytes(content)
    monkeypatch.setattr(cifar10, "ARCHIVE", archive_of(hashlib.sha256(content).hexdigest()))
    assert_is_ours(cifar10.build(tmp_path))


def test_missing_and_offline_tells_three_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(AblationError) as error:
        cifar10.build(tmp_path / "data")
    message = str(error.value)
    assert error.value.exit_code == 5
    assert str(tmp_path / "data") in message
    for way in ("put it there", "--data-dir or ABLATE_DATA", "go online", "https://127.0.0.1:1/cifar.tar.gz"):
        assert way in message


def test_root_that_cannot_be_written_tells_the_ways_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AblationError, match=r"(?s)cannot write to .*three ways out"):
        cifar10.build(tmp_path / "file" / "data")


def test_importing_loads_nothing_heavy() -> None:
    heavy = ("torch", "torchvision", "sklearn", "pyarrow", "PIL", "scipy", "pandas")
    script = (
        "import importlib, sys; from ablation import components\n"
        "for name in components.names('dataset'): importlib.import_module(f'ablation.datasets.{name}')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.skipif(not os.environ.get("ABLATE_DATA"), reason="ABLATE_DATA does not name a folder with CIFAR-10")
def test_real_images(own_cache: Path) -> None:
    splits = cifar10.build(Path(os.environ["ABLATE_DATA"]))
    assert splits.extent == cifar10.extent()
    assert splits.train.images.shape == (50_000, 3, 32, 32)
    assert np.bincount(splits.test.labels).tolist() == [1000] * 10
    assert splits.train.images.mean(axis=(0, 2, 3)) / 255 == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.002)
