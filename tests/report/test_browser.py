"""The page in a real browser: it draws everything, complains of nothing and asks the network for nothing."""

from pathlib import Path

import pytest
from compared_examples import comparison_page, trials_page, write_page
from examples import factorial_page, page, partial_page, search_page
from screenshots import keep
from test_figures_of_a_search import hostile_search_page
from test_page import hostile_page

pytestmark = pytest.mark.browser
PAGES = {
    "whole": page, "partial": partial_page, "factorial": factorial_page, "search": search_page, "hostile": hostile_page,
    "hostile search": hostile_search_page, "comparison": comparison_page, "trials": trials_page,
}  # fmt: skip
SIZES = """[...document.querySelectorAll("[data-plot]")]
    .map(plot => plot.querySelector("svg.main-svg").getBoundingClientRect().toJSON())"""
CUT = """[...document.querySelectorAll("[data-plot]")].flatMap(plot => {
    const frame = plot.getBoundingClientRect();
    return [...plot.querySelectorAll("svg.main-svg text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1);
    }).map(text => text.textContent);
})"""
"""Texts of the figures that are not whole."""
COLOURS = (
    "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.xtick text')).fill]"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    for name, made in PAGES.items():
        write_page(made(), folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in PAGES}


class Visit:
    """One opened page, with all it said and asked for."""

    def __init__(self, browser, path: Path, width: int = 1280, scheme: str = "light") -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-drawn]")

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("whole", 1280, "light"),
        ("whole", 1280, "dark"),
        ("whole", 390, "light"),
        ("whole", 390, "dark"),
        ("partial", 390, "light"),
        ("factorial", 390, "light"),
        ("search", 1280, "light"),
        ("search", 390, "dark"),
        ("hostile", 390, "light"),
        ("hostile search", 390, "light"),
        ("comparison", 1280, "light"),
        ("comparison", 390, "dark"),
        ("trials", 390, "light"),
    ],
)
def test_every_figure_draws_without_complaint_request_or_sideways_scroll(browser, files, name, width, scheme):
    with Visit(browser, files[name], width, scheme) as visit:
        sizes = visit.page.evaluate(SIZES)
        assert sizes
        assert all(size["width"] > 250 and size["height"] > 100 and size["right"] <= width for size in sizes)
        assert visit.complaints == []
        assert visit.requests == [files[name].as_uri()]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        keep(visit.page, f"report of {name} {width} {scheme}")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["whole", "factorial", "search", "comparison"])
def test_no_text_of_a_figure_is_cut(browser, files, name, width):
    with Visit(browser, files[name], width) as visit:
        assert visit.page.evaluate(CUT) == []


def test_every_contrast_has_its_name_above_its_column_on_a_phone(browser, files):
    with Visit(browser, files["whole"], 390) as visit:
        names = "[...document.querySelectorAll('#classes-plot .xtick text')].map(text => text.textContent)"
        assert visit.page.evaluate(names) == ["crop=without", "flip=without", "brightness=mild", "normalize=none"]


def test_dark_mode_and_its_change_recolour_page_and_figures(browser, files):
    with Visit(browser, files["whole"], scheme="dark") as visit:
        dark = visit.page.evaluate(COLOURS)
        visit.page.emulate_media(color_scheme="light")
        visit.page.wait_for_function(f"() => ({COLOURS})[1] !== {dark[1]!r}")
        assert visit.page.evaluate(COLOURS) == ["rgb(251, 250, 247)", "rgb(89, 98, 111)"]
        assert dark == ["rgb(20, 23, 27)", "rgb(164, 172, 183)"]
        assert visit.complaints == []


def test_a_print_is_light_narrow_enough_and_back_again_afterwards(browser, files):
    with Visit(browser, files["whole"], scheme="dark") as visit:
        visit.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        visit.page.wait_for_function(f"() => ({COLOURS})[1] === 'rgb(89, 98, 111)'")
        assert {round(size["width"]) for size in visit.page.evaluate(SIZES)} == {660}
        visit.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        visit.page.wait_for_function(f"() => ({COLOURS})[1] !== 'rgb(89, 98, 111)'")
        assert min(size["width"] for size in visit.page.evaluate(SIZES)) > 900


def test_a_finding_leads_to_the_trials_it_rests_on(browser, files):
    with Visit(browser, files["whole"]) as visit:
        visit.page.locator("a[href^='#trials-']", has_text="crop=without").click()
        row = visit.page.locator("tr:target")
        row.wait_for(state="visible")
        assert "crop=without" in row.inner_text()
        assert visit.complaints == []


def test_turning_a_phone_changes_the_shape_of_the_figures(browser, files):
    names = "document.querySelectorAll('#effects-plot .ytick').length"
    with Visit(browser, files["whole"], 390) as visit:
        assert visit.page.evaluate(names) == 0
        visit.page.set_viewport_size({"width": 900, "height": 420})
        visit.page.wait_for_function(f"() => {names} === 4")
        assert visit.complaints == []


def test_hostile_names_are_read_letter_by_letter_in_figures(browser, files):
    with Visit(browser, files["hostile"]) as visit:
        assert visit.page.evaluate("document.querySelectorAll('.plot a, .plot img, .plot svg b').length") == 0
        words = visit.page.evaluate("[...document.querySelectorAll('#effects-plot .ytick')].map(t => t.textContent)")
        assert len(words) == 4
        assert all("<b>&lt;</b>" in text for text in words), words
        assert visit.complaints == []
