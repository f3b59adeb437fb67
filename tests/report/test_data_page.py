"""The page of a data set: what it shows is what the data hold, in a document and in a real browser."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from screenshots import keep
from test_browser import CUT, SIZES, Visit
from test_page import HOSTILE, Document

from ablation import components
from ablation.data_page import USUAL, Asked, first_of_each, page_of
from ablation.report.data_page import DataPage, data_sections, render_data
from ablation.report.section import Sheet, Strip
from ablation.report.writing import save
from ablation.settings import Part
from ablation.splits import LabelledImages, Splits

MADE = Part(name="synthetic")


def splits(channels: int = 3, side: int = 32, classes: tuple[str, ...] = ("cat", "dog", "7", HOSTILE)) -> Splits:
    """Noise with three planted duplicates, of which one has another class; the classes are not balanced."""
    random = np.random.default_rng(2)
    train = random.integers(0, 256, (70, channels, side, side), dtype=np.uint8)
    test = random.integers(0, 256, (20, channels, side, side), dtype=np.uint8)
    train[9] = train[4]
    test[3] = train[60][..., ::-1]
    train[30] = train[31] // 2
    labels = np.minimum(np.arange(70) % 7, 3), np.arange(20) % 4
    parts = [LabelledImages(*each) for each in zip((train, test), labels, strict=True)]
    return Splits(parts[0], parts[1], classes, "f" * 64)


def page(data: Splits, **given: object) -> DataPage:
    steps, augmentations = USUAL
    asked = Asked(
        dataset=MADE,
        given="noise=0.5",
        preprocessing=tuple(components.complete("preprocessing", each) for each in steps),
        augmentations=tuple(components.complete("augmentation", each) for each in augmentations),
        named={},
        recipe="the usual recipe",
        command="ablate data synthetic",
    )
    return page_of(replace(asked, **given), data, lambda _: None)


def empty_class() -> Splits:
    """A class that no training image is of, on grey images of few pixels."""
    made = splits(1, 8)
    return replace(made, train=LabelledImages(made.train.images, np.minimum(made.train.labels, 2)))


PAGES = {"colour": splits, "grey": lambda: splits(1), "four channels": lambda: splits(4), "small": empty_class}


@pytest.fixture(scope="module")
def pages() -> dict[str, DataPage]:
    return {name: page(made()) for name, made in PAGES.items()}


@pytest.fixture(scope="module")
def files(pages: dict[str, DataPage], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, made in pages.items():
        save(render_data(made), folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in pages}


def pixels(strip: Strip, count: int) -> np.ndarray:
    """The images of a strip, N x H x W x 3."""
    content = base64.b64decode(strip.address.partition(",")[2])
    whole = np.asarray(Image.open(io.BytesIO(content)))
    width = whole.shape[0]
    gap = (whole.shape[1] - count * width) // (count - 1)
    return np.stack([whole[:, at * (width + gap) : at * (width + gap) + width, :3] for at in range(count)])


def sheet(made: DataPage, name: str) -> Sheet:
    return next(each for section in data_sections(made) for each in section.sheets if each.id == name)


def test_the_strips_hold_the_images_and_what_becomes_of_them(pages: dict[str, DataPage]) -> None:
    data, made = splits(), pages["colour"]
    few = first_of_each(data.train, 8).images.transpose(0, 2, 3, 1)
    stages = sheet(made, "stage-images").strips
    np.testing.assert_array_equal(pixels(stages[0], 8), few)
    np.testing.assert_array_equal(pixels(stages[1], 8), few)
    flips = {one.label: one for one in sheet(made, "augmentation-flip").strips}
    np.testing.assert_array_equal(pixels(flips["probability 1.0"], 8), few[:, :, ::-1])
    assert flips["probability 0.25"].note.startswith("changes ")
    classes = sheet(made, "class-images").strips
    assert [one.label for one in classes] == list(data.classes)
    shown = {image.tobytes() for image in pixels(classes[0], 10)}
    assert shown <= {image.tobytes() for image in data.train.images[data.train.labels == 0].transpose(0, 2, 3, 1)}


def test_planted_duplicates_are_shown_side_by_side(pages: dict[str, DataPage]) -> None:
    data, made = splits(), pages["colour"]
    names = data.classes
    (equal,) = sheet(made, "equal-images").strips
    assert equal.label == f"training 4 {names[3]}, training 9 {names[2]}"
    near = sheet(made, "near-images").strips
    labels = [f"training 60 {names[3]}, test 3 {names[3]}", f"training 30 7, training 31 {names[3]}"]
    assert [one.label for one in near] == labels
    assert near[0].note == "likeness 1.000, mirrored"
    one, other = pixels(near[0], 2)
    np.testing.assert_array_equal(one, other[:, ::-1])
    apart = sheet(made, "apart-images")
    assert [one.label for one in apart.strips] == [near[1].label]


def test_every_augmentation_of_the_package_has_a_sheet_with_the_choices_of_the_study() -> None:
    made = page(splits(), named={"cutout": {"size": 4, "fill": 0}})
    names = [each.title for each in made.augmentations]
    assert names == list(components.names("augmentation"))
    cutout = [one.label for one in sheet(made, "augmentation-cutout").strips]
    assert cutout == ["as stored", "size 2", "size 4", "size 8", "fill 64", "fill 128", "fill 255"], (
        "as the study has it"
    )


def test_equal_data_give_an_equal_file(pages: dict[str, DataPage]) -> None:
    assert render_data(page(splits())) == render_data(pages["colour"])


@pytest.mark.parametrize("name", PAGES)
def test_elements_close_ids_are_unique_and_every_image_has_a_text(pages: dict[str, DataPage], name: str) -> None:
    document = Document(render_data(pages[name]))
    assert document.open == []
    ids = Counter(attrs["id"] for _, attrs in document.elements if "id" in attrs)
    assert max(ids.values()) == 1
    assert {link["href"].removeprefix("#") for link in document.all("a")} <= set(ids)
    assert {figure["aria-labelledby"] for figure in document.all("figure")} <= set(ids)
    images = document.all("img")
    assert images
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)
    assert document.shown.count(HOSTILE) > 3
    assert document.all("b") == []
    assert "findings" not in ids


def test_what_cannot_be_shown_is_said(pages: dict[str, DataPage]) -> None:
    four, small = (Document(render_data(pages[name])).shown for name in ("four channels", "small"))
    assert "Images of 4 channels are shown as the mean of their channels." in four
    assert "not looked for: 8 x 8 pixels are too few" in small
    assert "images of one channel have no saturation" in small
    assert "a square of 16 pixels covers an image of 8 x 8 pixels" in small
    assert "no image" in small


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("colour", 1280, "light"), ("colour", 390, "dark"), ("grey", 390, "light"), ("small", 1280, "dark")],
)
def test_in_a_browser_it_draws_all_and_asks_for_nothing(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    with Visit(browser, files[name], width, scheme) as visit:
        sizes = visit.page.evaluate(SIZES)
        assert len(sizes) == 2
        assert all(size["width"] > 250 and size["height"] > 100 and size["right"] <= width for size in sizes)
        assert visit.page.evaluate(CUT) == []
        images = "[...document.images].map(one => [one.naturalWidth, getComputedStyle(one).imageRendering])"
        assert all(wide > 0 and rendered == "pixelated" for wide, rendered in visit.page.evaluate(images))
        assert visit.complaints == []
        assert visit.requests == [files[name].as_uri()]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        keep(visit.page, f"data of {name} {width} {scheme}")


@pytest.mark.browser
def test_the_keyboard_reaches_the_sections_past_the_navigation(browser: Any, files: dict[str, Path]) -> None:
    with Visit(browser, files["colour"]) as visit:
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("location.hash") == "#data"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [("colour", 1280), ("colour", 390), ("small", 1280)])
def test_axe_has_no_objection(browser: Any, files: dict[str, Path], name: str, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with Visit(browser, files[name], width, scheme) as visit:
        found = Axe().run(visit.page).response["violations"]
    assert [(one["id"], one["help"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []
