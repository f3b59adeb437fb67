"""Trained models in MLflow: found by tags of ours, and written so that a repetition changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ablation.tracking import rows
from ablation.tracking.models import WEIGHTS
from ablation.tracking.runs import evaluated_on, quoted
from ablation.trial import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

WEIGHTS_TAG = "ablation.weights"
"""The sha256 of the weights that a model was made from."""

_READY: Literal["READY"] = "READY"
_PENDING = "PENDING"
_UNNAMED = re.compile(r"[/:.%\"']")
"""What MLflow takes in no name of a model."""

_USE = """Takes uint8 images, N x channels x height x width, and gives the probabilities of the classes, N x classes.
The preprocessing is inside.

    import mlflow

    mlflow.set_tracking_uri(...)
    model = mlflow.pyfunc.load_model("models:/MODEL ID")
    probabilities = model.predict(images)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a model is to belong to: the run of its trial, and the weights that the trial ended with."""

    run: str
    weights: str


def wanted_of(record: Record, run: str) -> Wanted:
    """What the model of a trial belongs to, given the trial's run."""
    return Wanted(run, record.sha256_of(WEIGHTS))


def standing(client: MlflowClient, experiment: str, tag: tuple[str, str], wanted: set[Wanted]) -> set[Wanted]:
    """Of the models that are wanted those that stand in the store, once and whole. All others with this tag go.

    One whose writing broke off stays too: it is gone on with.
    """
    found: set[Wanted] = set()
    begun: set[Wanted] = set()
    for model in sorted(find_models(client, experiment, *tag), key=lambda each: each.status != _READY):
        made_of = _made_of(model)
        if made_of not in wanted or made_of in found | begun or model.status not in (_READY, _PENDING):
            client.delete_logged_model(model.model_id)
        else:
            (found if model.status == _READY else begun).add(made_of)
    return found


def find_models(client: MlflowClient, experiment: str, tag: str, value: str) -> Iterator[LoggedModel]:
    """The models with this tag, page by page, read before the first is given: callers delete some of them."""
    found: list[LoggedModel] = []
    token: str | None = None
    while True:
        page = client.search_logged_models([experiment], f"tags.`{tag}` = '{quoted(value)}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return iter(found)


def write_model(client: MlflowClient, run: Run, record: Record, files: Path, tags: Mapping[str, str]) -> None:
    """Write a model with its files, and say last that it is ready."""
    from mlflow.entities import LoggedModelOutput

    model = _begun(client, run, record, tags)
    _sign_files(files, model)
    client.log_model_artifacts(model.model_id, str(files))
    _write_scores(client, run, record, model.model_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    if model.model_id not in {each.model_id for each in outputs}:
        client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.finalize_logged_model(model.model_id, _READY)


def _begun(client: MlflowClient, run: Run, record: Record, tags: Mapping[str, str]) -> LoggedModel:
    """The model of these weights: one whose writing broke off, or a new one."""
    weights = record.sha256_of(WEIGHTS)
    for model in find_models(client, run.info.experiment_id, WEIGHTS_TAG, weights):
        if model.source_run_id == run.info.run_id and model.status == _PENDING:
            return model
    return client.create_logged_model(
        run.info.experiment_id,
        name=_UNNAMED.sub("_", rows.run_name(record.trial)),
        source_run_id=run.info.run_id,
        tags={**tags, WEIGHTS_TAG: weights, "mlflow.note.content": _USE},
        params=rows.parameters(record.trial),
        model_type="classifier",
    )


def _sign_files(files: Path, model: LoggedModel) -> None:
    """Say in the files whose they are, as MLflow does where it writes them itself."""
    from mlflow.models import Model

    described = Model.load(str(files))
    described.run_id, described.model_id, described.model_uuid = model.source_run_id, model.model_id, model.model_id
    described.artifact_path = model.artifact_location
    described.save(str(files / "MLmodel"))


def _write_scores(client: MlflowClient, run: Run, record: Record, model: str) -> None:
    """The trial's last scores again, as those of the model on the data that they were read on."""
    from mlflow.entities import Metric

    last = {point.key: point for point in rows.points(record, run.info.start_time)}
    run_id, (name, digest) = run.info.run_id, evaluated_on(record)
    metrics = []
    for key in last:
        if key.startswith(("validation/", "test/")):
            read = key.startswith(record.trial.evaluate_on)
            on, which = (name, digest) if read else (None, None)
            metrics.append(Metric(*last[key], model_id=model, dataset_name=on, dataset_digest=which, run_id=run_id))
    client.log_batch(run_id, metrics=metrics)


def _made_of(model: LoggedModel) -> Wanted:
    return Wanted(str(model.source_run_id), str(model.tags.get(WEIGHTS_TAG, "")))
