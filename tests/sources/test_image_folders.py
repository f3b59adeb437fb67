from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoded_images import IMAGE, encoded
from PIL import Image

from ablation.errors import InputError
from ablation.sources.encoded import Frame
from ablation.sources.image_folders import class_names, find_images, read_folders

EXACT = Frame(8, exact=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b/2.png", "a/1.png", "b/1.png", "a/.hidden", ".cache/x"):
        path = tmp_path / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded())
    return tmp_path / "train"


def test_folders_give_the_classes(folder: Path) -> None:
    paths = find_images(folder, ["b", "a"])
    assert [path.relative_to(folder).as_posix() for path in paths] == ["b/1.png", "b/2.png", "a/1.png"]
    part = read_folders(folder, paths, ["b", "a"], EXACT)
    assert part.labels.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(part.images[2], IMAGE.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("classes", "message"), [(["a"], "'b' is none of them"), (["a", "b", "c"], "'c' is missing")], ids=["more", "fewer"]
)
def test_strange_and_missing_folders_are_named(folder: Path, classes: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"train is to hold one folder a class .*; {message}"):
        find_images(folder, classes)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_grey_and_palette_images_become_rgb(folder: Path, mode: str) -> None:
    grey = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, axis=2)
    (folder / "a" / "1.png").write_bytes(encoded(grey, mode=mode))
    part = read_folders(folder, [folder / "a" / "1.png"], ["a"], EXACT)
    expected = np.asarray(Image.fromarray(grey).convert(mode).convert("RGB"))
    np.testing.assert_array_equal(part.images[0], expected.transpose(2, 0, 1))


def test_damaged_image_file_is_named(folder: Path) -> None:
    path = folder / "a" / "1.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"1\.png cannot be read as PNG or JPEG"):
        read_folders(folder, [path], ["a"], EXACT)


def test_images_in_folders_below_are_found_and_links_lead_into_no_circle(folder: Path, tmp_path: Path) -> None:
    (folder / "a" / "more" / "deep").mkdir(parents=True)
    (folder / "a" / "more" / "deep" / "2.png").write_bytes(encoded())
    (folder / "a" / "more" / "round").symlink_to(folder)
    (folder / "a" / "Thumbs.db").write_bytes(b"x")
    elsewhere = (tmp_path / "blobs").resolve()
    elsewhere.mkdir()
    (elsewhere / "3.png").write_bytes(encoded())
    (folder / "c").symlink_to(elsewhere)
    assert class_names(folder) == ("a", "b", "c")
    paths = find_images(folder, ["a", "b", "c"])
    assert [path.relative_to(folder).as_posix() for path in paths] == [
        "a/1.png",
        "a/more/deep/2.png",
        "b/1.png",
        "b/2.png",
        "c/3.png",
    ]
    assert read_folders(folder, paths, ["a", "b", "c"], EXACT).labels.tolist() == [0, 0, 1, 1, 2]


def test_a_class_whose_name_is_no_text_is_refused(folder: Path) -> None:
    try:
        (folder / "caf\udce9").mkdir()
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has names of text alone")
    with pytest.raises(InputError, match="is not UTF-8; rename it"):
        class_names(folder)
