"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747, github.com/zalandoresearch/fashion-mnist).

60,000 training and 10,000 test images of clothes, grey, 28 x 28 pixels, ten classes of 6,000 and 1,000 images.

Files lie in `fashion_mnist` or, as torchvision leaves them, in `FashionMNIST/raw` under the data root, gzipped or
unpacked. Missing ones are downloaded (30.9 MB) from the authors' repository: its page links the same files at an
address without https. The sizes and sha256 sums are those that TensorFlow Datasets downloads by.
Downloading was tested against such files on a server of the tests' own, not against that address.
"""

from __future__ import annotations

from pathlib import Path

from ablation.settings import Count
from ablation.sources.downloads import Remote
from ablation.sources.idx_files import TEST, TRAIN, IdxFiles, open_idx
from ablation.sources.published import PublishedFiles
from ablation.sources.stratified import smaller
from ablation.splits import Extent, Splits

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

REPOSITORY = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
REMOTES = (
    Remote(
        f"{REPOSITORY}train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26_421_880,
    ),
    Remote(
        f"{REPOSITORY}train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29_515,
    ),
    Remote(
        f"{REPOSITORY}t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4_422_102,
    ),
    Remote(
        f"{REPOSITORY}t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5_148,
    ),
)


def build(root: Path, *, train_size: Count | None = None, test_size: Count | None = None) -> Splits:
    """Fashion-MNIST: 60,000 training and 10,000 test grey images of 28 x 28 pixels, ten kinds of clothes."""
    files = PublishedFiles("Fashion-MNIST", ("fashion_mnist", "FashionMNIST/raw"), REMOTES)
    return smaller(open_idx(IdxFiles("fashion_mnist", files, CLASSES), root), train_size, test_size)


def extent(*, train_size: Count | None = None, test_size: Count | None = None) -> Extent:
    """How much `build` gives, known without the files."""
    return Extent(train_size or TRAIN, test_size or TEST, len(CLASSES), channels=1)
