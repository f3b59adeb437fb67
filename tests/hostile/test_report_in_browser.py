"""The report of a study in which every text is hostile, in a real browser: all of it is text, and none of it runs."""

from pathlib import Path

import pytest
from command import Done
from hostile_strings import STRINGS
from hostile_study import TEXTS

from ablation.visible import visible

pytestmark = pytest.mark.browser

SENTINEL = """
window.calls = [];
window.pwned = (what) => window.calls.push(String(what));
document.addEventListener("securitypolicyviolation", (event) => window.calls.push(event.violatedDirective));
"""
TOUCH_EVERYTHING = """async () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  for (const plot of document.querySelectorAll("[data-plot]")) {
    const shown = plot.data.flatMap(({ x, type, hoverinfo, visible, xaxis = "x" }, curveNumber) =>
      (type === "heatmap" || hoverinfo === "skip" || visible === "legendonly" || xaxis !== "x" ? [] : x)
        .map((_, pointNumber) => ({ curveNumber, pointNumber })));
    for (let at = 0; at < shown.length; at += Math.ceil(shown.length / 8)) {
      Plotly.Fx.hover(plot, [shown[at]]);
      await new Promise((done) => setTimeout(done, 60)); // Plotly draws a hover label at most every 50 ms
    }
  }
  for (const one of document.querySelectorAll("main :not(a, summary, .plot *)")) {
    for (const kind of ["mouseover", "focus", "blur", "click"]) one.dispatchEvent(new Event(kind));
  }
}"""
MADE_BY_NAMES = (
    "img:not([src^='data:image/png']), iframe, object, embed, form, input, video, audio, base, math, template, "
    "marquee, meta[http-equiv=refresh], a:not([href^='#']), script[src], link:not([href='data:,']), .plot svg a, "
    "[onload], [onerror], [onmouseover]"
)


class Visit:
    """One opened page with all that it did."""

    def __init__(self, browser, path: Path) -> None:
        self.page = browser.new_page()
        self.page.add_init_script(SENTINEL)
        self.seen: list[str] = []
        self.page.on("console", lambda message: self.seen.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.seen.append("dialog"), dialog.dismiss()))
        self.page.on("popup", lambda _: self.seen.append("popup"))
        self.page.on("request", lambda request: self.seen.append(f"request: {request.url[:80]}"))
        self.page.on("framenavigated", lambda frame: self.seen.append(f"navigation: {frame.url[:80]}"))
        self.page.goto(path.as_uri(), wait_until="commit")

    def calls(self) -> list[str]:
        return self.page.evaluate("window.calls")


def test_nothing_runs_and_all_is_read_as_text(browser, reported: Done) -> None:
    path = reported.folder / "report.html"
    visit = Visit(browser, path)
    visit.page.wait_for_selector("html[data-drawn]")
    visit.page.evaluate(TOUCH_EVERYTHING)
    assert visit.calls() == []
    assert visit.seen == [f"request: {path.as_uri()[:80]}", f"navigation: {path.as_uri()[:80]}"]
    assert visit.page.evaluate(f"document.querySelectorAll({MADE_BY_NAMES!r}).length") == 0
    assert (
        visit.page.evaluate("document.querySelectorAll('script').length")
        == 3 + visit.page.locator("figure:not(.pictures)").count()
    )
    assert visit.page.evaluate("getComputedStyle(document.body).display") == "block"
    text = visit.page.evaluate("document.body.textContent")
    cells = set(visit.page.evaluate("[...document.querySelectorAll('th, td')].map(cell => cell.textContent)"))
    for one in TEXTS:
        assert visible(one, keep="\n\t") in text, one
        assert visible(one, keep="\n\t") in cells, one
    for reason in STRINGS:
        assert visible(reason, keep="\n\t") in cells | {""}, reason
    visit.page.close()


def test_the_same_texts_run_where_nobody_escapes_them(browser, tmp_path: Path) -> None:
    """Else the test above would find nothing whatever the report did."""
    raw = tmp_path / "raw.html"
    bodies = [one for one in TEXTS if not one.startswith(("<plaintext", "<xmp", "<!--", "<meta", "<base", "<template"))]
    raw.write_text("<!doctype html><body>" + "\n".join(bodies), "utf-8")
    visit = Visit(browser, raw)
    visit.page.wait_for_function("window.calls.length > 5")
    assert any(one.startswith("request: http://127.0.0.1:9/") for one in visit.seen)
    visit.page.close()
