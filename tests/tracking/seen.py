"""What a person sees in a store."""

import re
from collections.abc import Sequence
from typing import Any

from mlflow import MlflowClient

Snapshot = dict[str, Any]

_PAGE = re.compile(r"#/experiments/\d+(/runs/[0-9a-f]{32})?")
"""Ids in addresses: other ones in every store."""


def look(uri: str, experiment: str = "shifts", served: str | None = None) -> dict[str, Snapshot]:
    """All runs of a study by name, each with everything that a person can see of it but for ids.

    `served`: the address of the server whose database this is, which alone knows where the artifacts lie.
    """
    client, files = MlflowClient(uri), MlflowClient(served or uri)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    assert len({run.info.run_name for run in runs}) == len(runs), "two runs of one name"
    return {
        run.info.run_name: {**_seen(client, run), "artifacts": sorted(_files(files, run.info.run_id))} for run in runs
    }


def _seen(client: MlflowClient, run: Any) -> Snapshot:
    history = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    hidden = {"mlflow.parentRunId"}
    return {
        "status": run.info.status,
        "times": (run.info.start_time, run.info.end_time),
        "tags": {key: _PAGE.sub("#PAGE", value) for key, value in run.data.tags.items() if key not in hidden},
        "params": dict(run.data.params),
        "metrics": {key: [(m.step, m.timestamp, m.value) for m in values] for key, values in history.items()},
        # In no order: a database that was copied gives them in another one.
        "inputs": sorted(
            (i.dataset.name, i.dataset.digest, [t.value for t in i.tags]) for i in run.inputs.dataset_inputs
        ),
    }


def _files(client: MlflowClient, run: str, path: str | None = None) -> Sequence[str]:
    entries = client.list_artifacts(run, path)
    inner = [name for entry in entries if entry.is_dir for name in _files(client, run, entry.path)]
    return [entry.path for entry in entries if not entry.is_dir] + inner
