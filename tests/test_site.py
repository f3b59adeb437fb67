"""The documentation as a site: every page in it, no link of it broken, nothing fetched from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown import PAGES
from source_tree import ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "cache"), str(DOCS)]
    done = subprocess.run([*command, str(folder / "html")], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_every_page_is_in_the_site_and_in_its_sidebar(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in PAGES if page.is_relative_to(DOCS)}
    sidebar = re.findall(r'class="reference internal" href="([^"#]+)"', (site / "README.html").read_text("utf-8"))
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages - {Path("README.html")} <= set(map(Path, sidebar))


def test_links_lead_to_pages_of_the_site_or_to_files_of_the_repository(site: Path) -> None:
    repository = "https://github.com/ablation-harness/ablation-harness/blob/main/"
    broken = []
    for page in site.rglob("*.html"):
        for link in re.findall(r'<a class="reference (?:internal|external)" href="([^"]+)"', page.read_text("utf-8")):
            target, _, anchor = unquote(link).partition("#")
            if target.startswith(repository):
                found = (ROOT / target.removeprefix(repository)).exists()
            elif target.startswith(("https://", "http://")):
                found = True
            else:
                file = (page.parent / target).resolve() if target else page
                found = file.exists() and (not anchor or f'id="{anchor}"' in file.read_text("utf-8"))
            if not found:
                broken.append((str(page.relative_to(site)), link))
    assert not broken


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"', page.read_text("utf-8"))
        assert not loaded, page
