"""Runs in MLflow: found by a tag of ours, and written so that a repetition changes nothing."""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ablation.tracking import rows
from ablation.tracking.confusion import confusion_page
from ablation.trial import Outcome, Record
from ablation.trial_files import is_whole

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FOLDER_TAG = "folder"
_CLOSED = {"complete": "FINISHED", "diverged": "FINISHED", "pruned": "FINISHED", "failed": "FAILED"}
_FILES = ("predictions.npz", "log.txt")
_SHOWN_DIGEST = 12
"""MLflow takes 36 characters at most and shows them in every row of its table; the source holds all 64."""


def find_runs(client: MlflowClient, experiment: str, tag: str, value: str) -> Iterator[Run]:
    """The runs with this tag, page by page; deleted ones are left out."""
    token: str | None = None
    while True:
        page = client.search_runs([experiment], f"tags.`{tag}` = '{quoted(value)}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def quoted(value: str) -> str:
    """A text that can stand between the quotes of a search and is stored in the same form."""
    return rows.cut(value.replace("'", "_"), rows.LONGEST_TAG)


def source_tags() -> dict[str, str]:
    """Who wrote a run and with what; the client sets none of these by itself."""
    user = "unknown"
    # A container's user often has no name: KeyError, from Python 3.13 on OSError.
    with contextlib.suppress(KeyError, OSError):
        user = getpass.getuser()
    return {"mlflow.user": user, "mlflow.source.name": "ablate", "mlflow.source.type": "LOCAL"}


def write_tags(client: MlflowClient, run: str, tags: Mapping[str, str]) -> None:
    """Set tags, replacing what they were."""
    from mlflow.entities import RunTag

    for batch in rows.batches(tags.items(), 100):
        client.log_batch(run, tags=[RunTag(*row) for row in batch])


def write_trial(client: MlflowClient, run: Run, record: Record, folder: Path) -> None:
    """Write all of a trial, and close its run last: an open run is one whose writing was cut off."""
    from mlflow.entities import Metric, Param

    outcome = record.outcome
    assert outcome is not None, "only what has ended is written"
    run_id, start = run.info.run_id, run.info.start_time
    points = rows.batches(rows.points(record, start), 800)
    parameters = rows.batches(rows.parameters(record.trial).items(), 100)
    for metrics, params in zip_longest(points, parameters, fillvalue=()):
        client.log_batch(run_id, metrics=[Metric(*row) for row in metrics], params=[Param(*row) for row in params])
    _write_outcome(client, run_id, record, outcome)
    for name in _FILES:
        if (folder / name).exists() and is_whole(folder, name, outcome):
            client.log_artifact(run_id, str(folder / name))
    client.set_terminated(run_id, _CLOSED[outcome.status], rows.ended(record, start))


def holds(client: MlflowClient | None, run: Run, record: Record) -> bool:
    """Whether a closed run has the parameters and metrics of its record: each point where there is a client to ask."""
    wanted: dict[str, list[rows.Point]] = {}
    for point in rows.points(record, run.info.start_time):
        wanted.setdefault(point.key, []).append(point)
    last = {key: max(points, key=lambda one: (one.step, one.timestamp, one.value)) for key, points in wanted.items()}
    if run.data.params != rows.parameters(record.trial):
        return False
    if run.data.metrics != {key: point.value for key, point in last.items()}:
        return False
    return client is None or all(_points(client, run, key) == sorted(set(points)) for key, points in wanted.items())


def _points(client: MlflowClient, run: Run, key: str) -> list[rows.Point]:
    history = client.get_metric_history(run.info.run_id, key)
    return sorted(rows.Point(key, each.value, each.timestamp, each.step) for each in history)


def _write_outcome(client: MlflowClient, run: str, record: Record, outcome: Outcome) -> None:
    if outcome.confusion:
        title = f"{rows.run_name(record.trial)}, {record.trial.evaluate_on} images"
        client.log_text(run, confusion_page(title, outcome.classes, outcome.confusion), "confusion.html")
    if _fingerprint(record):
        _write_lineage(client, run, record, outcome)


def evaluated_on(record: Record) -> tuple[str, str]:
    """The name and the digest under which MLflow shows the images that a trial was evaluated on."""
    return f"{record.trial.arm.settings.dataset.name} {record.trial.evaluate_on}", _fingerprint(record)[:_SHOWN_DIGEST]


def _fingerprint(record: Record) -> str:
    stamp = record.outcome.stamp if record.outcome else None
    return stamp.data_fingerprint if stamp else ""


def _write_lineage(client: MlflowClient, run: str, record: Record, outcome: Outcome) -> None:
    """The data set as MLflow knows them: one for the images of training, one for those of the evaluation."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, (evaluated, digest) = record.trial.arm.settings.dataset.name, evaluated_on(record)
    inputs = []
    for shown, context in ((f"{name} training", "training"), (evaluated, "evaluation")):
        dataset = Dataset(
            name=shown,
            digest=digest,
            source_type="ablation",
            source=json.dumps({"dataset": name, "sha256": _fingerprint(record)}),
            profile=json.dumps({"classes": len(outcome.classes)}),
        )
        inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", context)]))
    client.log_inputs(run, inputs)
