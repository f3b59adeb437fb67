"""axe-core finds nothing to object to in the page, in light and in dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compared_examples import comparison_page, write_page
from examples import empty_page, factorial_page, page, partial_page, search_page

pytestmark = pytest.mark.browser
PAGES = {
    "whole": page, "partial": partial_page, "empty": empty_page, "factorial": factorial_page, "search": search_page,
    "comparison": comparison_page,
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [*((name, 1280) for name in PAGES), ("whole", 390), ("comparison", 390)])
def test_axe_has_no_objection(browser: Any, tmp_path: Path, name: str, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    write_page(PAGES[name](), tmp_path / "report.html")
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown.goto((tmp_path / "report.html").as_uri())
    shown.wait_for_function("document.documentElement.dataset.drawn")
    found = Axe().run(shown).response["violations"]
    shown.close()
    assert [(one["id"], one["help"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []
