"""What many tests start from: small studies, each in a directory of its own."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from https_site import Site, serving, write_certificate
from small_studies import SEARCH, SMALL, StudyWriter, load

from ablation.study import Study

# One thread, as a trial has by default: the tests share the cores with the worker processes that they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def _lies_in(folder: Path, module: object) -> bool:
    own = vars(module)  # torch.classes makes up any attribute that it is asked for
    places = [own.get("__file__"), *own.get("__path__", ())]
    return any(place and Path(place).is_relative_to(folder) for place in places)


@pytest.fixture(autouse=True)
def own_modules_stay_with_their_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test imported from a folder of its own, `lab` above all, is not what the next one means by that name."""
    path, there = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - there:
        if _lies_in(tmp_path_factory.getbasetemp(), sys.modules[name]):
            del sys.modules[name]


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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of the HTTPS server that downloads are tested against."""
    pytest.importorskip("cryptography", reason="makes the server's certificate; comes with the dev extra")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    write_certificate(path)
    return path


@pytest.fixture
def site(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """That server."""
    monkeypatch.setenv("no_proxy", "*")
    with serving(certificate) as site:
        yield site
