"""MLflow's own pages over a study, in a real browser: what a person sees who has set up nothing."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from commands import environment
from mlflow import MlflowClient
from screenshots import keep
from small_studies import SMALL, load
from whole_study import finished_study

from ablation.addresses import sqlite_uri
from ablation.run_folder import RunFolder

pytestmark = pytest.mark.browser
PATIENCE = 60_000
NO_ASSISTANT = "if (window === top) localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
ARMS = ("baseline", "crop=shifted", "flip=flipped")


@dataclass
class Served:
    address: str
    study: str
    """The address that `ablate ui` prints for the study."""
    runs: dict[str, str]
    """Ids by name."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A finished study, brought to MLflow by `ablate sync` and served by `ablate ui`."""
    place = tmp_path_factory.mktemp("served")
    (place / "small.yaml").write_text(SMALL)
    folder = finished_study(place / "runs" / "small", load(place / "small.yaml"))
    command = [sys.executable, "-m", "ablation"]
    subprocess.run([*command, "sync", "runs/small"], cwd=place, env=environment(), check=True, timeout=300)
    process = subprocess.Popen(
        [*command, "ui", "--port", "0"], cwd=place, env=environment(), stderr=subprocess.PIPE, text=True
    )
    timer = threading.Timer(300, process.kill)
    timer.start()
    assert process.stderr is not None
    first, second = process.stderr.readline(), process.stderr.readline()
    yield Served(first.split()[1], second.split()[1], _runs(folder))
    timer.cancel()
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(30)
    process.kill()


def _runs(folder: RunFolder) -> dict[str, str]:
    client = MlflowClient(sqlite_uri(folder.path.parent / "mlflow.db"))
    found = client.get_experiment_by_name("small")
    assert found is not None
    return {run.info.run_name: run.info.run_id for run in client.search_runs([found.experiment_id])}


HEADS = """[...document.querySelectorAll('.ag-header-cell')]
    .map(head => ({left: head.getBoundingClientRect().left, text: head.innerText.trim()}))
    .sort((one, other) => one.left - other.left).map(head => head.text)"""
"""The heads of the table of runs from left to right; in the document they stand in the order of their making."""


class Visit:
    """One opened page, with the errors of its scripts."""

    def __init__(self, browser: Any, address: str) -> None:
        self.page = browser.new_page(viewport={"width": 1600, "height": 1400})
        # MLflow opens a panel about its assistant on the first visit, over a part of the page.
        self.page.add_init_script(NO_ASSISTANT)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *error: object) -> None:
        self.page.close()
        if error[0] is None:
            assert self.errors == []

    def shows(self, *texts: str) -> None:
        """Wait for each text."""
        for text in texts:
            self.page.get_by_text(text).first.wait_for(timeout=PATIENCE)


def test_the_printed_address_shows_the_arms_as_groups_with_scores_and_factors(browser, served: Served) -> None:
    with Visit(browser, served.study) as visit:
        visit.shows("Do shifts and flips help on small glyphs?", *(f"Group: {arm}" for arm in ARMS))
        visit.shows("baseline · seed block 0", "flip=flipped · seed block 1")
        visit.page.wait_for_function(f"({HEADS}).some(head => head.startsWith('seed_block'))")
        heads = visit.page.evaluate(HEADS)
        shown = [head for head in heads if re.match("test/|validation/|factor|seed", head)]
        assert shown == [
            "test/accuracy",
            "test/loss",
            "validation/accuracy",
            "factor.crop",
            "factor.flip",
            "seed_block",
        ]
        assert "small" not in visit.page.locator(".ag-center-cols-container").inner_text().split()
        keep(visit.page, "mlflow arms")
        bodies = visit.page.locator(".ag-row").all_inner_texts()
        assert any("average" in body for body in bodies), bodies


def test_the_findings_stand_above_the_runs_with_links_that_lead_somewhere(browser, served: Served) -> None:
    with Visit(browser, served.study) as visit:
        visit.shows("Group: baseline")
        question = visit.page.get_by_text("Do shifts and flips help on small glyphs?").first
        question.locator("xpath=following::button[2]").click()  # beside the one that edits it
        visit.shows("Findings")
        keep(visit.page, "mlflow findings")
        for name in ("Report", "Arms side by side", "Charts"):
            href = visit.page.get_by_role("link", name=name, exact=True).first.get_attribute("href")
            with Visit(browser, f"{served.address}/{href}") as linked:
                if name == "Report":
                    page = linked.page.frame_locator("iframe").first
                    page.get_by_text("Do shifts and flips help on small glyphs?").first.wait_for(timeout=PATIENCE)
                else:
                    linked.shows("Group: baseline")


def test_charts_stand_in_sections_by_what_was_read(browser, served: Served) -> None:
    with Visit(browser, f"{served.study}&compareRunsMode=CHART") as visit:
        visit.shows("test/accuracy", "test/loss", "train/accuracy", "train/learning_rate")
        keep(visit.page, "mlflow charts")
        text = visit.page.locator("body").inner_text()
        assert re.search(r"^test\s*\(2\)$.*^train\s*\(3\)$", text, re.MULTILINE | re.DOTALL), text


def test_the_run_of_the_study_has_the_findings_and_leads_to_its_trials(browser, served: Served) -> None:
    with Visit(browser, f"{served.address}/#/experiments/1/runs/{served.runs['small']}") as visit:
        visit.shows("Findings", "Arms side by side", "baseline · seed block 0", "one-factor")


def test_the_run_of_a_trial_shows_what_differs_first_and_its_data_sets(browser, served: Served) -> None:
    run = served.runs["crop=shifted · seed block 1"]
    with Visit(browser, f"{served.address}/#/experiments/1/runs/{run}") as visit:
        visit.shows("factor.crop", "setting.model.width", "test/accuracy", "synthetic training", "arm")
        text = visit.page.locator("body").inner_text()
        assert text.index("factor.crop") < text.index("factor.flip") < text.index("seed_block") < text.index("setting.")


def test_runs_that_are_compared_are_drawn_by_their_factors(browser, served: Served) -> None:
    runs = json.dumps([served.runs[f"{arm} · seed block 1"] for arm in ARMS])  # all complete
    address = f"{served.address}/#/compare-runs?runs={quote(runs)}&experiments={quote(json.dumps(['1']))}"
    with Visit(browser, address) as visit:
        visit.shows("Parallel Coordinates Plot", "factor.crop", "factor.flip", "test/accuracy")
        keep(visit.page, "mlflow compared")
        drawn = visit.page.locator("body").inner_text().partition("Run details")[0]
        assert drawn.index("factor.crop") < drawn.index("factor.flip")
        assert "setting.recipe" not in drawn
