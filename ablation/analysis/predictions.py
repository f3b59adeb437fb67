"""What a trial said of each image, read from its folder. Knows no study and no statistics."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablation.errors import DamagedFileError
from ablation.sealed import sum_of

_WAY_OUT = "Restore it from a copy, or move it away: it is then left out of all that is said of single images."


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The class that a trial gave each image of its split, and the true one: two vectors of N class numbers.

    The class is that of the largest stored probability, the first of equal ones. These are float16, so where two
    classes were all but even it may differ from the one that the trial's scores counted.
    """

    predicted: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which images were classified rightly."""
        return np.asarray(self.predicted == self.labels)


def read_predictions(folder: Path, sha256: str = "") -> Predictions | None:
    """The predictions in a trial's folder, None where there are none; `sha256` is what the outcome says of the file.

    Raises:
        DamagedFileError: the file does not hold what a trial writes.
    """
    read = read_probabilities(folder, sha256)
    if read is None:
        return None
    probabilities, labels = read
    return Predictions(probabilities.argmax(axis=1), labels)


def read_probabilities(folder: Path, sha256: str = "") -> tuple[NDArray[np.generic], NDArray[np.int64]] | None:
    """The same as it is stored: probabilities N x K, and N true classes.

    Raises:
        DamagedFileError: the file does not hold what a trial writes.
    """
    file = folder / "predictions.npz"
    if not file.exists():
        return None
    try:
        data = file.read_bytes()
        if sha256 and sum_of(data) != sha256:
            raise ValueError("its sha256 is not the one in outcome.json")
        probabilities, labels = _arrays(data, "probabilities", "labels")
    except (
        *(OSError, ValueError, KeyError, EOFError, RuntimeError, SyntaxError, OverflowError),  # NumPy, of a header
        *(zipfile.BadZipFile, zlib.error, struct.error),
    ) as error:
        raise DamagedFileError(file, str(error) or type(error).__name__, _WAY_OUT, torn=False) from error
    if probabilities.ndim != 2 or labels.ndim != 1 or labels.dtype.kind != "i" or len(probabilities) != len(labels):
        raise DamagedFileError(file, "its arrays do not fit each other", _WAY_OUT, torn=False)
    return probabilities, labels.astype(np.int64)


def _arrays(data: bytes, *names: str) -> list[NDArray[np.generic]]:
    """Arrays of the file. Each is read as a whole before it is looked into, so that its checksum is compared."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = [io.BytesIO(archive.read(f"{name}.npy")) for name in names]
    return [np.load(content, allow_pickle=False) for content in contents]
