from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoded_images import encoded
from PIL import Image

from ablation.datasets.image_folder import build
from ablation.errors import InputError

theirs = pytest.importorskip("torchvision.datasets")
v2 = pytest.importorskip("torchvision.transforms.v2")

SIZES = ((32, 40), (48, 32), (24, 24))
"""Resized to 16 pixels they are cropped by whole pixels: torchvision rounds where ours need not."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path_factory.mktemp("cache")))


def write(folder: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """So many smooth images, upright, lying and square ones, in the folder of each class."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
            size = SIZES[rng.integers(len(SIZES))]
            pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))
            (folder / name / f"{number:03}.png").write_bytes(encoded(pixels))
    return folder


def test_train_and_test_folders_are_read_as_torchvision_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "flowers" / "train", {"rose": 3, "lily": 4}, seed=1)
    write(tmp_path / "flowers" / "test", {"rose": 2, "lily": 1}, seed=2)
    splits = build(tmp_path, path="flowers", size=16)
    assert splits.classes == ("lily", "rose")
    assert isinstance(splits.train.images, np.memmap)
    for part, name in ((splits.train, "train"), (splits.test, "test")):
        reader = theirs.ImageFolder(
            tmp_path / "flowers" / name, v2.Compose([v2.Resize(16), v2.CenterCrop(16), v2.PILToTensor()])
        )
        assert part.labels.tolist() == reader.targets
        assert reader.classes == list(splits.classes)
        for image, (expected, _) in zip(part.images, reader, strict=True):
            assert np.abs(image.astype(int) - expected.numpy()).max() <= 1


@pytest.mark.parametrize("name", ["val", "validation"])
def test_validation_folders_are_test_images_where_there_are_no_others(tmp_path: Path, name: str) -> None:
    write(tmp_path / "train", {"rose": 3, "lily": 4})
    write(tmp_path / name, {"rose": 2, "lily": 1})
    assert build(tmp_path, size=8).test.labels.tolist() == [0, 1, 1]
    write(tmp_path / "test", {"rose": 1, "lily": 1})
    assert build(tmp_path, size=8).test.labels.tolist() == [0, 1]


def test_of_one_folder_a_share_is_drawn_and_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "flowers", {"rose": 10, "lily": 30})
    whole = build(tmp_path, path=str(tmp_path / "flowers"), size=8)
    assert np.bincount(whole.train.labels).tolist() == [24, 8]
    assert np.bincount(whole.test.labels).tolist() == [6, 2]
    everything = {image.tobytes() for part in (whole.train, whole.test) for image in part.images}
    assert len(everything) == 40
    half = build(tmp_path, path="flowers", size=8, test_share=0.5)
    assert np.bincount(half.test.labels).tolist() == [15, 5]
    fingerprint = whole.fingerprint
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "another"))
    assert build(tmp_path, path="flowers", size=8).fingerprint == fingerprint


def test_choices_change_what_is_made(tmp_path: Path) -> None:
    write(tmp_path, {"rose": 5, "lily": 5})
    assert build(tmp_path).train.images.shape == (8, 3, 64, 64)
    assert build(tmp_path, size=28, channels=1).train.images.shape == (8, 1, 28, 28)
    fewer = build(tmp_path, size=8, train_size=4, test_size=2)
    assert (len(fewer.train), len(fewer.test)) == (4, 2)
    with pytest.raises(InputError, match="train_size is 9; give 2"):
        build(tmp_path, train_size=9)


def test_fingerprint_and_cache_follow_what_is_read(tmp_path: Path) -> None:
    write(tmp_path / "train", {"rose": 2, "lily": 2})
    write(tmp_path / "test", {"rose": 1, "lily": 1}, seed=1)
    seen = [build(tmp_path, size=8).fingerprint]
    file = tmp_path / "train" / "rose" / "000.png"
    content = file.read_bytes()
    file.write_bytes(encoded(np.zeros((20, 20, 3), np.uint8)))  # other content
    seen.append(build(tmp_path, size=8).fingerprint)
    file.write_bytes(content)
    assert build(tmp_path, size=8).fingerprint == seen[0]
    file.rename(file.with_name("zzz.png"))  # another order
    seen.append(build(tmp_path, size=8).fingerprint)
    for split in ("train", "test"):
        (tmp_path / split / "rose").rename(tmp_path / split / "tulip")  # another name
    seen.append(build(tmp_path, size=8).fingerprint)
    seen.append(build(tmp_path, size=9).fingerprint)
    assert len(set(seen)) == len(seen)


def test_files_that_are_no_images_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"rose": 5, "lily": 5})
    (tmp_path / "rose" / "notes.txt").write_text("Roses.")
    (tmp_path / "lily" / "000.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError) as error:
        build(tmp_path)
    assert f"{tmp_path / 'rose' / 'notes.txt'} cannot be read as PNG, JPEG, WEBP, BMP or PPM" in str(error.value)
    assert f"{tmp_path / 'lily' / '000.png'} cannot be read as" in str(error.value)


def test_folders_of_another_layout_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no folder .*flowers; give its path from the data root"):
        build(tmp_path, path="flowers")
    with pytest.raises(InputError, match="has no folder; it is to hold one folder a class, or train/ and test/"):
        build(tmp_path)
    write(tmp_path / "flowers" / "train", {"rose": 1, "lily": 1})
    with pytest.raises(InputError, match=r"train has no test images beside it; add test, val, validation"):
        build(tmp_path, path="flowers")
    write(tmp_path / "flowers" / "holdout", {"rose": 1, "lily": 1})
    with pytest.raises(InputError, match=r"train has no test images beside it"):
        build(tmp_path, path="flowers")
    write(tmp_path / "flowers" / "test", {"rose": 1, "tulip": 1})
    with pytest.raises(InputError, match=r"test is to hold one folder a class \(lily, rose\); 'tulip' is none of them"):
        build(tmp_path, path="flowers")
    (tmp_path / "empty" / "a").mkdir(parents=True)
    (tmp_path / "empty" / "b").mkdir()
    with pytest.raises(InputError, match="holds no image in its folders a, b"):
        build(tmp_path, path="empty")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    write(tmp_path, {"train": 5, "ship": 5})
    assert build(tmp_path, size=8).classes == ("ship", "train")


def test_a_class_too_small_for_the_share_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"rose": 1, "lily": 50})
    with pytest.raises(InputError, match="no test image is of the class rose"):
        build(tmp_path, size=8)
