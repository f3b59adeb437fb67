"""The official python batches of the CIFAR data sets.

They are pickles, and unpickling runs what a pickle says. So a file is opened only after its MD5 is found to be the
published one, and then by an unpickler that knows no name but the three that a numpy array of bytes needs.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.sources.checksums import read_checked
from ablation.splits import LabelledImages


def read_batches(folder: Path, checksums: Mapping[str, str], side: int, *, labels: str = "labels") -> LabelledImages:
    """The images of the files that `checksums` names, with the MD5 of each, one file after the other.

    `labels` is the batches' own name for the class numbers. InputError, with the name of the file, where one is
    missing, is not the expected one or is no such batch.
    """
    parts = [_read_batch(folder / name, md5, side, labels) for name, md5 in checksums.items()]
    return LabelledImages(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )


def _read_batch(path: Path, md5: str, side: int, key: str) -> LabelledImages:
    content = read_checked(path, md5, delete=path.parent)
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
        images = np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, side, side)
        labels = np.asarray(batch[key], dtype=np.int64)
    except (
        pickle.UnpicklingError,
        LookupError,
        TypeError,
        ArithmeticError,
        ValueError,
        EOFError,
        AttributeError,
    ) as error:
        raise InputError(f"{path} is not a CIFAR batch: {error}") from error
    if len(images) != len(labels):
        raise InputError(f"{path} has {len(images)} images but {len(labels)} labels")
    return LabelledImages(images, labels)


def _empty_array(kind: type, shape: tuple[int, ...], code: object) -> NDArray[np.uint8]:  # noqa: ARG001
    """What numpy's pickles start an array with; the state that follows sets shape, type and content."""
    return np.ndarray((0,), np.uint8)


class _ArraysOnly(pickle.Unpickler):
    """Loads numbers, text, lists, dictionaries and numpy arrays; any other name in the pickle is refused."""

    def find_class(self, module: str, name: str) -> object:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
