from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from encoded_images import encoded, rows, write_parquet

from ablation.datasets import cifar10
from ablation.datasets.parquet import build
from ablation.errors import InputError
from ablation.splits import LabelledImages


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path_factory.mktemp("cache")))


def drawn(count: int, seed: int) -> LabelledImages:
    rng = np.random.default_rng(seed)
    return LabelledImages(
        rng.integers(0, 256, (count, 3, 12, 12), dtype=np.uint8), np.arange(count, dtype=np.int64) % 3
    )


TRAIN, TEST = drawn(12, 1), drawn(6, 2)
NAMES = ("cat", "dog", "eel")


def write(path: Path, part: LabelledImages, names: tuple[str, ...] = NAMES, image: str = "image") -> None:
    contents = [encoded(np.ascontiguousarray(each.transpose(1, 2, 0))) for each in part.images]
    write_parquet(path, {image: rows(*contents), "label": part.labels}, names)


def write_splits(folder: Path, test: str = "test") -> None:
    first, second = (LabelledImages(TRAIN.images[half], TRAIN.labels[half]) for half in (slice(7), slice(7, None)))
    write(folder / "train-00000-of-00002.parquet", first)
    write(folder / "train-00001-of-00002.parquet", second)
    write(folder / f"{test}-00000-of-00001.parquet", TEST)


def assert_same(part: LabelledImages, expected: LabelledImages) -> None:
    np.testing.assert_array_equal(part.images, expected.images)
    np.testing.assert_array_equal(part.labels, expected.labels)


@pytest.mark.parametrize("inside", [".", "data"])
@pytest.mark.parametrize("test", ["test", "validation"])
def test_splits_are_told_by_the_names_of_files(tmp_path: Path, inside: str, test: str) -> None:
    write_splits(tmp_path / "animals" / inside, test)
    splits = build(tmp_path, path="animals", size=12)
    assert splits.classes == NAMES
    assert_same(splits.train, TRAIN)
    assert_same(splits.test, TEST)
    assert isinstance(splits.train.images, np.memmap)


def test_test_files_go_before_those_of_validation(tmp_path: Path) -> None:
    write_splits(tmp_path)
    write(tmp_path / "validation-00000-of-00001.parquet", drawn(3, 9))
    assert len(build(tmp_path, size=12).test) == 6


@pytest.mark.parametrize("name", ["animals.parquet", "train-00000-of-00001.parquet"])
def test_without_test_files_a_share_is_drawn(tmp_path: Path, name: str) -> None:
    write(tmp_path / "folder" / name, TRAIN)
    of_folder = build(tmp_path, path="folder", size=12, test_share=0.25)
    of_file = build(tmp_path / "folder", path=name, size=12, test_share=0.25)
    assert np.bincount(of_folder.test.labels).tolist() == [1, 1, 1]
    assert np.bincount(of_folder.train.labels).tolist() == [3, 3, 3]
    assert of_folder.fingerprint == of_file.fingerprint
    assert of_folder.fingerprint != build(tmp_path, path="folder", size=12, test_share=0.5).fingerprint


def test_choices_change_what_is_made(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", TRAIN, (), "img")
    write(tmp_path / "test-0.parquet", TEST, (), "img")
    splits = build(tmp_path, image_column="img", size=8, channels=1, train_size=6, test_size=3)
    assert splits.train.images.shape == (6, 1, 8, 8)
    assert len(splits.test) == 3
    assert splits.classes == ("0", "1", "2")
    with pytest.raises(InputError, match=r"has the columns img, label; it needs image and label"):
        build(tmp_path)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no Parquet file at .*animals; give the path from the data root"):
        build(tmp_path, path="animals")
    write(tmp_path / "test-0.parquet", TEST)
    with pytest.raises(InputError, match=r"has test-0\.parquet, and no train-\*\.parquet"):
        build(tmp_path)
    write(tmp_path / "train-0.parquet", TRAIN, ("dog", "cat", "eel"))
    with pytest.raises(InputError, match=r"test-0\.parquet names other classes than .*train-0\.parquet"):
        build(tmp_path)
    write(tmp_path / "test-0.parquet", TEST, ("dog", "cat"))
    write(tmp_path / "train-0.parquet", TRAIN, ("dog", "cat"))
    with pytest.raises(InputError, match=r"train-0\.parquet, row 2: the label is 2; it needs to be 0 to 1"):
        build(tmp_path)


@pytest.mark.skipif(not os.environ.get("ABLATE_DATA"), reason="ABLATE_DATA does not name a folder with CIFAR-10")
def test_of_cifar_10_it_gives_the_same_images_as_its_own_data_set(tmp_path: Path) -> None:
    """The first images of its files at Hugging Face, as they are there."""
    source = cifar10.find_source(Path(os.environ["ABLATE_DATA"]))
    assert source is not None
    if source.files[0].suffix != ".parquet":
        pytest.skip("CIFAR-10 lies there in another form")
    for split in ("train", "test"):
        (path, *_) = (path for path in source.files if path.name.startswith(split))
        pq.write_table(pq.read_table(path).slice(0, 300), tmp_path / f"{split}-0.parquet")
    ours, theirs = build(tmp_path, image_column="img", size=32), cifar10.build(tmp_path)
    assert_same(ours.train, theirs.train)
    assert_same(ours.test, theirs.test)
    assert len(ours.train) == 300
    assert ours.classes in (cifar10.CLASSES, tuple(map(str, range(10))))
