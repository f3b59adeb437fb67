"""Optuna's index on a real PostgreSQL server, which dies and comes back in the middle of studies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from postgres_server import PostgresServer
from small_studies import SEARCH, StudyWriter

from ablation.databases import engine_options
from ablation.errors import AblationError, PausedError
from ablation.run_folder import RunFolder
from ablation.sampling import open_sampling
from ablation.study import Study
from ablation.trial import Outcome


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def address(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of the test's own; its password stands in a file."""
    for name, value in server.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    name = f"d{time.monotonic_ns()}"
    server.sql("-c", f"CREATE DATABASE {name}")
    return server.address(name)


def trials_of(address: str, study: str) -> list[optuna.trial.FrozenTrial]:
    found: list[optuna.trial.FrozenTrial] = optuna.load_study(study_name=study, storage=address).get_trials()
    return found


def run(folder: Path, storage: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ablation", "run", *arguments, "--scale", "full", "--no-tracking", "--slots", "1"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, "--storage", storage], cwd=folder, env={**os.environ}, **pipes)


def outcomes(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("trials/*/outcome.json")}


def scores(folder: Path) -> dict[str, Any]:
    """All that an outcome says but for times, rates and memory, by trial."""
    read = {name: json.loads(text) for name, text in outcomes(folder).items()}
    return {name: (outcome["status"], outcome["validation"], outcome["test"]) for name, outcome in read.items()}


def test_a_search_whose_server_is_killed_pauses_and_then_draws_what_an_undisturbed_one_draws(
    server: PostgresServer, address: str, write_study: StudyWriter
) -> None:
    """A plan meets the same in tests/services/test_stack.py."""
    text = SEARCH.replace("epochs: 3", "epochs: 1")
    folder = write_study(text, "killed.yaml").parent
    write_study(text, "quiet.yaml")
    quiet = run(folder, f"sqlite:///{folder}/quiet.db", "quiet.yaml")
    first = run(folder, address, "killed.yaml")
    assert first.stderr is not None
    assert any(line.startswith("[1/") for line in first.stderr)
    server.kill()
    rest = first.communicate(timeout=120)[1]
    assert first.returncode == 7, rest
    assert "Optuna's storage at postgresql+psycopg://***@127.0.0.1" in rest
    assert "nothing is lost" in rest
    assert "Traceback" not in rest
    runs = folder / "runs" / "killed"
    before = outcomes(runs)
    assert 1 <= len(before) < 5
    server.start()
    again = run(folder, address, "killed.yaml")
    rest = again.communicate(timeout=120)[1]
    assert again.returncode == 0, rest
    after = outcomes(runs)
    assert {trial: after[trial] for trial in before} == before
    assert quiet.wait(120) == 0
    assert scores(runs) == scores(folder / "runs" / "quiet")
    killed, undisturbed = trials_of(address, "killed"), trials_of(f"sqlite:///{folder}/quiet.db", "quiet")
    assert [(t.number, t.params, t.value) for t in killed] == [(t.number, t.params, t.value) for t in undisturbed]
    assert [trial.state.name for trial in killed] == ["COMPLETE"] * 5


def complete() -> Outcome:
    score = {"loss": 1.0, "accuracy": 0.5}
    return Outcome.model_validate({"status": "complete", "train": score, "validation": score, "test": score})


def test_a_server_that_was_restarted_between_two_calls_is_not_noticed(
    server: PostgresServer, address: str, small_study: Study, tmp_path: Path
) -> None:
    sampling = open_sampling(small_study, RunFolder(tmp_path / "run"), address)
    trial = sampling.ask()
    assert trial is not None
    server.kill()
    server.start()
    sampling.tell(trial, complete())
    assert [trial.state.name for trial in trials_of(address, "small")] == ["COMPLETE"]


def test_a_server_that_is_away_pauses_within_seconds_and_what_it_missed_is_made_up_for(
    server: PostgresServer, address: str, small_study: Study, tmp_path: Path
) -> None:
    sampling = open_sampling(small_study, RunFolder(tmp_path / "run"), address)
    trial = sampling.ask()
    assert trial is not None
    server.kill()
    try:
        for call in (sampling.ask, lambda: sampling.tell(trial, complete())):
            began = time.monotonic()
            with pytest.raises(PausedError, match="does not answer"):
                call()
            assert time.monotonic() - began < 10
        with pytest.raises(AblationError, match="Start or free that storage"):
            open_sampling(small_study, RunFolder(tmp_path / "run"), address)
    finally:
        server.start()
    again = open_sampling(small_study, RunFolder(tmp_path / "run"), address).ask()
    assert again is not None
    assert again.id == trial.id  # nothing of it was lost, for nothing of it had begun


def test_a_lost_network_is_noticed_in_seconds_and_an_address_may_say_otherwise() -> None:
    options = engine_options("postgresql+psycopg://me@db/studies?connect_timeout=3")
    assert options["pool_pre_ping"] is True
    assert "connect_timeout" not in options["connect_args"]
    assert options["connect_args"]["tcp_user_timeout"] == 20_000
    assert engine_options("postgresql://me@db/studies") == engine_options("postgresql+psycopg://me@db/studies")
    assert engine_options("sqlite:////runs/study.db") == {}
