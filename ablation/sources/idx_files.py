"""The files of MNIST and its likes: images and labels in the format IDX, gzipped (yann.lecun.com/exdb/mnist).

A gzipped file is opened only if it is the published one. Of an unpacked file no checksum is published: it needs to have
exactly the form that its header says, and no more images than the published one.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.sources.checksums import read_checked
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Remote
from ablation.sources.halves import whole
from ablation.sources.published import PublishedFiles, find_files
from ablation.sources.roots import find_cache_root
from ablation.splits import LabelledImages, Splits

SIDE = 28
TRAIN, TEST = 60_000, 10_000

_BYTES = 8
"""The code of unsigned bytes in a header."""


@dataclass(frozen=True, slots=True)
class IdxFiles:
    """Training images and labels, test images and labels, in this order; `name` is that of the component."""

    name: str
    files: PublishedFiles
    classes: tuple[str, ...]


def open_idx(idx: IdxFiles, root: Path) -> Splits:
    """The whole data set, found or downloaded, decoded once a machine."""
    paths = find_files(idx.files, root)
    return load_or_decode(find_cache_root(), idx.name, paths, partial(_decode, idx, paths))


def _decode(idx: IdxFiles, paths: Sequence[Path]) -> Splits:
    parts = []
    for start, count in ((0, TRAIN), (2, TEST)):
        images, labels = (
            read_idx(paths[at], idx.files.remotes[at], (count, *shape))
            for at, shape in ((start, (SIDE, SIDE)), (start + 1, ()))
        )
        if len(images) != len(labels):
            raise InputError(f"{paths[start]} has {len(images):,} images, {paths[start + 1]} {len(labels):,} labels")
        if len(labels) and labels.max() >= len(idx.classes):
            raise InputError(
                f"{paths[start + 1]}: a label is {labels.max()}; it needs to be 0 to {len(idx.classes) - 1}"
            )
        parts.append(LabelledImages(images[:, np.newaxis], labels.astype(np.int64)))
    return whole(parts[0], parts[1], idx.classes, paths[0].parent)


def read_idx(path: Path, remote: Remote, most: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array of bytes of the shape that is given, or shorter. InputError, with the name, where the file has none."""
    header = 4 + 4 * len(most)
    limit = header + int(np.prod(most))
    content = _content(path, remote, limit)
    try:
        zeros, kind, dimensions, *shape = struct.unpack_from(f">HBB{len(most)}I", content)
    except struct.error as error:
        raise InputError(f"{path} is not an IDX file: {error}") from error
    if (zeros, kind, dimensions) != (0, _BYTES, len(most)) or tuple(shape[1:]) != most[1:] or len(content) > limit:
        raise InputError(f"{path} is not an IDX file of at most {' x '.join(map(str, most))} bytes")
    if len(content) != header + int(np.prod(shape)):
        raise InputError(f"{path} holds {len(content) - header:,} bytes, and its header says {int(np.prod(shape)):,}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path, remote: Remote, limit: int) -> bytes:
    """What a file unpacks to, cut off beyond the limit."""
    try:
        if path.name == remote.name:
            with gzip.open(io.BytesIO(read_checked(path, remote.sha256))) as stream:
                return stream.read(limit + 1)
        with path.open("rb") as plain:
            return plain.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
