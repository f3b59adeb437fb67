"""Decoded images, kept as memory maps so that each data set is decoded once on a machine and shared by its processes.

An entry is keyed by the state of the source files: path, size, inode and the times of the last change of content and
of status. That costs a `stat` a file at every trial's start, where a hash of the content would read all of it (0.15 s
for the official CIFAR-10 batches, far more for 60,000 image files). The time of status change cannot be set back by
`touch` or `cp -p`, so an edited file is never taken for the old one; at worst an unchanged file is decoded again. What
was decoded is told by `Splits.fingerprint`, which is over the content.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.settings import Frozen, digest
from ablation.splits import LabelledImages, Splits

_LAYOUT = 1  # raise it when the files of an entry, or what decoding makes of an image, change
_CONTENT = "content.json"

_logger = logging.getLogger(__name__)


class _Content(Frozen):
    """What an entry holds beside its arrays; the sizes in bytes tell a truncated array."""

    classes: tuple[str, ...]
    fingerprint: str
    sizes: dict[str, int]


def load_or_decode(cache: Path, name: str, sources: Sequence[Path], decode: Callable[[], Splits]) -> Splits:
    """The splits that `decode` makes of the source files, their images as read-only memory maps.

    Decodes where the cache has no whole entry for the files as they are now; of several processes, one decodes and
    the others wait for it. Where the cache cannot be written, the decoded images stay in memory, with a warning.
    InputError where a source file cannot be read.
    """
    entry = cache / "decoded" / f"{name}-{_state_of(sources)}"
    if (splits := _load(entry)) is not None:
        return splits
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(entry.with_name(f"{entry.name}.lock")).acquire()
    except OSError as error:
        _warn(cache, error)
        return decode()
    with lock:
        return _load(entry) or _fill(entry, decode())


def _state_of(sources: Sequence[Path]) -> str:
    """Sixteen hexadecimal digits that change when a source file does."""
    try:
        states = [(path.absolute(), path.stat()) for path in sources]
    except OSError as error:
        raise InputError(f"a file of the data set cannot be read: {error}") from error
    return digest(
        [_LAYOUT, *([str(path), s.st_size, s.st_ino, s.st_mtime_ns, s.st_ctime_ns] for path, s in states)],
    )[:16]


def _load(entry: Path) -> Splits | None:
    """The entry, or None where it is missing or damaged."""
    try:
        content = _Content.model_validate_json((entry / _CONTENT).read_bytes())
        if any((entry / file).stat().st_size != size for file, size in content.sizes.items()):
            return None
        train, test = _load_part(entry, "train"), _load_part(entry, "test")
    except (OSError, ValueError, SyntaxError, TokenError):  # the last two from numpy, whose headers are Python
        return None
    return Splits(train, test, content.classes, content.fingerprint)


def _load_part(entry: Path, split: str) -> LabelledImages:
    images = _mapped(entry / f"{split}-images.npy")
    labels = np.array(_mapped(entry / f"{split}-labels.npy"))
    if (images.dtype, images.ndim, labels.dtype, labels.shape) != (
        np.dtype(np.uint8),
        4,
        np.dtype(np.int64),
        images.shape[:1],
    ):
        raise ValueError(f"the arrays of {entry} are not those that were saved")
    return LabelledImages(images, labels)


def _mapped(file: Path) -> np.memmap[Any, Any]:
    """The array of a file; ValueError where its header does not fit the size of the file."""
    array: np.memmap[Any, Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    if array.offset + array.nbytes != file.stat().st_size:
        raise ValueError(f"{file} holds more or less than its header says")
    return array


def _fill(entry: Path, splits: Splits) -> Splits:
    """Write the entry beside its place, then rename it; the caller holds the lock."""
    partial = entry.with_name(f"{entry.name}.partial")
    try:
        for leftover in (partial, entry):
            if leftover.exists():
                shutil.rmtree(leftover)
        partial.mkdir()
        sizes = {}
        for split, part in (("train", splits.train), ("test", splits.test)):
            for kind, array in (("images", part.images), ("labels", part.labels)):
                sizes[f"{split}-{kind}.npy"] = _save(partial / f"{split}-{kind}.npy", array)
        content = _Content(classes=splits.classes, fingerprint=splits.fingerprint, sizes=sizes)
        (partial / _CONTENT).write_text(content.model_dump_json(), encoding="utf-8")
        partial.rename(entry)
    except OSError as error:
        _warn(entry.parent, error)
        shutil.rmtree(partial, ignore_errors=True)
        return splits
    return _load(entry) or splits


def _save(path: Path, array: NDArray[np.uint8] | NDArray[np.int64]) -> int:
    """Write durably, so that a lost power supply cannot leave a file of the right size without its content."""
    with path.open("xb") as stream:
        np.save(stream, array, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return path.stat().st_size


def _warn(folder: Path, error: OSError) -> None:
    _logger.warning(
        "cannot keep decoded images under %s (%s): they are decoded anew each time; free space there, or set "
        "ABLATE_CACHE to a folder that can be written",
        folder,
        error,
    )
