"""`ablate sync` with the default store, an SQLite file beside the run folders."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from seen import Snapshot
from whole_study import assert_holds, finished_study

from ablation.addresses import sqlite_uri
from ablation.cli import main
from ablation.holding import hold
from ablation.run_folder import RunFolder
from ablation.study import Study


@pytest.fixture
def folder(
    small_study: Study, tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> RunFolder:  # the store lies in runs/ already
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return finished_study(tmp_path / "runs" / "small", small_study)


def sync(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *more: str) -> tuple[int, list[str]]:
    """The exit code and what was said, line by line."""
    monkeypatch.setattr(sys, "argv", ["ablate", "sync", "runs/small", *more])
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return int(end.value.code or 0), said.err.splitlines()


def shown(folder: RunFolder, name: str) -> dict[str, Snapshot]:
    """What the store holds, looked at in a copy: MLflow keeps the files that it has seen open."""
    runs = folder.path.parent
    return assert_holds(sqlite_uri(Path(shutil.copy(runs / "mlflow.db", runs / name))), folder)


def test_stores_that_were_deleted_are_rebuilt_as_they_were(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = sync(capsys, monkeypatch)
    assert code == 0
    assert said[0] == "Optuna: in step with the 6 trials of runs/small"
    assert said[1].startswith("MLflow at sqlite:///")
    assert said[1].endswith("mlflow.db: 6 trials logged, 0 already there")
    before = shown(folder, "before.db")
    for file in (folder.path.parent / "mlflow.db", folder.path / "study.db"):
        file.unlink()
    shutil.rmtree(folder.path.parent / "mlartifacts")
    command = [sys.executable, "-m", "ablation", "sync", "runs/small"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == said[1]
    assert shown(folder, "after.db") == before
    (index,) = optuna.get_all_study_summaries(sqlite_uri(folder.path / "study.db"))
    assert index.n_trials == 6


ALTERED = {
    "a metric": "DELETE FROM {table} WHERE key = 'test/accuracy' AND run_uuid = '{run}'",
    "a point of a curve": "DELETE FROM metrics WHERE key = 'train/loss' AND step = 1 AND run_uuid = '{run}'",
    "a value": "UPDATE {table} SET value = 0.125 WHERE key = 'test/loss' AND run_uuid = '{run}'",
    "a parameter": "DELETE FROM params WHERE key = 'seed_block' AND run_uuid = '{run}'",
}


def test_what_somebody_altered_in_the_store_is_restored(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sync(capsys, monkeypatch)[0] == 0
    before = shown(folder, "before.db")
    client = MlflowClient(
        sqlite_uri(Path(shutil.copy(folder.path.parent / "before.db", folder.path.parent / "ids.db")))
    )
    found = client.search_experiments(filter_string="name = 'small'")[0].experiment_id
    runs = [run.info.run_id for run in client.search_runs([found], "tags.status = 'complete' AND tags.arm != ''")]
    with contextlib.closing(sqlite3.connect(folder.path.parent / "mlflow.db")) as database:
        for run, statement in zip(runs, ALTERED.values(), strict=False):
            for table in ("metrics", "latest_metrics"):
                database.execute(statement.format(run=run, table=table))
        database.commit()
    assert sync(capsys, monkeypatch)[1][-1].endswith(f"{len(ALTERED)} trials logged, {6 - len(ALTERED)} already there")
    assert shown(folder, "after.db") == before
    assert sync(capsys, monkeypatch)[1][-1].endswith("0 trials logged, 6 already there")


def test_a_trial_that_was_queued_again_leaves_mlflow_until_it_has_ended_again(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sync(capsys, monkeypatch)[0] == 0
    failed = next(
        record.trial.id for record in folder.records() if record.outcome and record.outcome.status == "failed"
    )
    outcome = folder.trial_folder(failed) / "outcome.json"
    text = outcome.read_text()
    outcome.unlink()
    assert sync(capsys, monkeypatch)[1][-1].endswith("0 trials logged, 5 already there")
    runs = shown(folder, "without.db")
    assert runs["small"]["status"] == "KILLED"
    assert runs["small"]["tags"]["status"] == "paused"
    outcome.write_text(text)
    assert sync(capsys, monkeypatch)[1][-1].endswith("1 trials logged, 5 already there")
    assert shown(folder, "with.db")["small"]["status"] == "FINISHED"


def test_a_store_that_does_not_answer_is_exit_code_5_and_optuna_is_in_step(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:hunter2@127.0.0.1:1")
    code, said = sync(capsys, monkeypatch)
    assert code == 5
    assert said[0].startswith("Optuna: in step")
    assert said[1].startswith("error: MLflow at http://***@127.0.0.1:1 fails: ")
    assert "hunter2" not in "".join(said)


def test_an_optuna_storage_that_does_not_answer_is_exit_code_5_without_its_password(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = sync(capsys, monkeypatch, "--storage", "postgresql://user:hunter2@127.0.0.1:1/studies")
    assert code == 5
    assert said[0].startswith("error: Optuna's storage at postgresql://***@127.0.0.1:1/studies cannot be used")
    assert "hunter2" not in "".join(said)


def test_a_study_that_is_being_run_is_left_alone(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold(folder.path):
        code, said = sync(capsys, monkeypatch)
    assert code == 4
    assert "is being run by process" in said[0]
