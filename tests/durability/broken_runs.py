"""A study that is killed and run again, and what is left of it in comparison with one that nobody disturbed."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from mlflow import MlflowClient
from mlflow.entities import Run
from small_studies import SMALL

from ablation.addresses import sqlite_uri
from ablation.run_folder import RunFolder

STUDY = (
    SMALL.replace("seeds: 2", "seeds: 8")
    .replace("epochs: 3", "epochs: 8")
    .replace("width: 4", "width: 8, dropout: 0.2")
    .replace("margin", "execution: {keep: all, checkpoint_seconds: 0.05}\nmargin")
)
"""24 trials of a fifth of a second with several checkpoints within each."""

FEWER = STUDY.replace("seeds: 8", "seeds: 2").replace("epochs: 8", "epochs: 16")
"""Six trials of half a second or more."""

BEST_ONLY = STUDY.replace("keep: all, ", "")
"""The same, which keeps the weights of each arm's best trial, as by default."""

INCIDENTAL = {
    "seconds",
    "images_per_second",
    "peak_memory_bytes",
    "started",
    "slots",
    "busy",
    "git_commit",
    "git_dirty",
}
"""What may differ: times, rates, memory, and how many trials ran side by side."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    stderr: str


class BrokenRuns:
    """Runs of one study in one directory, by real processes."""

    def __init__(self, place: Path, study: str = STUDY, tracking: bool = True) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place, self.tracking = place, tracking
        self.log = place / "faults.log"
        (place / "study.yaml").write_text(study)

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.place / "runs" / "study")

    def start(
        self, fault: str = "", slots: int = 2, untracked: bool = False, more: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start a run that meets a fault, in a session of its own."""
        tracking = ["--no-tracking"] if untracked or not self.tracking else []
        return self._start(["run", "study.yaml", "--slots", str(slots), *tracking, *more], fault)

    def _start(self, arguments: Sequence[str], fault: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ablation", *arguments]
        given = {"ABLATE_FAULT": fault, "ABLATE_FAULT_LOG": str(self.log)} if fault else {}
        return subprocess.Popen(
            command, cwd=self.place, env={**os.environ, **given}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, fault: str = "", slots: int = 2, untracked: bool = False) -> Ended:
        """Run until the end, or until the fault."""
        return _ended(self.start(fault, slots, untracked))

    def command(self, *arguments: str, fault: str = "") -> Ended:
        """Give any command, and wait for its end or for the fault."""
        return _ended(self._start(arguments, fault))

    def run_and_kill(self, slots: int, epochs: int, then: float) -> Ended:
        """Kill a run so many seconds after so many epochs, unless it comes to its end before."""
        running = self.start(slots=slots)
        pass_epochs(running, epochs)
        time.sleep(then)
        running.kill()
        return _ended(running)

    def cut_short(self) -> list[str]:
        """The trials that were begun and have no outcome."""
        return [record.trial.id for record in self.folder.records() if record.outcome is None]

    def happened(self) -> list[str]:
        """The faults that were met."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def contents(self, name: str = "study") -> dict[str, Any]:
        """All that must not depend on what happened on the way."""
        folder = RunFolder(self.place / "runs" / name)
        return {"trials": _trials(folder), "optuna": optuna_of(folder), "mlflow": self._mlflow()}

    def open_runs(self) -> list[str]:
        """The MLflow runs that are shown as going on."""
        return [run.info.run_name for run in self._runs(self._client()) if run.info.status == "RUNNING"]

    def _client(self) -> MlflowClient:
        return MlflowClient(sqlite_uri(self.place / "runs" / "mlflow.db"))

    def _runs(self, client: MlflowClient) -> list[Run]:
        found = client.search_experiments(filter_string="name = 'study'")
        return [run for each in found for run in client.search_runs([each.experiment_id], max_results=1000)]

    def _mlflow(self) -> dict[str, Any]:
        if not self.tracking:
            return {}
        client, found = self._client(), dict[str, Any]()
        for run in self._runs(client):
            assert run.info.status == "FINISHED", (run.info.run_name, run.info.status)
            assert run.info.run_name not in found, "a trial stands twice in MLflow"
            found[run.info.run_name] = {
                "params": run.data.params,
                "metrics": {
                    name: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
                    for name in run.data.metrics
                    if not any(time in name for time in ("seconds", "images_per_second", "memory"))
                },
                "artifacts": sorted(file.path for file in client.list_artifacts(run.info.run_id)),
            }
        return found


def _trials(folder: RunFolder) -> dict[str, Any]:
    found = {}
    for record in folder.records():
        place = folder.trial_folder(record.trial.id)
        assert record.outcome is not None, record.trial.id
        found[record.trial.id] = {
            "trial": record.trial.model_dump(exclude={"number"}),
            "outcome": _lasting(record.outcome.model_dump(mode="json")),
            "epochs": [_lasting(epoch.model_dump()) for epoch in record.epochs],
            "weights": _hash_of_weights(place / "weights.pt"),
            "predictions": _hash(place / "predictions.npz"),
            "left behind": sorted(p.name for p in place.iterdir() if _is_left_behind(p.name)),
        }
    return found


def optuna_of(folder: RunFolder) -> dict[str, Any]:
    index = optuna.load_study(study_name=folder.path.name, storage=sqlite_uri(folder.path / "study.db"))
    trials = [trial for trial in index.trials if trial.state.name != "FAIL"]
    by_trial = {trial.user_attrs["trial"]: (trial.state.name, trial.params, trial.value) for trial in trials}
    assert len(by_trial) == len(trials), "a trial stands twice in Optuna"
    return by_trial


def _ended(running: subprocess.Popen[str]) -> Ended:
    _, stderr = running.communicate(timeout=240)
    return Ended(running.returncode, stderr)


def pass_epochs(running: subprocess.Popen[str], count: int) -> None:
    """Wait until so many epochs were told, or until the run has come to its end."""
    assert running.stderr is not None
    for _ in itertools.islice((line for line in running.stderr if line.startswith("epoch")), count):
        pass


def best_only(contents: dict[str, Any]) -> dict[str, Any]:
    """What would be there if of each arm only the weights of the best trial had been kept."""
    trials: dict[str, Any] = contents["trials"]
    best: dict[str, tuple[float, float, str]] = {}
    for name, each in trials.items():
        scores, arm = each["outcome"]["validation"], each["trial"]["arm"]["name"]
        mine = (-scores["accuracy"], scores["loss"], name)
        best[arm] = min(mine, best.get(arm, mine))
    kept = {name for _, _, name in best.values()}
    return {
        **contents,
        "trials": {name: each if name in kept else {**each, "weights": None} for name, each in trials.items()},
    }


def _is_left_behind(name: str) -> bool:
    return "checkpoint" in name or ".part" in name or name == "attempt.json"


def _hash(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _lasting(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _lasting(each) if isinstance(each, Mapping) else each
        for key, each in value.items()
        if key not in INCIDENTAL
    }


def _hash_of_weights(path: Path) -> str | None:
    if not path.exists():
        return None
    state = torch.load(path, weights_only=True)
    parts = [name.encode() + value.numpy().tobytes() for name, value in state.items()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The keys, dotted, at which two contents differ."""
    found = []
    for key in sorted({*one, *other}, key=str):
        mine, theirs = one.get(key), other.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            found += [f"{key}.{inner}" for inner in differing(mine, theirs)]
        elif mine != theirs:
            found.append(f"{key}: {json.dumps(mine, default=str)[:100]} != {json.dumps(theirs, default=str)[:100]}")
    return found


KILLED = -signal.SIGKILL
