"""Images stored as PNG or JPEG, in Parquet files or in one folder a class.

Decoding is done in one thread: 60,000 images of 32 x 32 pixels take 6 s, once a machine; two and four threads took as
long, since at this size the interpreter is the bound and not the decoder.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ablation.errors import InputError
from ablation.splits import LabelledImages

if TYPE_CHECKING:
    import pyarrow as pa

_FORMATS = ("JPEG", "PNG")
_MODES = ("RGB", "L", "P")
_SHARD = re.compile(r"-(\d+)-of-(\d+)\.parquet$")

_Encoded = tuple[str, bytes, int]
"""Where an image comes from, its bytes, its class."""


def find_shards(folder: Path, split: str) -> tuple[Path, ...]:
    """The files `split-*.parquet`, in order. InputError where their names tell that some are missing."""
    shards = tuple(sorted(path for path in folder.glob(f"{split}-*.parquet") if path.is_file()))
    numbers = [match.groups() for path in shards if (match := _SHARD.search(path.name))]
    for total in {total for _, total in numbers}:
        there = {int(number) for number, of in numbers if of == total}
        if len(there) < int(total):
            missing = next(number for number in range(int(total)) if number not in there)
            raise InputError(f"{folder}: number {missing} of the files {split}-*-of-{total}.parquet is missing")
    return shards


def find_images(folder: Path, classes: Sequence[str]) -> tuple[Path, ...]:
    """The files `folder/<class>/*` in the order of classes and names, hidden ones left out.

    InputError where a folder of a class is missing or another one stands there.
    """
    found = {path.name for path in _visible(folder) if path.is_dir()} if folder.is_dir() else set()
    strange, missing = sorted(found - set(classes)), sorted(set(classes) - found)
    if strange or missing:
        wrong = f"{strange[0]!r} is none of them" if strange else f"{missing[0]!r} is missing"
        raise InputError(f"{folder} is to hold one folder a class ({', '.join(classes)}); {wrong}")
    return tuple(path for name in classes for path in _visible(folder / name))


def read_parquet(shards: Iterable[Path], num_classes: int, side: int) -> LabelledImages:
    """The images of Parquet files with the columns `img` {bytes, path} and `label`, as Hugging Face writes them.

    InputError, with the name of the file, where one is damaged or holds something else.
    """
    tables = [(path, _read_shard(path)) for path in shards]
    rows = (row for path, table in tables for row in _rows(path, table, num_classes))
    return _decode_all(rows, sum(table.num_rows for _, table in tables), side)


def read_folders(paths: Sequence[Path], classes: Sequence[str], side: int) -> LabelledImages:
    """Images whose class is the name of their folder. InputError, with the name of the file, where one is damaged."""
    return _decode_all(_files(paths, classes), len(paths), side)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _files(paths: Iterable[Path], classes: Sequence[str]) -> Iterator[_Encoded]:
    for path in paths:
        try:
            yield str(path), path.read_bytes(), classes.index(path.parent.name)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error}") from error


def _read_shard(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as stream, pq.ParquetFile(stream, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            if not {"img", "label"} <= set(schema.names):
                raise InputError(f"{path} has the columns {', '.join(schema.names)}; it needs img and label")
            image = schema.field("img").type
            fields = {field.name: field.type for field in image} if pa.types.is_struct(image) else {}
            if fields.get("bytes") not in (pa.binary(), pa.large_binary()):
                raise InputError(
                    f"{path}: the column img is {image}; it needs to be struct<bytes: binary, path: string>"
                )
            if not pa.types.is_integer(schema.field("label").type):
                raise InputError(f"{path}: the column label is {schema.field('label').type}; it needs to be an integer")
            return file.read(["img", "label"])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error


def _rows(path: Path, table: pa.Table, num_classes: int) -> Iterator[_Encoded]:
    import pyarrow.compute as pc

    contents = pc.struct_field(table["img"], "bytes").to_pylist()
    for number, (content, label) in enumerate(zip(contents, table["label"].to_pylist(), strict=True)):
        where = f"{path}, row {number}"
        if label is None or not 0 <= label < num_classes:
            raise InputError(f"{where}: the label is {label}; it needs to be 0 to {num_classes - 1}")
        if content is None:
            raise InputError(f"{where} has no image; the bytes need to be in the file, not only a path")
        yield where, content, label


def _decode_all(items: Iterable[_Encoded], count: int, side: int) -> LabelledImages:
    images = np.empty((count, side, side, 3), np.uint8)
    labels = np.empty(count, np.int64)
    for number, (where, encoded, label) in enumerate(items):
        images[number] = _decode(where, encoded, side)
        labels[number] = label
    return LabelledImages(np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels)


def _decode(where: str, encoded: bytes, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """One image as H x W x 3. The size is checked before anything is decompressed."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
            if image.size != (side, side):
                raise InputError(
                    f"{where}: the image is {image.width} x {image.height}; it needs to be {side} x {side}"
                )
            if image.mode not in _MODES:
                raise InputError(f"{where}: the image is {image.mode}; it needs to be {', '.join(_MODES)}")
            return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise InputError(f"{where} cannot be read as PNG or JPEG: {error}") from error
