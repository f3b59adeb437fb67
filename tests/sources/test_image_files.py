from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from ablation.errors import InputError
from ablation.sources.image_files import find_images, find_shards, read_folders, read_parquet

IMAGE = np.random.default_rng(3).integers(0, 256, size=(8, 8, 3), dtype=np.uint8)


def encoded(image: NDArray[np.uint8] = IMAGE, mode: str = "RGB", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).convert(mode).save(out, kind)
    return out.getvalue()


def rows(*contents: bytes | None) -> list[dict[str, bytes | str | None]]:
    return [{"bytes": content, "path": "x"} for content in contents]


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "train-00000-of-00001.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_gives_planes_of_red_green_and_blue(tmp_path: Path) -> None:
    other = IMAGE[::-1].copy()
    path = parquet(tmp_path, {"label": [2, 0], "img": rows(encoded(), encoded(other)), "extra": ["a", "b"]})
    part = read_parquet([path, path], 3, 8)
    np.testing.assert_array_equal(part.images[:2], np.stack([IMAGE, other]).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(part.images[2:], part.images[:2])
    assert part.labels.tolist() == [2, 0, 2, 0]


def test_jpeg_is_read(tmp_path: Path) -> None:
    flat = np.full((8, 8, 3), 100, np.uint8)
    path = parquet(tmp_path, {"img": rows(encoded(flat, kind="JPEG")), "label": [0]})
    assert np.abs(read_parquet([path], 1, 8).images.astype(int) - 100).max() <= 2


STRANGE: dict[str, dict[str, Any]] = {
    "columns image, label; it needs img and label": {"image": rows(encoded()), "label": [1]},
    "the column img is binary; it needs to be struct": {"img": [encoded()], "label": [1]},
    "the column label is string; it needs to be an integer": {"img": rows(encoded()), "label": ["cat"]},
    "row 1: the label is 10; it needs to be 0 to 9": {"img": rows(encoded(), encoded()), "label": [1, 10]},
    "row 0: the label is -1": {"img": rows(encoded()), "label": [-1]},
    "row 0: the label is None": {"img": rows(encoded(), encoded()), "label": [None, 1]},
    "row 1 has no image": {"img": rows(encoded(), None), "label": [1, 1]},
    "row 0 has no image": {"img": [None, *rows(encoded())], "label": [1, 1]},
    "row 1 cannot be read as PNG or JPEG": {"img": rows(encoded(), b"text"), "label": [1, 1]},
    "row 0 cannot be read as PNG or JPEG": {"img": rows(encoded()[:100]), "label": [1]},
    "row 2 cannot be read as PNG or JPEG": {"img": rows(encoded(), encoded(), encoded(kind="GIF")), "label": [1, 1, 1]},
    "row 0: the image is 4 x 8; it needs to be 8 x 8": {"img": rows(encoded(IMAGE[:, :4].copy())), "label": [1]},
    "row 0: the image is RGBA": {"img": rows(encoded(mode="RGBA")), "label": [1]},
}


@pytest.mark.parametrize("message", STRANGE)
def test_strange_parquet_is_named(tmp_path: Path, message: str) -> None:
    path = parquet(tmp_path, STRANGE[message])
    with pytest.raises(InputError) as error:
        read_parquet([path], 10, 8)
    assert message in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("keep", [0, 4, 300, -1])
def test_truncated_parquet_is_named(tmp_path: Path, keep: int) -> None:
    path = parquet(tmp_path, {"img": rows(encoded()), "label": [1]})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"train-00000-of-00001\.parquet cannot be read as Parquet"):
        read_parquet([path], 10, 8)


def test_shards_are_in_order_and_complete(tmp_path: Path) -> None:
    names = [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    for name in [*reversed(names), "test-00000-of-00001.parquet", "training.parquet"]:
        (tmp_path / name).touch()
    assert [path.name for path in find_shards(tmp_path, "train")] == names
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match=r"number 1 of the files train-\*-of-00003\.parquet is missing"):
        find_shards(tmp_path, "train")


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
    part = read_folders(paths, ["b", "a"], 8)
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
    part = read_folders([folder / "a" / "1.png"], ["a"], 8)
    expected = np.asarray(Image.fromarray(grey).convert(mode).convert("RGB"))
    np.testing.assert_array_equal(part.images[0], expected.transpose(2, 0, 1))


def test_damaged_image_file_is_named(folder: Path) -> None:
    path = folder / "a" / "1.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"1\.png cannot be read as PNG or JPEG"):
        read_folders([path], ["a"], 8)
