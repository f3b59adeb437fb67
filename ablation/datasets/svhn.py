"""SVHN, cropped digits (Netzer et al. 2011, http://ufldl.stanford.edu/housenumbers): house numbers from the street.

73,257 training and 26,032 test images, colour, 32 x 32 pixels, ten classes that are not equally frequent: of the 1
there are nearly three times as many as of the 9 or the 0. Neighbouring digits may be seen at the sides. The files call
the digit 0 "10". The 531,131 easier images of the extra part are not used.

`train_32x32.mat` and `test_32x32.mat` lie in `svhn` or in `SVHN` under the data root or, as torchvision leaves them,
in the root itself. Missing ones are downloaded (246 MB). The sizes and sha256 sums are those that TensorFlow Datasets
downloads by. Downloading was tested against such files on a server of the tests' own, not against that address.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ablation.errors import InputError
from ablation.settings import Count
from ablation.sources.checksums import read_checked
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Remote
from ablation.sources.halves import whole
from ablation.sources.published import PublishedFiles, find_files
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Extent, LabelledImages, Splits

CLASSES = tuple("0123456789")
SIDE = 32

REMOTES = (
    Remote(
        "https://ufldl.stanford.edu/housenumbers/train_32x32.mat",
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        182_040_794,
    ),
    Remote(
        "https://ufldl.stanford.edu/housenumbers/test_32x32.mat",
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        64_275_384,
    ),
)


def build(root: Path, *, train_size: Count | None = None, test_size: Count | None = None) -> Splits:
    """SVHN: 73,257 training and 26,032 test colour images of 32 x 32 pixels, digits of house numbers."""
    paths = find_files(PublishedFiles("SVHN", ("svhn", "SVHN", "."), REMOTES), root)
    splits = load_or_decode(find_cache_root(), "svhn", paths, partial(_decode, paths))
    return smaller(splits, train_size, test_size)


def extent(*, train_size: Count | None = None, test_size: Count | None = None) -> Extent:
    """How much `build` gives, known without the files."""
    return Extent(train_size or 73_257, test_size or 26_032, len(CLASSES), channels=3)


def _decode(paths: Sequence[Path]) -> Splits:
    train, test = (read_matrices(path, remote.sha256) for path, remote in zip(paths, REMOTES, strict=True))
    return whole(train, test, CLASSES, paths[0].parent)


def read_matrices(path: Path, sha256: str) -> LabelledImages:
    """The images of a file of MATLAB, which is opened only if it is the published one."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    content = read_checked(path, sha256)
    try:
        arrays = loadmat(io.BytesIO(content), variable_names=("X", "y"))  # type: ignore[arg-type]  # documented
        images = np.ascontiguousarray(np.asarray(arrays["X"], dtype=np.uint8).transpose(3, 2, 0, 1))
        labels = np.asarray(arrays["y"]).astype(np.int64).reshape(-1)
    except (MatReadError, LookupError, ValueError, TypeError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} does not hold the images of SVHN: {error}") from error
    if images.shape != (len(labels), 3, SIDE, SIDE) or not ((labels >= 1) & (labels <= len(CLASSES))).all():
        raise InputError(f"{path} does not hold images of {SIDE} x {SIDE} pixels with labels from 1 to {len(CLASSES)}")
    return LabelledImages(images, labels % len(CLASSES))
