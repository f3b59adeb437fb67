"""Duplicates that were planted are found, all of them and nothing else; on CIFAR-10 what was made by known edits."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ablation.analysis import likeness
from ablation.analysis.duplicates import TOO_MANY, find_duplicates
from ablation.datasets import cifar10
from ablation.splits import LabelledImages, Splits

Images = NDArray[np.uint8]
Edit = Callable[[Images], Images]


def scenes(count: int, seed: int, side: int = 32, channels: int = 3) -> Images:
    """Images with large and small structures, as photographs have them, no two of them alike."""
    random = np.random.default_rng(seed)
    whole = np.zeros((count, channels, side, side))
    for step, weight in ((1, 12), (2, 18), (4, 24), (8, 30)):
        layer = random.normal(scale=weight, size=(count, channels, -(-side // step), -(-side // step)))
        whole += layer.repeat(step, 2).repeat(step, 3)[:, :, :side, :side]
    return (whole + 128).clip(0, 255).astype(np.uint8)


def splits_of(train: Images, test: Images, labels: tuple[list[int], list[int]] | None = None) -> Splits:
    given = labels or ([0] * len(train), [0] * len(test))
    parts = [LabelledImages(images, np.array(told)) for images, told in zip((train, test), given, strict=True)]
    return Splits(parts[0], parts[1], ("a", "b"), "")


def pairs_of(splits: Splits) -> set[tuple[str, int, str, int]]:
    return {
        (pair.first.split, pair.first.number, pair.second.split, pair.second.number)
        for pair in find_duplicates(splits).near_pairs
    }


def test_equal_images_are_found_in_and_across_the_splits_and_counted_by_class() -> None:
    train, test = scenes(30, 1), scenes(10, 2)
    train[7] = train[3]
    train[20] = train[3]
    test[4] = train[3]
    test[9] = test[8]
    labels = ([0] * 30, [0] * 10)
    labels[0][20] = 1
    found = find_duplicates(splits_of(train, test, labels))
    assert [[(place.split, place.number) for place in group] for group in found.groups] == [
        [("training", 3), ("training", 7), ("training", 20), ("test", 4)],
        [("test", 8), ("test", 9)],
    ]
    assert [(one.relation, one.pairs, one.images, one.of, one.other_class) for one in found.equal] == [
        ("within training", 3, 3, 30, 2),
        ("within test", 1, 2, 10, 0),
        ("across the splits", 3, 1, 10, 1),
    ]
    assert found.near_pairs == ()
    assert [one.pairs for one in found.near] == [0, 0, 0]


def test_near_duplicates_are_found_exactly() -> None:
    train, test = scenes(2500, 3), scenes(700, 4)  # more than one tile
    test[5] = (train[11] * 0.6).astype(np.uint8)
    test[699] = train[2400][:, :, ::-1]
    train[1500] = np.roll(train[2], 1, axis=2)
    test[8] = test[600][[2, 0, 1]]
    noise = np.random.default_rng(9).normal(0, 8, train[40].shape)
    train[41] = (train[40] + noise).clip(0, 255).astype(np.uint8)
    assert pairs_of(splits_of(train, test)) == {
        ("training", 11, "test", 5),
        ("training", 2400, "test", 699),
        ("training", 2, "training", 1500),
        ("training", 40, "training", 41),
        ("test", 8, "test", 600),
    }
    found = find_duplicates(splits_of(train, test))
    assert [(one.pairs, one.images) for one in found.near] == [(2, 4), (1, 2), (2, 2)]
    assert [pair.relation for pair in found.near_pairs[:2]] == ["across the splits"] * 2
    assert {pair.second.number: pair.mirrored for pair in found.near_pairs[:2]} == {5: False, 699: True}


def test_a_common_horizon_and_a_common_colour_make_no_duplicates() -> None:
    scene = scenes(40, 5) // 16
    horizon = np.where(np.arange(32)[:, None] < 15, 210, 60)
    edge = np.where(np.arange(32)[None, :] < 20, 20, 0)
    train, test = (scene[:20] + horizon).astype(np.uint8), (scene[20:] + horizon + edge).astype(np.uint8)
    assert pairs_of(splits_of(train, test)) == set()


@pytest.mark.parametrize(("side", "channels"), [(16, 1), (28, 1), (48, 3), (96, 4)])
def test_images_of_any_size_and_channels_are_compared(side: int, channels: int) -> None:
    train, test = scenes(20, 6, side, channels), scenes(6, 7, side, channels)
    test[2] = 255 - (255 - train[9]) // 2
    assert pairs_of(splits_of(train, test)) == {("training", 9, "test", 2)}


def test_of_equal_images_one_is_compared_and_flat_images_are_like_nothing() -> None:
    train, test = scenes(10, 8), scenes(4, 9)
    train[1] = train[0]
    test[0] = (train[0] * 0.5).astype(np.uint8)
    for number, level in enumerate((3, 90, 200)):
        train[5 + number] = level
    assert pairs_of(splits_of(train, test)) == {("training", 0, "test", 0)}


def test_images_of_few_pixels_are_searched_for_equal_ones_alone() -> None:
    train = scenes(10, 10, 8, 1)
    found = find_duplicates(splits_of(train, train[:2].copy()))
    assert found.equal[2].pairs == 2
    assert found.near == ()
    assert found.note.startswith("not looked for: 8 x 8 pixels are too few")


def test_a_search_without_end_is_cut_short_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "MOST_CANDIDATES", 7)
    one = scenes(1, 11)
    train = np.stack([(one[0] * share).astype(np.uint8) for share in np.linspace(0.5, 1, 8)])
    found = find_duplicates(splits_of(train, scenes(3, 12)))
    assert len(found.near_pairs) == 7
    assert found.note == TOO_MANY


def by_pillow(edit: Callable[[Image.Image], Image.Image]) -> Edit:
    def edited(images: Images) -> Images:
        made = [np.asarray(edit(Image.fromarray(each.transpose(1, 2, 0)))) for each in images]
        return np.stack(made).transpose(0, 3, 1, 2)

    return edited


def compressed(image: Image.Image) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=20)
    return Image.open(content)


def shifted(down: int, across: int) -> Edit:
    return lambda images: np.pad(images, ((0, 0), (0, 0), (down, 0), (across, 0)), mode="edge")[:, :, :32, :32]


def zoomed(side: int) -> Edit:
    cut = (side - 32) // 2
    return by_pillow(
        lambda image: image.resize((side, side), Image.Resampling.BILINEAR).crop((cut, cut, cut + 32, cut + 32))
    )


EDITS: dict[str, tuple[Edit, float, float]] = {
    "darker": (lambda images: (images * 0.6).astype(np.uint8), 0.99, 1),
    "half the contrast": (lambda images: (images * 0.5 + 64).astype(np.uint8), 0.99, 1),
    "other colours": (lambda images: images[:, [2, 0, 1]], 0.99, 1),
    "mirrored": (lambda images: images[..., ::-1], 0.99, 1),
    "strongly compressed": (by_pillow(compressed), 0.99, 1),
    "half the resolution": (by_pillow(lambda image: image.reduce(2).resize((32, 32))), 0.95, 1),
    "shifted by a pixel": (shifted(0, 1), 0.95, 1),
    "enlarged by a sixteenth": (zoomed(34), 0.85, 1),
    "rotated by 10 degrees": (by_pillow(lambda image: image.rotate(10, Image.Resampling.BILINEAR)), 0, 0.05),
    "enlarged by a quarter": (zoomed(40), 0, 0.05),
    "negative": (lambda images: 255 - images, 0, 0.05),
}
"""What is done to an image, and between which shares of its copies are found."""


@pytest.mark.skipif(not os.environ.get("ABLATE_DATA"), reason="ABLATE_DATA does not name a folder with CIFAR-10")
@pytest.mark.parametrize("name", EDITS)
def test_of_cifar_10_copies_are_found_as_the_documents_say(name: str) -> None:
    edit, least, most = EDITS[name]
    images = np.array(cifar10.build(Path(os.environ["ABLATE_DATA"])).train.images[:1000])
    found = find_duplicates(splits_of(images, np.ascontiguousarray(edit(images))))
    copies = sum(
        pair.relation == "across the splits" and pair.first.number == pair.second.number for pair in found.near_pairs
    )
    copies += sum(one.pairs for one in found.equal if one.relation == "across the splits")
    assert least <= copies / 1000 <= most
