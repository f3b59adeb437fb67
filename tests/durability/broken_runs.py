"""A study that is killed and run again, and what is left of it in comparison with one that nobody disturbed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
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
    .replace("epochs: 3", "epochs: 20")
    .replace("width: 4", "width: 8, dropout: 0.2")
    .replace("margin", "execution: {keep: all, checkpoint_seconds: 0.05}\nmargin")
)
"""24 trials of a third of a second with many checkpoints within each."""

INCIDENTAL = {"seconds", "images_per_second", "peak_memory_bytes", "started", "slots", "git_commit", "git_dirty"}
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

    def start(self, fault: str = "", slots: int = 2, untracked: bool = False) -> subprocess.Popen[str]:
        """Start a run that meets a fault, in a session of its own."""
        tracking = ["--no-tracking"] if untracked or not self.tracking else []
        command = [sys.executable, "-m", "ablation", "run", "study.yaml", "--slots", str(slots), *tracking]
        given = {"ABLATE_FAULT": fault, "ABLATE_FAULT_LOG": str(self.log)} if fault else {}
        return subprocess.Popen(
            command, cwd=self.place, env={**os.environ, **given}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, fault: str = "", slots: int = 2, kill_after: float | None = None, untracked: bool = False) -> Ended:
        """Run until the end, until the fault, or until it is killed after so many seconds."""
        running = self.start(fault, slots, untracked)
        try:
            _, stderr = running.communicate(timeout=kill_after or 240)
        except subprocess.TimeoutExpired:
            running.kill()
            _, stderr = running.communicate()
        return Ended(running.returncode, stderr)

    def happened(self) -> list[str]:
        """The faults that were met."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def contents(self) -> dict[str, Any]:
        """All that must not depend on what happened on the way."""
        return {"trials": self._trials(), "optuna": self._optuna(), "mlflow": self._mlflow()}

    def _trials(self) -> dict[str, Any]:
        found = {}
        for record in self.folder.records():
            place = self.folder.trial_folder(record.trial.id)
            assert record.outcome is not None, record.trial.id
            found[record.trial.id] = {
                "trial": record.trial.model_dump(exclude={"number"}),
                "outcome": _lasting(record.outcome.model_dump(mode="json")),
                "epochs": [_lasting(epoch.model_dump()) for epoch in record.epochs],
                "weights": _hash_of_weights(place / "weights.pt"),
                "predictions": hashlib.sha256((place / "predictions.npz").read_bytes()).hexdigest(),
                "left behind": sorted(p.name for p in place.iterdir() if "checkpoint" in p.name or ".part" in p.name),
            }
        return found

    def _optuna(self) -> dict[str, Any]:
        index = optuna.load_study(study_name="study", storage=sqlite_uri(self.folder.path / "study.db"))
        trials = [trial for trial in index.trials if trial.state.name != "FAIL"]
        by_trial = {trial.user_attrs["trial"]: (trial.state.name, trial.params, trial.value) for trial in trials}
        assert len(by_trial) == len(trials), "a trial stands twice in Optuna"
        return by_trial

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


def _lasting(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _lasting(each) if isinstance(each, Mapping) else each
        for key, each in value.items()
        if key not in INCIDENTAL
    }


def _hash_of_weights(path: Path) -> str:
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
