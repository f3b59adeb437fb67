"""What many tests start from: small studies, each in a directory of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_studies import SEARCH, SMALL, StudyWriter, load

from ablation.study import Study

# One thread, as a trial has by default: the tests share the cores with the worker processes that they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def write_study(tmp_path: Path) -> StudyWriter:
    """Write a study file into a directory of its own and return its path."""

    def write(text: str = SMALL, name: str = "small.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def small_study(write_study: StudyWriter) -> Study:
    """Three arms, two seed blocks, six trials of under a second."""
    return load(write_study())


@pytest.fixture
def search_study(write_study: StudyWriter) -> Study:
    """Five trials drawn by TPE."""
    return load(write_study(SEARCH, "search.yaml"))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium; a test that asks for it skips, with the reason, where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        yield chromium
        chromium.close()
