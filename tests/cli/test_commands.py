"""The commands as a person runs them: real processes, real Optuna, real images, no network."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import ablate
from live_processes import all_gone, descendants
from small_studies import ONE_FAILS, SEARCH, SMALL, StudyWriter, write_late

REPORT_FILES = ("report.html", "findings.json", "findings.md", "findings.tex", "results.csv")


def started(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own, to be interrupted."""
    command = [sys.executable, "-m", "ablation", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the small study was run, without tracking."""
    path = tmp_path_factory.mktemp("finished study ü")
    (path / "small.yaml").write_text(SMALL)
    done = ablate("run", "small.yaml", "--no-tracking", cwd=path)
    assert done.returncode == 0, done.stderr
    return path


def test_a_run_ends_with_findings_in_words_and_the_path_of_the_report(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "crop: shifted instead of none changes accuracy by" in done.stdout
    assert done.stderr.splitlines()[-1] == "report: runs/small/report.html"
    assert "6 trials (0 done) on cpu, 1 at a time" in done.stderr
    assert all((tmp_path / "runs/small" / name).stat().st_size for name in REPORT_FILES)


def test_a_finished_study_starts_no_trial(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (finished / "runs/small/trials").rglob("*")}
    done = ablate("run", "small.yaml", "--no-tracking", cwd=finished)
    assert done.returncode == 0
    assert "launched" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (finished / "runs/small/trials").rglob("*")} == before


def test_a_run_folder_stands_for_its_study(finished: Path) -> None:
    for command in (["run", "--no-tracking"], ["status"], ["report"], ["plan"]):
        done = ablate(*command, "runs/small", cwd=finished)
        assert done.returncode == 0, done.stderr


def test_an_outcome_says_how_many_trials_ran_side_by_side(finished: Path) -> None:
    """Training times are compared by it."""
    outcomes = [json.loads(file.read_text()) for file in (finished / "runs/small/trials").glob("*/outcome.json")]
    assert [outcome["stamp"]["slots"] for outcome in outcomes] == [1] * 6


def test_status_adds_up(finished: Path) -> None:
    status = json.loads(ablate("status", "small.yaml", "--json", cwd=finished).stdout)
    assert status == {
        **{"study": "small", "planned": 6, "complete": 6},
        **{"running": 0, "waiting": 0, "failed": 0, "diverged": 0, "pruned": 0},
    }


def test_plan_says_what_will_be_done_in_json(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    plan = json.loads(ablate("plan", "small.yaml", "--json", cwd=tmp_path).stdout)
    assert [arm["name"] for arm in plan["arms"]] == ["baseline", "crop=shifted", "flip=flipped"]
    assert [arm["baseline"] for arm in plan["arms"]] == [True, False, False]
    assert plan["arms"][1]["levels"] == {"crop": "shifted", "flip": "none"}
    assert (plan["study"], plan["design"], plan["metric"]) == ("small", "one-factor", "accuracy")
    assert (plan["seed_blocks"], plan["num_trials"]) == ([0, 1], 6)
    assert plan["estimated_seconds"] is None
    assert 0 < plan["detectable_effect"] < 1
    assert len(plan["digest"]) == 64
    assert not (tmp_path / "runs").exists()


def test_plan_knows_the_time_once_it_was_calibrated(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    assert ablate("plan", "small.yaml", "--calibrate", cwd=tmp_path).returncode == 0
    plan = json.loads(ablate("plan", "small.yaml", "--json", cwd=tmp_path).stdout)
    assert plan["estimated_seconds"] > 0
    assert not (tmp_path / "runs/small").exists()


def test_plan_looks_at_a_change_that_run_would_refuse(finished: Path) -> None:
    done = ablate("plan", "small.yaml", "--set", "seeds=7", "--json", cwd=finished)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["num_trials"] == 21
    assert json.loads(done.stdout)["estimated_seconds"] is not None  # its arms were timed in the study that was run


def test_plan_refuses_a_margin_below_one_test_image(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("margin: 0.05", "margin: 0.001"))
    done = ablate("plan", "small.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "less than one of the 96 test images" in done.stderr


def test_report_prints_findings_in_json(finished: Path) -> None:
    report = json.loads(ablate("report", "small.yaml", "--json", cwd=finished).stdout)
    assert (report["study"], report["report"], report["provisional"]) == ("small", "runs/small/report.html", False)
    assert [finding["factor"] for finding in report["findings"]] == ["crop", "flip"]
    keys = ["kind", "factor", "level", "reference", "metric", "effect", "low", "high"]
    keys += ["p_adjusted", "seed_blocks", "verdict", "sentence", "aliases", "equivalence_low", "equivalence_high"]
    assert list(report["findings"][0]) == keys
    assert report["findings"][0]["low"] < report["findings"][0]["effect"] < report["findings"][0]["high"]


def test_the_results_give_the_same_findings_as_anybodys_table(finished: Path, tmp_path: Path) -> None:
    own = json.loads(ablate("report", "small.yaml", "--json", cwd=finished).stdout)["findings"]
    results = finished / "runs/small/results.csv"
    read = ablate("report", "--from", str(results), "--margin", "0.05", "--out", str(tmp_path), "--json", cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)["findings"]
    assert [(f["factor"], f["effect"], f["low"], f["verdict"]) for f in found] == [
        (f["factor"], f["effect"], f["low"], f["verdict"]) for f in own
    ]
    with results.open() as file:
        assert len(list(csv.DictReader(file))) == 6


def test_the_number_of_slots_changes_no_result(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    assert ablate("run", "small.yaml", "--no-tracking", "--slots", "2", cwd=tmp_path).returncode == 0

    def scores(path: Path) -> list[tuple[str, ...]]:
        with (path / "runs/small/results.csv").open() as file:
            return sorted((row["trial"], row["accuracy"], row["loss"]) for row in csv.DictReader(file))

    assert scores(tmp_path) == scores(finished)


def test_a_changed_study_is_refused_with_the_difference(finished: Path) -> None:
    done = ablate("run", "small.yaml", "--no-tracking", "--set", "recipe.epochs=5", cwd=finished)
    assert done.returncode == 3
    assert "recipe.epochs: 3 -> 5" in done.stderr
    assert ablate("status", "small.yaml", cwd=finished).returncode == 0


def test_a_changed_question_is_no_change(finished: Path) -> None:
    done = ablate("run", "small.yaml", "--no-tracking", "--set", "question=Another?", cwd=finished)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "absent.yaml"], 2, "absent.yaml cannot be read"),
        (["status", "absent.yaml"], 2, "no run of absent.yaml"),
        (["report"], 2, "either a STUDY or --from"),
        (["run", "small.yaml", "--scale", "huge"], 2, "there is no scale huge"),
        (["run", "small.yaml", "--device", "cuda", "--runs-dir", "other"], 5, "there is no device 'cuda'"),
        (
            ["run", "small.yaml", "--device", "tpu"],
            2,
            'there is no kind of device "tpu". Did you mean cpu? Allowed: auto, cpu, cuda, mps.',
        ),
        (["plan", "small.yaml", "--device", "cudo"], 2, "Did you mean cuda?"),
        (["run", "small.yaml", "--slots", "0"], 2, "--slots"),
        (["run", "small.yaml", "--set", "recipe.epoch=3"], 2, "Did you mean epochs?"),
        (["components", "engine"], 2, "allowed are dataset, model"),
        (["fly"], 2, "No such command"),
    ],
)
def test_bad_input_is_told_and_has_its_exit_code(
    write_study: StudyWriter, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    write_study()
    done = ablate(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_failed_trials_give_exit_code_1_and_the_report_is_there(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(ONE_FAILS)
    write_late(tmp_path)
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "2 trials failed" in done.stderr
    assert json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)["failed"] == 2
    assert "takes 64 images" in (tmp_path / "runs/small/report.html").read_text()


def test_max_hours_pauses_and_the_same_command_goes_on(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    assert ablate("run", "small.yaml", "--no-tracking", "--max-hours", "0", cwd=tmp_path).returncode == 7
    assert json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)["waiting"] == 6
    assert ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path).returncode == 0


def test_a_search_lists_its_trials_and_claims_nothing(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SEARCH, "search.yaml")
    done = ablate("run", "search.yaml", "--no-tracking", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["findings"] == []
    assert json.loads(ablate("status", "search.yaml", "--json", cwd=tmp_path).stdout)["complete"] == 5


LONG = SMALL.replace("epochs: 3", "epochs: 400").replace("width: 4", "width: 32").replace("seeds: 2", "seeds: 1")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_behind_and_goes_on(
    write_study: StudyWriter, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write_study(LONG)
    running = started(tmp_path, "run", "small.yaml", "--no-tracking", "--slots", "1")
    assert running.stderr is not None
    assert any(line.startswith("epoch 2/") for line in running.stderr)
    second = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert second.returncode == 4
    assert f"process {running.pid}" in second.stderr
    workers = descendants(running.pid)
    assert workers
    sent = time.monotonic()
    running.send_signal(number)
    rest = running.stderr.read()
    assert running.wait(30) == code
    assert time.monotonic() - sent < 5
    assert "run the same command again" in rest
    assert all_gone(workers, 5)
    status = json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)
    assert status["waiting"] == status["planned"] == 3


def test_no_worker_outlives_a_killed_driver_and_the_study_goes_on_where_it_was(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(SMALL.replace("seeds: 2", "seeds: 4"))
    running = started(tmp_path, "run", "small.yaml", "--no-tracking", "--slots", "2")
    assert running.stderr is not None
    assert any(line.startswith("[3/12]") for line in running.stderr)
    workers = descendants(running.pid)
    running.kill()
    running.wait()
    assert all_gone(workers, 10)
    done = {path.parent.name: path.read_bytes() for path in tmp_path.glob("runs/small/trials/*/outcome.json")}
    assert len(done) >= 3
    again = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    after = {path.parent.name: path.read_bytes() for path in tmp_path.glob("runs/small/trials/*/outcome.json")}
    assert len(after) == 12
    assert {name: after[name] for name in done} == done
    assert again.stderr.count("launched") == 12 - len(done)
