"""`ablate ui --optuna`: Optuna's real dashboard over a study's own storage, in a real browser."""

import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import environment
from small_studies import SMALL, load
from whole_study import ODD, finished_study

from ablation.errors import AblationError
from ablation.run_folder import RunFolder
from ablation.sampling import dashboard, open_sampling

PATIENCE = 60_000
COMMAND = [sys.executable, "-m", "ablation", "ui", "--optuna"]


@dataclass
class Served:
    process: subprocess.Popen[str]
    address: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run folder of a finished study lies, one trial of which diverged and one failed."""
    place = tmp_path_factory.mktemp("finished")
    (place / "small.yaml").write_text(SMALL)
    study = load(place / "small.yaml")
    open_sampling(study, finished_study(place / "runs" / "small", study))
    return place


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Served]:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    # What lies in the folder it is started from must not be imported by the server.
    (place / "bottle.py").write_text("raise SystemExit('imported from the current directory')")
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=place, env=environment(), stderr=subprocess.PIPE, text=True
    )
    timer = threading.Timer(300, process.kill)
    timer.start()
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("Optuna's dashboard over sqlite:///"), line + process.stderr.read()
    yield Served(process, next(word for word in line.split() if word.startswith("http://")))
    timer.cancel()
    process.kill()
    process.wait()


def status_of(address: str, host: str | None = None) -> int:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_it_answers_on_this_machine_under_no_other_name(served: Served) -> None:
    assert status_of(f"{served.address}/dashboard/") == 200
    assert status_of(f"{served.address}/dashboard/", host="somebody.example") == 403


@pytest.mark.browser
def test_the_study_shows_its_metric_by_name_and_its_trials_by_arm_and_seed(browser: Any, served: Served) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{served.address}/dashboard/")
    page.get_by_text("small").first.wait_for(timeout=PATIENCE)
    page.get_by_text("Direction: MAXIMIZE").first.wait_for(timeout=PATIENCE)
    page.goto(f"{served.address}/dashboard/studies/1")
    page.get_by_text("test accuracy").first.wait_for(timeout=PATIENCE)
    page.goto(f"{served.address}/dashboard/studies/1/trials?numbers={min(ODD)}")
    for text in ("arm crop=shifted", "seed block 0", "crop shifted", "flip none", "status diverged"):
        page.get_by_text(text).first.wait_for(timeout=PATIENCE)
    page.close()
    assert errors == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_it(served: Served) -> None:
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(30) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(served.address)


def said_by(place: Path, *arguments: str) -> tuple[int, str]:
    command = [*COMMAND, "--port", "0", *arguments]
    done = subprocess.run(
        command, cwd=place, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


def test_of_several_studies_one_has_to_be_named(place: Path, tmp_path: Path) -> None:
    assert said_by(tmp_path) == (
        2,
        "error: Which study? Run folders in runs: none yet. `ablate ui STUDY --optuna` opens one.\n",
    )
    for name in ("one", "other"):
        shutil.copytree(place / "runs" / "small", tmp_path / "runs" / name)
    code, said = said_by(tmp_path)
    assert (code, said.partition(". `")[0]) == (2, "error: Which study? Run folders in runs: one, other")


def test_a_storage_that_is_not_there_is_not_made(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    storage = RunFolder(tmp_path / "runs" / "small").path / "study.db"
    storage.unlink()
    code, said = said_by(tmp_path, "runs/small")
    assert code == 5
    assert said.endswith("study.db: `ablate sync runs/small` makes it from the run folder.\n")
    assert not storage.exists()


def test_without_the_package_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablation.sampling.dashboard.find_spec", lambda _: None)
    with pytest.raises(AblationError, match=r"pip install 'ablation-harness\[dashboard\]'"):
        dashboard.dashboard("sqlite:///study.db", 8080)
