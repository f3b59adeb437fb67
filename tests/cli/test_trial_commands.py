"""explain, retry, stop and single trials, as a person runs them: real processes, real Optuna, real images."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from made_runs import resealed
from small_studies import ONE_FAILS, StudyWriter, write_late
from test_commands import LONG, ablate

from ablation.cli.running import single
from ablation.holding import RECORD, hold
from ablation.run_folder import RunFolder
from ablation.trial import Record

ONE_BLOCK = ONE_FAILS.replace("seeds: 2", "seeds: 1")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which three trials ended, one of them in a failure."""
    path = tmp_path_factory.mktemp("ended study ü")
    write_late(path)
    (path / "small.yaml").write_text(ONE_BLOCK)
    assert ablate("run", "small.yaml", "--no-tracking", cwd=path).returncode == 1
    return path


@pytest.fixture
def place(ended: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(ended, tmp_path / "place")


def record_of(path: Path, arm: str) -> Record:
    return next(record for record in RunFolder(path / "runs/small").records() if record.trial.arm.name == arm)


def contents(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in (path / "runs/small/trials").rglob("*") if file.is_file()}


def test_explain_says_why_a_trial_failed_and_how_to_repeat_it(ended: Path) -> None:
    trial = record_of(ended, "crop=late").trial.id
    done = ablate("explain", "small.yaml", trial, cwd=ended)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert f"trial {trial}" in lines
    assert "arm crop=late" in lines
    assert "levels crop=late, flip=none" in lines
    assert "seed block 0" in lines
    (state,) = (line for line in lines if line.startswith("state"))
    assert state.startswith("state failed (input):")
    assert "takes 64 images" in state
    assert any(line.startswith("attempts 1. ") for line in lines)
    assert any(line.startswith("log --- attempt") for line in lines)
    assert f"repeat ablate run runs/small --trial {trial}" in lines


def test_explain_shows_the_end_of_a_log_with_nothing_unseen(place: Path) -> None:
    trial = record_of(place, "baseline").trial.id
    log = place / "runs/small/trials" / trial / "log.txt"
    log.write_text("".join(f"line {number}\n" for number in range(30)) + "\x1b[31m[red]\u202e\n")
    done = ablate("explain", "small.yaml", trial, cwd=place)
    assert "line 10" not in done.stdout
    assert "line 11" in done.stdout
    assert r"\x1b[31m[red]\u202e" in done.stdout
    assert json.loads(ablate("explain", "small.yaml", trial, "--json", cwd=place).stdout)["log"][-2:] == [
        "line 29",
        r"\x1b[31m[red]\u202e",
    ]


@pytest.mark.parametrize("command", ["explain", "retry"])
def test_an_unknown_trial_is_told_with_what_was_meant(ended: Path, command: str) -> None:
    trial = record_of(ended, "baseline").trial.id
    for wrong in (f"{trial}0", f"../trials/{trial}"):
        done = ablate(command, "small.yaml", wrong, cwd=ended)
        assert done.returncode == 2
        assert "Did you mean" in done.stderr
        assert trial in done.stderr


def test_a_failed_trial_is_queued_again_with_its_log_kept_and_run_by_the_next_run(place: Path) -> None:
    failed = record_of(place, "crop=late").trial.id
    folder = place / "runs/small/trials" / failed
    log = (folder / "log.txt").read_text()
    done = ablate("retry", "small.yaml", "--failed", cwd=place)
    assert done.returncode == 0, done.stderr
    assert f"queued {failed} (crop=late, seed block 0)" in done.stderr
    assert done.stderr.endswith("next: ablate run runs/small\n")
    assert (folder / "earlier-1/log.txt").read_text() == log
    assert json.loads(ablate("status", "small.yaml", "--json", cwd=place).stdout)["waiting"] == 1
    explained = json.loads(ablate("explain", "small.yaml", failed, "--json", cwd=place).stdout)
    assert (explained["state"], explained["attempts"], explained["log"]) == ("waiting", [], [])
    assert [each["cause"] for each in explained["earlier"]] == ["input"]
    again = ablate("run", "small.yaml", "--no-tracking", cwd=place)
    assert again.returncode == 1
    assert again.stderr.count("launched") == 1
    assert ablate("retry", "small.yaml", failed, failed, cwd=place).returncode == 0
    assert sorted(path.name for path in folder.glob("earlier-*")) == ["earlier-1", "earlier-2"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["BASELINE", "FAILED"], "only failed trials are queued again: BASELINE (baseline, seed block 0) is complete"),
        ([], "name trials, or give --failed. Failed: FAILED."),
        (["--failed", "FAILED"], "name trials, or give --failed"),
    ],
)
def test_what_has_not_failed_is_not_queued_and_then_nothing_is(ended: Path, arguments: list[str], says: str) -> None:
    before = contents(ended)
    names = {"BASELINE": record_of(ended, "baseline").trial.id, "FAILED": record_of(ended, "crop=late").trial.id}
    for name, trial in names.items():
        arguments, says = [trial if each == name else each for each in arguments], says.replace(name, trial)
    done = ablate("retry", "small.yaml", *arguments, cwd=ended)
    assert done.returncode == 2
    assert says in done.stderr
    assert contents(ended) == before


def test_nothing_is_queued_while_somebody_runs_the_study(ended: Path) -> None:
    with hold(ended / "runs/small"):
        done = ablate("retry", "small.yaml", "--failed", cwd=ended)
        assert done.returncode == 4
        assert f"process {os.getpid()}" in done.stderr


def test_a_trial_that_has_ended_is_repeated_in_this_process_beside_its_record(
    ended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, processes = contents(ended), []

    def seen(*arguments: object) -> object:
        processes.append(os.getpid())
        return run_trial(*arguments)  # type: ignore[arg-type]

    run_trial = single.run_trial
    monkeypatch.setattr(single, "run_trial", seen)
    for arm, says in (("flip=flipped", "bit-equal to the record"), ("crop=late", "it fails as before")):
        done = ablate("run", "small.yaml", "--trial", record_of(ended, arm).trial.id, cwd=ended)
        assert done.returncode == 0, done.stderr
        assert says in done.stderr
    assert processes == [os.getpid()] * 2
    assert contents(ended) == before


def test_a_repeat_that_comes_out_otherwise_says_in_what(place: Path) -> None:
    trial = record_of(place, "baseline").trial.id
    folder = place / "runs/small/trials" / trial
    outcome = json.loads((folder / "outcome.json").read_text())
    outcome["test"]["accuracy"], outcome["files"] = 0.125, {}
    outcome["stamp"]["versions"]["torch"] = "0.4"
    (folder / "outcome.json").write_text(resealed(outcome))
    events = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join(events[:-1]))
    (folder / "predictions.npz").write_bytes(b"other")
    weights = torch.load(folder / "weights.pt", weights_only=True)
    name, first = next(iter(weights.items()))
    torch.save({**weights, name: first + 1}, folder / "weights.pt")
    done = ablate("run", "small.yaml", "--trial", trial, cwd=place)
    assert done.returncode == 1
    for says in ("test.accuracy: 0.125 -> ", "epochs: 2 -> 3", "ran with versions.torch: 0.4 -> "):
        assert says in done.stderr
    assert "predictions.npz: other probabilities" in done.stderr
    assert done.stderr.count("weights.pt: ") == 1
    assert f"weights.pt: {name}" in done.stderr


def test_a_trial_without_an_outcome_is_run_in_its_own_folder(place: Path) -> None:
    record = record_of(place, "flip=flipped")
    shutil.rmtree(place / "runs/small/trials" / record.trial.id)
    done = ablate("run", "small.yaml", "--trial", record.trial.id, cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("next: ablate run runs/small\n")
    again = record_of(place, "flip=flipped")
    assert record.outcome is not None
    assert again.outcome is not None
    assert again.outcome.test == record.outcome.test
    assert "launched" not in ablate("run", "small.yaml", "--no-tracking", cwd=place).stderr


def test_a_single_trial_begins_a_study_and_refuses_one_that_is_being_run(
    ended: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(ONE_BLOCK)
    write_late(tmp_path)
    failing = record_of(ended, "crop=late").trial.id
    with hold(tmp_path / "runs/small"):
        assert ablate("run", "small.yaml", "--trial", failing, cwd=tmp_path).returncode == 4
    assert ablate("run", "small.yaml", "--trial", failing, cwd=tmp_path).returncode == 1
    assert [record.trial.id for record in RunFolder(tmp_path / "runs/small").records()] == [failing]


ON_A_MACHINE = """
import platform, sys
host = sys.argv.pop(1)
platform.node = lambda: host
from ablation.cli.main import main
main()
"""


def driver(cwd: Path, host: str) -> subprocess.Popen[str]:
    """A study that runs long, on a machine of some name; it is in the middle of a trial."""
    (cwd / "small.yaml").write_text(LONG)
    command = [sys.executable, "-c", ON_A_MACHINE, host, "run", "small.yaml", "--no-tracking", "--slots", "1"]
    running = subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert any(line.startswith("epoch 1/") for line in running.stderr)
    return running


@pytest.mark.parametrize("host", [os.uname().nodename, "another-machine"])
def test_stop_ends_a_study_as_ctrl_c_does(tmp_path: Path, host: str) -> None:
    with driver(tmp_path, host) as running:
        asked = time.monotonic()
        done = ablate("stop", "small.yaml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f"process {running.pid} on {host}" in done.stderr
        assert "stopped. To go on: ablate run runs/small" in done.stderr
        assert running.wait(10) == 143
        assert time.monotonic() - asked < 10
    status = json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)
    assert status["waiting"] == status["planned"] == 3
    assert list(tmp_path.glob("runs/small/trials/*/checkpoint-*"))
    again = ablate("stop", "small.yaml", cwd=tmp_path)
    assert again.returncode == 0
    assert "nobody is running runs/small" in again.stderr


def test_take_over_ends_the_other_driver_first(tmp_path: Path) -> None:
    with driver(tmp_path, "another-machine") as running:
        assert ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path).returncode == 4
        done = ablate("run", "small.yaml", "--no-tracking", "--take-over", "--max-hours", "0", cwd=tmp_path)
        assert done.returncode == 7, done.stderr
        assert running.wait(10) == 143


def test_a_driver_that_was_taken_over_stops_and_names_the_new_one(tmp_path: Path) -> None:
    with driver(tmp_path, "another-machine") as running:
        record = tmp_path / "runs/small" / RECORD
        theirs = json.loads(record.read_text())
        record.write_text(json.dumps({**theirs, "host": "third-machine", "process": 7, "token": "theirs"}))
        _, said = running.communicate(timeout=20)
        assert running.returncode == 4
        assert "taken over by process 7 on third-machine" in said
        assert json.loads(record.read_text())["token"] == "theirs"
