"""STL-10 (Coates, Lee and Ng 2011, https://cs.stanford.edu/~acoates/stl10), the labelled images.

5,000 training and 8,000 test images, colour, 96 x 96 pixels, ten classes of 500 and 800 images. The 100,000 unlabelled
images are not used, nor are the ten folds of the training images.

The binary files lie in `stl10_binary` under the data root, as torchvision leaves them too, or that folder is made of
`stl10_binary.tar.gz`, which is downloaded (2.6 GB, most of it unlabelled images) unless it lies there; only what is
used is unpacked. The archive's size and sha256 are those that TensorFlow Datasets downloads by, the MD5 sums of the
files torchvision's. Downloading was tested against such an archive on a server of the tests' own, not against that
address.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.settings import Count
from ablation.sources.checksums import read_checked
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Archive
from ablation.sources.halves import whole
from ablation.sources.published import find_unpacked
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Extent, LabelledImages, Splits

CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
SIDE = 96

FILES = {
    "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
    "train_y.bin": "5a34089d4802c674881badbb80307741",
    "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
    "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
}
"""With the MD5 of each."""

ARCHIVE = Archive(
    url="https://cs.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    sha256="f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
    size=2_640_397_119,
    folder="stl10_binary",
    files=tuple(FILES),
    unpacked=13_000 * (3 * SIDE**2 + 1),
)


def build(
    root: Path,
    *,
    size: Literal[96, 48, 32] = 96,
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Splits:
    """STL-10: 5,000 training and 8,000 test colour images of 96 x 96 pixels in ten classes; smaller ones are means."""
    folder = find_unpacked("STL-10", ARCHIVE, root, tuple(FILES))
    files = [folder / name for name in FILES]
    splits = load_or_decode(find_cache_root(), f"stl10-{size}", files, partial(_decode, folder, size))
    return smaller(splits, train_size, test_size)


def extent(
    *,
    size: Literal[96, 48, 32] = 96,  # noqa: ARG001  it changes no number of images
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Extent:
    """How much `build` gives, known without the files."""
    return Extent(train_size or 5_000, test_size or 8_000, len(CLASSES), channels=3)


def _decode(folder: Path, size: int) -> Splits:
    return whole(_read(folder, "train", size), _read(folder, "test", size), CLASSES, folder)


def _read(folder: Path, split: str, size: int) -> LabelledImages:
    """Images are stored column after column, labels counted from 1."""
    pixels, labels = (
        np.frombuffer(read_checked(folder / name, FILES[name], delete=folder), np.uint8)
        for name in (f"{split}_X.bin", f"{split}_y.bin")
    )
    if len(pixels) != len(labels) * 3 * SIDE**2 or not ((labels >= 1) & (labels <= len(CLASSES))).all():
        raise InputError(
            f"{folder} does not hold images of {SIDE} x {SIDE} pixels with labels from 1 to {len(CLASSES)}"
        )
    images = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 1, 3, 2)
    return LabelledImages(_shrunk(images, SIDE // size), labels.astype(np.int64) - 1)


def _shrunk(images: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Each pixel the rounded mean of a square of `by` x `by`."""
    if by == 1:
        return np.ascontiguousarray(images)
    side = images.shape[-1] // by
    cells = images.reshape(len(images), 3, side, by, side, by)
    shrunk: NDArray[np.uint8] = np.rint(cells.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8)
    return shrunk
