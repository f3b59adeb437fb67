"""Images in Parquet files, as Hugging Face writes them: a column of encoded images and one of class numbers."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablation.errors import InputError
from ablation.sources.encoded import Encoded, Frame, decode_all
from ablation.splits import LabelledImages

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_SHARD = re.compile(r"-(\d+)-of-(\d+)\.parquet$")
_ROWS = 256
"""How many images are read at a time, so that a file of any size fits the memory."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the column of images, {bytes, path} or bytes alone, and of that of class numbers."""

    image: str
    label: str


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


def find_class_names(shards: Sequence[Path], columns: Columns) -> tuple[str, ...]:
    """The names of the classes, which Hugging Face keeps with the schema; else their numbers, from 0 to the greatest.

    InputError where files name other classes than the first, or a number is missing or negative.
    """
    named = {}
    for path in shards:
        with _opened(path, columns) as file:
            named[path] = _names_in(file.schema_arrow, columns.label)
    first, *others = named
    for path in others:
        if named[path] != named[first]:
            raise InputError(f"{path} names other classes than {first}, or in another order")
    return named[first] or tuple(map(str, range(_count_classes(shards, columns))))


def read_parquet(shards: Sequence[Path], columns: Columns, num_classes: int, frame: Frame) -> LabelledImages:
    """The images of Parquet files. InputError, with the name of the file, where one is damaged or holds else."""
    labels = [_labels(path, columns, num_classes) for path in shards]
    rows = (row for path, each in zip(shards, labels, strict=True) for row in _rows(path, columns, each))
    return decode_all(rows, sum(map(len, labels)), frame)


@contextlib.contextmanager
def _opened(path: Path, columns: Columns) -> Iterator[pq.ParquetFile]:
    """A file that has the columns; what is wrong with it is an InputError, now or when its rows are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as stream, pq.ParquetFile(stream, page_checksum_verification=True) as file:
            _check_schema(path, file.schema_arrow, columns)
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error


def _check_schema(path: Path, schema: pa.Schema, columns: Columns) -> None:
    import pyarrow as pa

    if not {columns.image, columns.label} <= set(schema.names):
        has = ", ".join(schema.names)
        raise InputError(f"{path} has the columns {has}; it needs {columns.image} and {columns.label}")
    image, label = schema.field(columns.image).type, schema.field(columns.label).type
    fields = {field.name: field.type for field in image} if pa.types.is_struct(image) else {"bytes": image}
    if fields.get("bytes") not in (pa.binary(), pa.large_binary()):
        needed = "struct<bytes: binary, path: string> or binary"
        raise InputError(f"{path}: the column {columns.image} is {image}; it needs to be {needed}")
    if not pa.types.is_integer(label):
        raise InputError(f"{path}: the column {columns.label} is {label}; it needs to be an integer")


def _names_in(schema: pa.Schema, label: str) -> tuple[str, ...] | None:
    """The class names in what Hugging Face's `datasets` writes beside a schema; None where there are none."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    usable = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    return tuple(names) if usable and len(set(names)) == len(names) > 0 else None


def _count_classes(shards: Sequence[Path], columns: Columns) -> int:
    """One more than the greatest class number."""
    labels = [label for path in shards for label in _labels(path, columns, None)]
    greatest = max(labels, default=-1)
    if greatest >= len(labels):
        column = f"the column {columns.label} goes up to {greatest:,}, in {len(labels):,} rows"
        raise InputError(f"{shards[0].parent}: {column}; class numbers are to begin at 0 and leave none out")
    return greatest + 1


def _labels(path: Path, columns: Columns, num_classes: int | None) -> list[int]:
    """The class numbers of a file, each checked; any from 0 where the number of classes is not known."""
    with _opened(path, columns) as file:
        labels: list[int | None] = file.read([columns.label])[columns.label].to_pylist()
    allowed = "0 or more" if num_classes is None else f"0 to {num_classes - 1}"
    checked = []
    for number, label in enumerate(labels):
        if label is None or label < 0 or (num_classes is not None and label >= num_classes):
            raise InputError(f"{path}, row {number}: the label is {label}; it needs to be {allowed}")
        checked.append(label)
    return checked


def _rows(path: Path, columns: Columns, labels: Sequence[int]) -> Iterator[Encoded]:
    with _opened(path, columns) as file:
        for (number, content), label in zip(enumerate(_contents(file, columns)), labels, strict=True):
            where = f"{path}, row {number}"
            if content is None:
                raise InputError(f"{where} has no image; the bytes need to be in the file, not only a path")
            yield Encoded(where, content, label)


def _contents(file: pq.ParquetFile, columns: Columns) -> Iterator[bytes | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in file.iter_batches(_ROWS, columns=[columns.image]):
        (column,) = batch.columns
        yield from (pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column).to_pylist()
