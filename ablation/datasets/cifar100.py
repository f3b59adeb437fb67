"""CIFAR-100 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html).

50,000 training and 10,000 test images, colour, 32 x 32 pixels. The 100 fine classes have 500 and 100 images each; five
of them make one of the 20 coarse classes.

The official python batches lie in `cifar-100-python` under the data root, as torchvision leaves them too, or that
folder is made of `cifar-100-python.tar.gz`, which is downloaded (169 MB) unless it lies there. Downloading was tested
against such an archive on a server of the tests' own, not against that address.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from ablation.settings import Count
from ablation.sources.cifar_batches import read_batches
from ablation.sources.decoded import load_or_decode
from ablation.sources.downloads import Archive
from ablation.sources.halves import whole
from ablation.sources.published import find_unpacked
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Extent, Splits

SIDE = 32

# MD5 of the files in the archive, as torchvision publishes them.
TRAIN_BATCHES = {"train": "16019d7e3df5f24257cddd939b257f8d"}
TEST_BATCHES = {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}

# The page of the data set publishes the MD5 eb9058c3a382ffc7106e4002c42a8d85; the sha256 is the one Keras downloads by.
ARCHIVE = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    size=169_001_437,
    folder="cifar-100-python",
    files=(*TRAIN_BATCHES, *TEST_BATCHES, "meta"),
    unpacked=200_000_000,
)

CLASSES = {
    "fine": (
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
        "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
        "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
        "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
        "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
    ),
    "coarse": (
        "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices "
        "household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes "
        "large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees "
        "vehicles_1 vehicles_2"
    ),
}
"""The names in the official file `meta`, in its order."""


def build(
    root: Path,
    *,
    labels: Literal["fine", "coarse"] = "fine",
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Splits:
    """CIFAR-100: 50,000 training and 10,000 test colour images of 32 x 32 pixels in 100 fine or 20 coarse classes."""
    names = (*TRAIN_BATCHES, *TEST_BATCHES)
    folder = find_unpacked("CIFAR-100", ARCHIVE, root, names)
    files = [folder / name for name in names]
    splits = load_or_decode(find_cache_root(), f"cifar100-{labels}", files, partial(_decode, folder, labels))
    return smaller(splits, train_size, test_size)


def extent(
    *,
    labels: Literal["fine", "coarse"] = "fine",
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Extent:
    """How much `build` gives, known without the files."""
    return Extent(train_size or 50_000, test_size or 10_000, len(CLASSES[labels].split()), channels=3)


def _decode(folder: Path, labels: str) -> Splits:
    train, test = (
        read_batches(folder, batches, SIDE, labels=f"{labels}_labels") for batches in (TRAIN_BATCHES, TEST_BATCHES)
    )
    return whole(train, test, tuple(CLASSES[labels].split()), folder)
