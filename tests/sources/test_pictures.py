"""Image files as a model takes them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as oracle

from ablation.errors import InputError
from ablation.sources.pictures import read_picture

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00"
COLOURS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def saved(path: Path, pixels: np.ndarray, **more: object) -> Path:
    Image.fromarray(pixels).save(path, **more)
    return path


def test_a_png_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    read = read_picture(saved(tmp_path / "a.png", COLOURS), (3, 12, 20))
    assert (read.pixels == COLOURS.transpose(2, 0, 1)).all()
    assert read.changes == ()
    grey = COLOURS[..., 0]
    read = read_picture(saved(tmp_path / "b.png", grey), (1, 12, 20))
    assert (read.pixels[0] == grey).all()


def test_grey_and_colour_are_brought_to_each_other(tmp_path: Path) -> None:
    grey = COLOURS[..., 0]
    read = read_picture(saved(tmp_path / "a.png", grey), (3, 12, 20))
    assert (read.pixels == grey).all()
    assert read.changes == ("grey taken for colour",)
    read = read_picture(saved(tmp_path / "b.png", COLOURS), (1, 12, 20))
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(read.pixels[0] - COLOURS @ weights).max() <= 1
    assert read.changes == ("made grey",)


def test_another_size_is_resized_with_antialiasing_and_said(tmp_path: Path) -> None:
    read = read_picture(saved(tmp_path / "a.png", COLOURS), (3, 6, 10))
    wanted = oracle.resize(torch.from_numpy(COLOURS).permute(2, 0, 1), [6, 10], antialias=True)
    assert np.abs(read.pixels.astype(int) - wanted.numpy().astype(int)).max() <= 1
    assert read.changes == ("resized from 20 x 12 to 10 x 6 pixels",)
    read = read_picture(tmp_path / "a.png", (3, 8, 8))
    assert read.changes == ("resized from 20 x 12 to 8 x 8 pixels, which changes its proportions",)


def test_what_a_camera_turned_is_turned_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    path = saved(tmp_path / "a.jpg", np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[:, None], 8, 1), exif=exif)
    read = read_picture(path, (1, 8, 20))
    assert not any("resized" in change for change in read.changes)
    assert np.abs(np.diff(read.pixels[0].astype(int), axis=0)).max() < 20
    assert abs(int(read.pixels[0, 0, 0]) - int(read.pixels[0, 0, -1])) > 100


def test_transparency_is_left_out_and_said(tmp_path: Path) -> None:
    pixels = np.dstack([COLOURS, np.full((12, 20), 7, np.uint8)])
    read = read_picture(saved(tmp_path / "a.png", pixels), (3, 12, 20))
    assert (read.pixels == COLOURS.transpose(2, 0, 1)).all()
    assert read.changes == ("its transparency was left out",)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"", "cannot identify"),
        ("a.png", b"no picture", "cannot identify"),
        (
            "a.gif",
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00",
            "iden",
        ),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason) as error:
        read_picture(tmp_path / name, (3, 8, 8))
    assert name in str(error.value)


def test_a_truncated_a_missing_and_a_deep_picture_are_named(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.png", np.kron(COLOURS, np.ones((20, 20, 1), np.uint8)))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    deep = saved(tmp_path / "deep.png", np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000)
    for path, reason in ((whole, "a.png"), (tmp_path / "no.png", "No such file"), (tmp_path, "directory")):
        with pytest.raises(InputError, match=reason):
            read_picture(path, (3, 8, 8))
    with pytest.raises(InputError, match="more than 8 bits"):
        read_picture(deep, (3, 8, 8))


def test_a_model_of_other_channels_takes_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="5 channels"):
        read_picture(saved(tmp_path / "a.png", COLOURS), (5, 8, 8))
