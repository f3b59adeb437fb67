"""Images in Parquet files, as Hugging Face's data sets of images are kept.

`path` is a folder with `train-*.parquet` and `test-*.parquet` or else `validation-*.parquet`, itself or in its folder
`data`; or it is one file, or a folder of files of other names. Where there are no test files, a stratified `test_share`
of the images, drawn with a fixed seed, is kept as test images. A row has an encoded image (PNG, JPEG, WebP, BMP, PPM),
in a struct {bytes, path} or as bytes, and an integer from 0, its class. The names of the classes are those that
Hugging Face keeps with the schema, else the numbers. Images are turned upright as the camera says, transparency left
out, resized until the shorter side has `size` pixels (bilinear, antialiased), and cropped to the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from ablation.errors import InputError
from ablation.settings import Count, Share, digest
from ablation.sources.decoded import load_or_decode
from ablation.sources.encoded import Frame
from ablation.sources.halves import parted, whole
from ablation.sources.parquet_files import Columns, find_class_names, find_shards, read_parquet
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import smaller
from ablation.splits import Splits


def build(
    root: Path,
    *,
    path: str = ".",
    image_column: str = "image",
    label_column: str = "label",
    size: Count = 64,
    channels: Literal[1, 3] = 3,
    test_share: Share = 0.2,
    train_size: Count | None = None,
    test_size: Count | None = None,
) -> Splits:
    """Images in Parquet files as Hugging Face keeps them: `path`, from the data root, is a folder or a file of them."""
    place = root / Path(path).expanduser()
    try:
        train, test = _find(place)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error}") from error
    choices = [image_column, label_column, size, channels, None if test else test_share]
    columns, frame = Columns(image_column, label_column), Frame(size, channels)

    def decode() -> Splits:
        classes = find_class_names((*train, *test), columns)
        read = partial(read_parquet, columns=columns, num_classes=len(classes), frame=frame)
        if test:
            return whole(read(train), read(test), classes, place)
        return parted(read(train), test_share, classes, place)

    name = f"parquet-{digest(choices)[:8]}"
    return smaller(load_or_decode(find_cache_root(), name, (*train, *test), decode), train_size, test_size)


def _find(place: Path) -> tuple[Sequence[Path], Sequence[Path]]:
    """The files of training and of test images; no test files where those are still to be drawn."""
    if place.is_file():
        return (place,), ()
    for folder in (place, place / "data"):
        train = find_shards(folder, "train")
        test = find_shards(folder, "test") or find_shards(folder, "validation")
        if train:
            return train, test
        if test:
            raise InputError(f"{folder} has {test[0].name}, and no train-*.parquet")
        if others := tuple(sorted(path for path in folder.glob("*.parquet") if path.is_file())):
            return others, ()
    way_out = "give the path from the data root, which --data-dir or ABLATE_DATA names, or the whole path"
    raise InputError(f"there is no Parquet file at {place}; {way_out}")
