from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoded_images import IMAGE, encoded, rows, write_parquet

from ablation.errors import InputError
from ablation.sources.encoded import Frame
from ablation.sources.parquet_files import Columns, find_class_names, find_shards, read_parquet

EXACT = Frame(8, exact=True)
COLUMNS = Columns("img", "label")


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    return write_parquet(folder / "train-00000-of-00001.parquet", columns)


def test_parquet_gives_planes_of_red_green_and_blue(tmp_path: Path) -> None:
    other = IMAGE[::-1].copy()
    path = parquet(tmp_path, {"label": [2, 0], "img": rows(encoded(), encoded(other)), "extra": ["a", "b"]})
    part = read_parquet([path, path], COLUMNS, 3, EXACT)
    np.testing.assert_array_equal(part.images[:2], np.stack([IMAGE, other]).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(part.images[2:], part.images[:2])
    assert part.labels.tolist() == [2, 0, 2, 0]


def test_jpeg_is_read(tmp_path: Path) -> None:
    flat = np.full((8, 8, 3), 100, np.uint8)
    path = parquet(tmp_path, {"img": rows(encoded(flat, kind="JPEG")), "label": [0]})
    assert np.abs(read_parquet([path], COLUMNS, 1, EXACT).images.astype(int) - 100).max() <= 2


STRANGE: dict[str, dict[str, Any]] = {
    "columns image, label; it needs img and label": {"image": rows(encoded()), "label": [1]},
    "the column img is string; it needs to be struct<bytes: binary, path: string> or binary": {
        "img": ["x"],
        "label": [1],
    },
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
        read_parquet([path], COLUMNS, 10, EXACT)
    assert message in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("keep", [0, 4, 300, -1])
def test_truncated_parquet_is_named(tmp_path: Path, keep: int) -> None:
    path = parquet(tmp_path, {"img": rows(encoded()), "label": [1]})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"train-00000-of-00001\.parquet cannot be read as Parquet"):
        read_parquet([path], COLUMNS, 10, EXACT)


def test_shards_are_in_order_and_complete(tmp_path: Path) -> None:
    names = [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    for name in [*reversed(names), "test-00000-of-00001.parquet", "training.parquet"]:
        (tmp_path / name).touch()
    assert [path.name for path in find_shards(tmp_path, "train")] == names
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match=r"number 1 of the files train-\*-of-00003\.parquet is missing"):
        find_shards(tmp_path, "train")


def test_a_column_of_bytes_is_read_too(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"img": [encoded()] * 600, "label": [1, 0] * 300})
    part = read_parquet([path], COLUMNS, 2, EXACT)
    assert part.labels.tolist() == [1, 0] * 300
    np.testing.assert_array_equal(part.images[599], IMAGE.transpose(2, 0, 1))
    parquet(tmp_path, {"img": [encoded(), None], "label": [1, 0]})
    with pytest.raises(InputError, match="row 1 has no image"):
        read_parquet([path], COLUMNS, 2, EXACT)


def test_class_names_stand_with_the_schema(tmp_path: Path) -> None:
    columns = {"img": rows(encoded(), encoded()), "label": [2, 0]}
    named = [write_parquet(tmp_path / name, columns, ["cat", "dog", "eel"]) for name in ("a", "b")]
    assert find_class_names(named, COLUMNS) == ("cat", "dog", "eel")
    write_parquet(named[1], columns, ["dog", "cat", "eel"])
    with pytest.raises(InputError, match=r"b names other classes than .*a, or in another order"):
        find_class_names(named, COLUMNS)


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"label": {"dtype": "int64"}},
        {"label": {"names": "cat dog"}},
        {"label": {"names": [1, 2, 3]}},
        {"label": {"names": ["cat", "cat", "eel"]}},
        {"label": {"names": []}},
        [],
    ],
    ids=str,
)
def test_without_usable_names_classes_are_numbers(tmp_path: Path, features: object) -> None:
    table = pa.table({"img": rows(*[encoded()] * 3), "label": [2, 0, 1]})
    for written in (json.dumps({"info": {"features": features}}), "no JSON", "[" * 100_000):
        pq.write_table(table.replace_schema_metadata({"huggingface": written}), tmp_path / "a.parquet")
        assert find_class_names([tmp_path / "a.parquet"], COLUMNS) == ("0", "1", "2")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 10**12], "goes up to 1,000,000,000,000, in 2 rows; class numbers are to begin at 0"),
        ([0, -1], "row 1: the label is -1; it needs to be 0 or more"),
        ([None, 1], "row 0: the label is None"),
    ],
)
def test_numbers_that_count_no_classes_are_refused(tmp_path: Path, labels: list[int | None], message: str) -> None:
    path = parquet(tmp_path, {"img": rows(encoded(), encoded()), "label": pa.array(labels, pa.int64())})
    with pytest.raises(InputError, match=message):
        find_class_names([path], COLUMNS)
