"""MNIST (LeCun, Cortes and Burges 1998, http://yann.lecun.com/exdb/mnist/): digits written by hand.

60,000 training and 10,000 test images, grey, 28 x 28 pixels, white on black; the digits are not equally frequent
(5,421 to 6,742 training images each). Test images are of other writers than training images.

Files lie in `mnist` or, as torchvision leaves them, in `MNIST/raw` under the data root, gzipped or unpacked. Missing
ones are downloaded (11.6 MB) from the mirror of the Common Visual Data Foundation, which has https. The sizes and
sha256 sums are those that TensorFlow Datasets downloads by. Downloading was tested against such files on a server of
the tests' own, not against that address.
"""

from __future__ import annotations

from pathlib import Path

from ablation.settings import Count
from ablation.sources.downloads import Remote
from ablation.sources.idx_files import TEST, TRAIN, IdxFiles, open_idx
from ablation.sources.published import PublishedFiles
from ablation.sources.stratified import smaller
from ablation.splits import Extent, Splits

CLASSES = tuple("0123456789")

MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist/"
REMOTES = (
    Remote(
        f"{MIRROR}train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9_912_422,
    ),
    Remote(
        f"{MIRROR}train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28_881,
    ),
    Remote(
        f"{MIRROR}t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1_648_877,
    ),
    Remote(
        f"{MIRROR}t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4_542,
    ),
)


def build(root: Path, *, train_size: Count | None = None, test_size: Count | None = None) -> Splits:
    """MNIST: 60,000 training and 10,000 test grey images of 28 x 28 pixels, the digits 0 to 9 written by hand."""
    files = PublishedFiles("MNIST", ("mnist", "MNIST/raw"), REMOTES)
    return smaller(open_idx(IdxFiles("mnist", files, CLASSES), root), train_size, test_size)


def extent(*, train_size: Count | None = None, test_size: Count | None = None) -> Extent:
    """How much `build` gives, known without the files."""
    return Extent(train_size or TRAIN, test_size or TEST, len(CLASSES), channels=1)
