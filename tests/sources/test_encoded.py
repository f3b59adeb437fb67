from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
import pytest
from encoded_images import IMAGE, encoded
from PIL import Image

from ablation.errors import InputError
from ablation.sources.encoded import Encoded, Frame, decode_all

v2 = pytest.importorskip("torchvision.transforms.v2")


def decoded(contents: Iterable[bytes], frame: Frame) -> np.ndarray:
    items = [Encoded(f"image {number}", content, 0) for number, content in enumerate(contents)]
    return decode_all(items, len(items), frame).images


def test_an_image_of_the_size_is_left_alone() -> None:
    images = decoded([encoded()], Frame(8))
    np.testing.assert_array_equal(images[0], IMAGE.transpose(2, 0, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_others_are_resized_and_cropped_as_torchvision_does(channels: int) -> None:
    """Its `Resize` and `CenterCrop` round to whole pixels between the two; here both are one step."""
    rng = np.random.default_rng(0)
    smooth = np.asarray(
        Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((90, 60), Image.Resampling.BICUBIC)
    )
    picture = Image.fromarray(smooth)
    expected = np.asarray(
        v2.Compose([v2.Resize(20), v2.CenterCrop(20)])(picture.convert("RGB" if channels == 3 else "L"))
    )
    ours = decoded([encoded(smooth)], Frame(20, channels))[0]
    assert ours.shape == (channels, 20, 20)
    difference = ours.transpose(1, 2, 0).astype(int) - expected.reshape(20, 20, channels)
    assert np.abs(difference).max() <= 1


def test_small_images_are_enlarged() -> None:
    flat = np.full((3, 5, 3), 77, np.uint8)
    assert (decoded([encoded(flat)], Frame(16)) == 77).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "PPM"])
def test_kinds_of_files(kind: str) -> None:
    flat = np.full((8, 8, 3), 100, np.uint8)
    assert np.abs(decoded([encoded(flat, kind=kind)], Frame(8)).astype(int) - 100).max() <= 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_modes_become_grey_or_colour(mode: str, channels: int, recwarn: pytest.WarningsRecorder) -> None:
    options = {"transparency": bytes(range(256))} if mode == "P" else {}
    content = encoded(mode=mode, kind="JPEG" if mode == "CMYK" else "PNG", **options)
    expected = Image.open(io.BytesIO(content))
    if mode == "P":
        expected = expected.convert("RGBA")
    expected = np.asarray(expected.convert("L" if channels == 1 else "RGB")).reshape(8, 8, channels)
    recwarn.clear()
    np.testing.assert_array_equal(decoded([content], Frame(8, channels))[0], expected.transpose(2, 0, 1))
    assert not recwarn


def test_what_a_camera_turned_is_turned_back() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    turned = decoded([encoded(exif=exif)], Frame(8))
    np.testing.assert_array_equal(turned[0], np.rot90(IMAGE, -1).transpose(2, 0, 1))


def test_all_that_is_broken_is_named() -> None:
    contents = [encoded(), b"text", encoded()[:100], encoded(kind="GIF")]
    with pytest.raises(InputError) as error:
        decoded(contents, Frame(8))
    lines = str(error.value).splitlines()
    assert [line.partition(" cannot be read as PNG, JPEG, WEBP, BMP or PPM: ")[0] for line in lines] == [
        "image 1",
        "image 2",
        "image 3",
    ]
    with pytest.raises(InputError, match=r"(?s)image 9 .*and 2 more images\."):
        decoded([b""] * 12, Frame(8))


def test_more_than_eight_bits_are_refused() -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(out, "PNG")
    with pytest.raises(InputError, match=r"image 0 has more than 8 bits a channel \(I;16\)"):
        decoded([out.getvalue()], Frame(8))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decompressed(side: int) -> None:
    """A PNG file of a few bytes that says it has a hundred million pixels and more."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(InputError, match=r"image 0 cannot be read as .*could be decompression bomb"):
        decoded([bomb], Frame(8))


def test_what_no_memory_holds_is_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"1,000,000,000 images of 224 x 224 pixels take 150528 GB, and this machine"):
        decode_all([], 10**9, Frame(224))
