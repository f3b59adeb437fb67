"""What a store holds of a study, held against the tables of names that docs/reference/mlflow.md is written from."""

import re
from collections.abc import Iterable

from mlflow import MlflowClient
from seen import look

from ablation.tracking import names
from ablation.tracking.names import Names

TRIAL_METRICS = {**names.EPOCH_METRICS, **names.TRIAL_METRICS}
MADE_UP = re.compile(r"<[^>]+>")


def held_names(uri: str, experiment: str) -> set[str]:
    """Names of the tables that the store holds, behind what has them. Each that it holds is in its table.

    Of what is complete it holds each name that is always written.
    """
    client = MlflowClient(uri)
    study = client.get_experiment_by_name(experiment)
    assert study is not None
    found = _held("experiment", study.tags, names.EXPERIMENT_TAGS)
    tags = {run.info.run_name: run.data.tags for run in client.search_runs([study.experiment_id])}
    for name, run in look(uri, experiment).items():
        if name == experiment:
            assert (run["params"], run["metrics"], run["inputs"]) == ({}, {}, [])
            found |= _held("study", tags[name], names.STUDY_TAGS)
            found |= _held("study", run["artifacts"], names.STUDY_ARTIFACTS)
            continue
        complete = tags[name]["status"] == "complete"
        found |= _held("trial", run["params"], names.TRIAL_PARAMETERS)
        found |= _held("trial", tags[name], names.TRIAL_TAGS, complete)
        found |= _held("trial", run["metrics"], TRIAL_METRICS, complete)
        found |= _held("trial", run["artifacts"], names.TRIAL_ARTIFACTS, complete)
        found |= _held("trial", [data_set for data_set, *_ in run["inputs"]], names.TRIAL_DATA_SETS, complete)
    for model in client.search_logged_models([study.experiment_id]):
        _held("model", model.params, names.TRIAL_PARAMETERS)
        found |= _held("model", model.tags, names.MODEL_TAGS)
        found |= _held("model", [metric.key for metric in model.metrics or ()], names.MODEL_METRICS)
    return found


def all_names() -> set[str]:
    """Every name of the tables of runs, behind what has it."""
    of_trials = (names.TRIAL_PARAMETERS, TRIAL_METRICS, names.TRIAL_TAGS, names.TRIAL_ARTIFACTS, names.TRIAL_DATA_SETS)
    tables = {
        "experiment": [names.EXPERIMENT_TAGS],
        "study": [names.STUDY_TAGS, names.STUDY_ARTIFACTS],
        "trial": of_trials,
    }
    return {f"{what} {name}" for what, its in tables.items() for table in its for name in table}


def _held(what: str, written: Iterable[str], table: Names, complete: bool = True) -> set[str]:
    found = {_name_of(each, table) for each in written}
    always = {name for name, meaning in table.items() if not meaning.only}
    assert not complete or always <= found, f"{what}: {always - found}"
    return {f"{what} {name}" for name in found}


def _name_of(written: str, table: Names) -> str:
    """The name in the table that stands for this one."""
    fitting = [name for name in table if re.fullmatch(MADE_UP.sub(".+", re.escape(name)), written)]
    assert fitting, f"{written} is not in the table"
    return written if written in fitting else fitting[0]
