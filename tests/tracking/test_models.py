"""Models of a study that was really run: MLflow loads them, and they give what the trials gave."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pytest
from commands import environment
from made_up import made_up_record
from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from named import held_names
from small_studies import SMALL

from ablation import components
from ablation.addresses import sqlite_uri
from ablation.run_folder import RunFolder
from ablation.tracking.models import chosen
from ablation.trial import Record


def ablate(place: Path, *arguments: str) -> list[str]:
    """What a command that ends well says."""
    command = [sys.executable, "-m", "ablation", *arguments]
    done = subprocess.run(
        command, cwd=place, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """Where a study was run that asks for all models."""
    place = tmp_path_factory.mktemp("ran")
    (place / "small.yaml").write_text(SMALL + "metrics: [macro_f1]\ntracking: {models: all}\n")
    (place / "runs").mkdir()
    shutil.copy(empty_database, place / "runs" / "mlflow.db")
    said = ablate(place, "run", "small.yaml", "--slots", "2")
    assert not [line for line in said if line.startswith("warning: ")]
    return place


def models(place: Path) -> list[LoggedModel]:
    """The models that stand in the store."""
    client = MlflowClient(sqlite_uri(place / "runs" / "mlflow.db"))
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    return sorted(client.search_logged_models([experiment.experiment_id]), key=lambda model: model.name)


def loaded(place: Path, model: LoggedModel) -> mlflow.pyfunc.PyFuncModel:
    return mlflow.pyfunc.load_model(model.artifact_location)


def kept(place: Path) -> list[Record]:
    folder = RunFolder(place / "runs" / "small")
    return [record for record in folder.records() if (folder.trial_folder(record.trial.id) / "weights.pt").exists()]


def study_tags(place: Path) -> dict[str, str]:
    client = MlflowClient(sqlite_uri(place / "runs" / "mlflow.db"))
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "tags.`ablation.study` LIKE '%'")
    return dict(run.data.tags)


def test_every_trial_whose_weights_are_kept_has_a_model_by_its_name(place: Path) -> None:
    names = sorted(f"{record.trial.arm.name} · seed block {record.trial.block}" for record in kept(place))
    assert [model.name for model in models(place)] == names
    assert len(names) == 3, "one an arm"
    assert {str(model.status) for model in models(place)} == {"READY"}


def test_a_model_gives_the_recorded_predictions_of_its_trial(place: Path) -> None:
    by_weights = {record.sha256_of("weights.pt"): record for record in kept(place)}
    for model in models(place):
        record = by_weights[model.tags["ablation.weights"]]
        splits = components.open_data(record.trial.arm.settings.dataset, place)
        predicted = loaded(place, model).predict(np.array(splits.test.images))
        recorded = np.load(place / "runs" / "small" / "trials" / record.trial.id / "predictions.npz")["probabilities"]
        assert predicted.dtype == np.float32
        assert np.abs(predicted - recorded).max() < 1e-3


def test_a_model_has_a_signature_an_example_scores_and_no_pickle(place: Path) -> None:
    model = models(place)[0]
    described = loaded(place, model)
    assert described.metadata.signature is not None
    assert "uint8" in str(described.metadata.signature.inputs)
    assert "(-1, 1, 12, 12)" in str(described.metadata.signature.inputs)
    assert "(-1, 3)" in str(described.metadata.signature.outputs)
    assert described.input_example.shape[0] == 2
    assert described.predict(described.input_example).shape == (2, 3)
    assert [requirement for requirement in open_text(model, "requirements.txt") if "ablation" in requirement] == []
    scores = {metric.key: metric.dataset_name for metric in model.metrics}
    assert scores["test/accuracy"] == "synthetic test"
    assert model.model_type == "classifier"


def open_text(model: LoggedModel, name: str) -> Sequence[str]:
    return Path(model.artifact_location.removeprefix("file://"), name).read_text().splitlines()


def test_a_real_run_writes_the_names_of_the_reference(place: Path) -> None:
    found = held_names(sqlite_uri(place / "runs" / "mlflow.db"), "small")
    assert {"trial test/<metric>", "trial setting.<key>", "model ablation.weights"} <= found


def test_sync_leaves_what_the_run_said_of_the_study(place: Path) -> None:
    before = study_tags(place)
    ablate(place, "sync", "runs/small")
    assert study_tags(place) == before


def test_sync_brings_each_model_once_and_whatever_became_of_it(place: Path) -> None:
    before = {model.name: model.model_id for model in models(place)}
    ablate(place, "sync", "runs/small")
    assert {model.name: model.model_id for model in models(place)} == before
    client = MlflowClient(sqlite_uri(place / "runs" / "mlflow.db"))
    gone, open_, twin = models(place)
    client.delete_logged_model(gone.model_id)
    client.finalize_logged_model(open_.model_id, "PENDING")
    client.create_logged_model(twin.experiment_id, "twin", twin.source_run_id, twin.tags)
    ablate(place, "sync", "runs/small")
    after = {model.name: model for model in models(place)}
    assert after.keys() == before.keys()
    assert {str(model.status) for model in after.values()} == {"READY"}
    assert after[gone.name].model_id != gone.model_id
    assert after[open_.name].model_id == open_.model_id, "what broke off is gone on with"
    assert after[twin.name].model_id == twin.model_id


def test_a_model_that_cannot_be_made_is_a_warning_and_its_own_alone(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs", ignore=shutil.ignore_patterns("*.db", "mlartifacts"))
    record = kept(tmp_path)[0]
    weights = tmp_path / "runs" / "small" / "trials" / record.trial.id / "weights.pt"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    said = ablate(tmp_path, "sync", "runs/small")
    (warning,) = [line for line in said if line.startswith("warning: ")]
    assert f"the model of trial {record.trial.id} cannot be made for MLflow: " in warning
    assert "sha256" in warning
    assert len(models(tmp_path)) == 2


def test_best_is_the_best_by_validation_and_none_is_none(tmp_path: Path) -> None:
    records = []
    for block, accuracy, status in [
        (0, 0.8, "complete"),
        (1, 0.9, "complete"),
        (2, 0.99, "pruned"),
        (3, 0.9, "complete"),
    ]:
        record = made_up_record(block, accuracy, status)
        assert record.outcome is not None
        files = {} if block == 3 else {"weights.pt": f"{block}"}
        records.append(record.model_copy(update={"outcome": record.outcome.model_copy(update={"files": files})}))
    ended = [(record, tmp_path) for record in records]
    assert [record.trial.block for record, _ in chosen(ended, "best")] == [1]
    assert [record.trial.block for record, _ in chosen(ended, "all")] == [1, 0]
    assert chosen(ended, "none") == []
