"""Your own images, one folder a class, as torchvision's ImageFolder takes them.

Either `path` holds `train/` and one of `test/`, `val/` and `validation/` (the first of them that is there), each with
the same folders of classes, or it holds the folders of classes itself, and a stratified `test_share` of the images,
drawn with a fixed seed, is kept as test images. Classes are in alphabetical order. Every file in a class's folder and
below is an image (PNG, JPEG, WebP, BMP, PPM) but for hidden ones. Each is turned upright as its camera says,
transparency left out, resized until the shorter side has `size` pixels (bilinear, antialiased), and cropped to the
middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from ablation.errors import InputError
from ablation.settings import Count, Share, digest
from ablation.sources.decoded import load_or_decode
from ablation.sources.encoded import Frame
from ablation.sources.halves import parted, whole
from ablation.sources.image_folders import class_names, find_images, read_folders
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Splits

_TEST_NAMES = ("test", "val", "validation")


@dataclass(frozen=True, slots=True)
class Found:
    """The image files of the splits; none for testing where test images are still to be drawn."""

    classes: tuple[str, ...]
    folders: tuple[Path, Path]
    train: Sequence[Path]
    test: Sequence[Path]


def build(
    root: Path,
    *,
    path: str = ".",
    size: Count = 64,
    channels: Literal[1, 3] = 3,
    test_share: Share = 0.2,
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Splits:
    """Images in one folder a class: `path`, from the data root, holds train/ and test/, or the classes themselves."""
    place = root / Path(path).expanduser()
    try:
        found = _find(place)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error}") from error
    choices = [size, channels, None if found.test else test_share]
    name = f"image_folder-{digest(choices)[:8]}"
    decode = partial(_decode, found, Frame(size, channels), test_share)
    return smaller(load_or_decode(find_cache_root(), name, (*found.train, *found.test), decode), train_size, test_size)


def _find(place: Path) -> Found:
    if not place.is_dir():
        way_out = "give its path from the data root, which --data-dir or ABLATE_DATA names, or the whole path"
        raise InputError(f"there is no folder {place}; {way_out}")
    train, test = place / "train", next((place / name for name in _TEST_NAMES if (place / name).is_dir()), None)
    if test is None or not train.is_dir():
        _refuse_lone_split(train)
        train, test = place, None
    classes = class_names(train)
    if len(classes) < 2:
        has = f"has the folder {classes[0]} alone" if classes else "has no folder"
        raise InputError(f"{train} {has}; it is to hold one folder a class, or train/ and test/ that do")
    found = Found(
        classes, (train, test or train), find_images(train, classes), find_images(test, classes) if test else ()
    )
    if not found.train:
        raise InputError(f"{train} holds no image in its folders {', '.join(classes)}")
    return found


def _refuse_lone_split(train: Path) -> None:
    """A folder `train` may be a class of trains, but not where it holds folders alone."""
    inside = list(train.iterdir()) if train.is_dir() else []
    if inside and all(path.is_dir() for path in inside):
        raise InputError(f"{train} has no test images beside it; add {', '.join(_TEST_NAMES)}, or name {train} itself")


def _decode(found: Found, frame: Frame, test_share: float) -> Splits:
    train = read_folders(found.folders[0], found.train, found.classes, frame)
    if not found.test:
        return parted(train, test_share, found.classes, found.folders[0])
    test = read_folders(found.folders[1], found.test, found.classes, frame)
    return whole(train, test, found.classes, found.folders[0])
