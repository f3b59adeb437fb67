"""Data files cut short or with flipped bits: read as they are, or refused by their name, whatever byte it is."""

import hashlib
import io
import json
import pickle
import random
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from ablation.datasets.svhn import read_matrices
from ablation.errors import InputError
from ablation.sources.cifar_batches import read_batches
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Remote
from ablation.sources.encoded import Frame
from ablation.sources.idx_files import read_idx
from ablation.sources.image_folders import read_folders
from ablation.sources.parquet_files import Columns, find_class_names, read_parquet
from ablation.splits import LabelledImages, Splits, fingerprint_of

SIDE = 8
IMAGES = np.random.default_rng(5).integers(0, 256, size=(6, SIDE, SIDE, 3), dtype=np.uint8)
LABELS = np.arange(6, dtype=np.int64) % 2


EXACT, FITTED = Frame(SIDE, exact=True), Frame(SIDE)
COLUMNS = Columns("img", "label")


def encoded(image: NDArray[np.uint8], kind: str) -> bytes:
    """With what a camera writes beside the pixels: there, too, a bit may be wrong."""
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.fromarray(image).save(out, kind, **({} if kind in ("BMP", "PPM") else {"exif": exif}))
    return out.getvalue()


def parquet_file(compression: str) -> bytes:
    out = io.BytesIO()
    images = [{"bytes": encoded(image, "PNG"), "path": "x"} for image in IMAGES]
    table = pa.table({"img": images, "label": LABELS})
    names = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(names)}), out, compression=compression)
    return out.getvalue()


def batch_file(protocol: int) -> bytes:
    return pickle.dumps({"data": IMAGES.reshape(6, -1), "labels": LABELS.tolist()}, protocol)


def read_batch(path: Path) -> LabelledImages:
    """As if the damaged file were the published one: the checksum, which would refuse it first, is its own."""
    return read_batches(path.parent, {path.name: hashlib.md5(path.read_bytes()).hexdigest()}, SIDE)


def idx_file() -> bytes:
    return struct.pack(">HBBIII", 0, 8, 3, 18, SIDE, SIDE) + IMAGES.transpose(0, 3, 1, 2).tobytes()


def read_idx_file(path: Path) -> LabelledImages:
    images = read_idx(path, Remote("https://x/another.gz", "", 0), (18, SIDE, SIDE))
    return LabelledImages(np.repeat(images[:, np.newaxis], 3, axis=1), np.zeros(len(images), np.int64))


def matrices(compressed: bool) -> bytes:
    out = io.BytesIO()
    images = np.zeros((32, 32, 3, 6), np.uint8)
    images[:SIDE, :SIDE] = IMAGES.transpose(1, 2, 3, 0)
    savemat(out, {"X": images, "y": LABELS[:, np.newaxis].astype(np.uint8) + 1}, do_compression=compressed)
    return out.getvalue()


def read_svhn(path: Path) -> LabelledImages:
    part = read_matrices(path, hashlib.sha256(path.read_bytes()).hexdigest())
    return LabelledImages(part.images[:, :, :SIDE, :SIDE], part.labels)


def read_image(path: Path, frame: Frame = FITTED) -> LabelledImages:
    return read_folders(path.parent.parent, [path], [path.parent.name], frame)


def read_rows(path: Path) -> LabelledImages:
    classes = find_class_names([path], COLUMNS)
    return read_parquet([path], COLUMNS, len(classes), FITTED)


Reader = Callable[[Path], LabelledImages]
FILES: dict[str, tuple[bytes, Reader]] = {
    "plain parquet": (parquet_file("none"), lambda path: read_parquet([path], COLUMNS, 2, EXACT)),
    "packed parquet": (parquet_file("snappy"), read_rows),
    "PNG": (encoded(IMAGES[0], "PNG"), partial(read_image, frame=EXACT)),
    "JPEG": (encoded(IMAGES[0], "JPEG"), partial(read_image, frame=EXACT)),
    **{f"any {kind}": (encoded(IMAGES[0], kind), read_image) for kind in ("PNG", "JPEG", "WEBP", "BMP")},
    "batch": (batch_file(2), read_batch),
    "later batch": (batch_file(5), read_batch),
    "IDX": (idx_file(), read_idx_file),
    "matrices": (matrices(compressed=False), read_svhn),
    "packed matrices": (matrices(compressed=True), read_svhn),
}


def damaged(content: bytes, draw: random.Random, flips: int = 150) -> Iterator[bytes]:
    yield from (content[: len(content) * part // 25] for part in range(25))
    for _ in range(flips):
        at = draw.randrange(len(content))
        yield content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]
    yield from (b"\0" * len(content), content[::-1], content + content)


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_is_read_or_named(kind: str, tmp_path: Path) -> None:
    content, read = FILES[kind]
    path, refused = tmp_path / "train-00000.bin", 0
    for bad in damaged(content, random.Random(kind)):
        path.write_bytes(bad)
        try:
            part = read(path)
        except InputError as error:
            refused += str(path) in str(error)
        else:
            assert part.images.shape[1:] == (3, SIDE, SIDE)
            assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
    assert refused >= 20


def test_a_damaged_cache_gives_what_was_decoded_or_is_made_again(tmp_path: Path) -> None:
    part = LabelledImages(np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2)), LABELS)
    splits = Splits(part, part, ("a", "b"), fingerprint_of(part, part, ("a", "b")))
    source = tmp_path / "source"
    source.write_bytes(b"x")
    load_or_decode(tmp_path, "toy", [source], lambda: splits)
    (entry,) = (path for path in (tmp_path / "decoded").iterdir() if path.is_dir())
    draw, made_again = random.Random(7), 0

    def decode() -> Splits:
        nonlocal made_again
        made_again += 1
        return splits

    for name in ("train-images.npy", "train-labels.npy", "content.json"):
        content = (entry / name).read_bytes()
        head = content[:128] if name.endswith("npy") else content
        for bad in damaged(head, draw, 10):
            (entry / name).write_bytes(bad[: len(head)] + content[len(head) :])
            found = load_or_decode(tmp_path, "toy", [source], decode)
            assert found.train.images.shape == part.images.shape, bad
            assert found.train.labels.shape == part.labels.shape, bad
            (entry / name).unlink()
            (entry / name).write_bytes(content)
    assert made_again > 60
