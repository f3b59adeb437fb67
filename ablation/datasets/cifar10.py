"""CIFAR-10 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html), from whatever form of it lies there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ablation.errors import InputError
from ablation.settings import Count
from ablation.sources.cifar_batches import read_batches
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Archive, obtain, ways_out
from ablation.sources.encoded import Frame
from ablation.sources.halves import whole
from ablation.sources.image_folders import find_images, read_folders
from ablation.sources.parquet_files import Columns, find_shards, read_parquet
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Extent, LabelledImages, Splits

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
FRAME = Frame(SIDE, exact=True)
COLUMNS = Columns("img", "label")
"""As in the data set uoft-cs/cifar10 of Hugging Face."""

# MD5 of the files in the archive, as torchvision publishes them.
TRAIN_BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
TEST_BATCHES = {"test_batch": "40351d587109b95175f43aff81a1287e"}

# The page of the data set publishes the MD5 c58f30108f718f92721af3b95e74349a; the sha256 is the one Keras downloads by.
ARCHIVE = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    size=170_498_071,
    folder="cifar-10-batches-py",
    files=(*TRAIN_BATCHES, *TEST_BATCHES, "batches.meta"),
    unpacked=200_000_000,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Files that hold the data set, and how to read the training and the test images from them."""

    files: tuple[Path, ...]
    read: Callable[[], tuple[LabelledImages, LabelledImages]]


def build(root: Path, *, train_size: Count | None = None, test_size: Count | None = None) -> Splits:
    """CIFAR-10: 50,000 training and 10,000 test colour images of 32 x 32 pixels in ten classes."""
    try:
        source = find_source(root)
    except OSError as error:
        raise InputError(f"{root} cannot be read: {error}") from error
    source = source or fetch(root, ARCHIVE)
    splits = load_or_decode(find_cache_root(), "cifar10", source.files, partial(_decode, source))
    return smaller(splits, train_size, test_size)


def extent(*, train_size: Count | None = None, test_size: Count | None = None) -> Extent:
    """How much `build` gives of the official files, known without them: a plan needs no download."""
    return Extent(train_size or 50_000, test_size or 10_000, len(CLASSES), channels=3)


def find_source(root: Path) -> Source | None:
    """The first form of the data set found in `root/cifar10`, in `root` or in the folders these usually hold.

    InputError where one is found with parts missing.
    """
    for folder in (root / "cifar10", root):
        for place in (folder / ARCHIVE.folder, folder, folder / "plain_text"):
            source = batches_in(place, TRAIN_BATCHES, TEST_BATCHES) or _parquet_in(place) or _folders_in(place)
            if source is not None:
                return source
    return None


def fetch(root: Path, archive: Archive) -> Source:
    """Unpack the official archive under `root`, downloaded if need be. AblationError says the ways out."""
    forms = (
        f"{archive.name} or its folder {archive.folder}, Parquet files (train-*.parquet and test-*.parquet), or "
        "folders of images (train/<class>/* and test/<class>/*)"
    )
    with ways_out("CIFAR-10", root, forms, [archive]):
        folder = obtain(archive, root)
    source = batches_in(folder, TRAIN_BATCHES, TEST_BATCHES)
    if source is None:
        raise InputError(
            f"{folder} holds none of {', '.join([*TRAIN_BATCHES, *TEST_BATCHES])}; delete it and run again"
        )
    return source


def batches_in(folder: Path, train: Mapping[str, str], test: Mapping[str, str]) -> Source | None:
    """The official python batches; the mappings give the MD5 of each file."""
    files = tuple(folder / name for name in (*train, *test))
    missing = [path for path in files if not path.is_file()]
    if len(missing) == len(files):
        return None
    if missing:
        raise InputError(f"{missing[0]} is missing; delete {folder} to download it again")
    return Source(files, lambda: (read_batches(folder, train, SIDE), read_batches(folder, test, SIDE)))


def _parquet_in(folder: Path) -> Source | None:
    train, test = find_shards(folder, "train"), find_shards(folder, "test")
    if not train and not test:
        return None
    if not train or not test:
        raise InputError(f"{folder} has no {'test' if train else 'train'}-*.parquet; both splits are needed")
    read = partial(read_parquet, columns=COLUMNS, num_classes=len(CLASSES), frame=FRAME)
    return Source((*train, *test), lambda: (read(train), read(test)))


def _folders_in(folder: Path) -> Source | None:
    # A folder named train may be any data set's; one class of ours in it tells that it is this one.
    if not any((folder / split / name).is_dir() for split in ("train", "test") for name in CLASSES):
        return None
    places = [folder / split for split in ("train", "test")]
    train, test = (find_images(place, CLASSES) for place in places)

    def read() -> tuple[LabelledImages, LabelledImages]:
        return read_folders(places[0], train, CLASSES, FRAME), read_folders(places[1], test, CLASSES, FRAME)

    return Source((*train, *test), read)


def _decode(source: Source) -> Splits:
    return whole(*source.read(), CLASSES, source.files[0].parent)
