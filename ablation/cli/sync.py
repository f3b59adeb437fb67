"""`ablate sync`: bring Optuna's index and MLflow in step with the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ablation.addresses import default_uri, masked
from ablation.cli.findings import write_study
from ablation.cli.locate import find_folder
from ablation.cli.running.left import count_left
from ablation.cli.running.models import model_maker
from ablation.cli.terminal import say
from ablation.holding import hold
from ablation.run_folder import RunFolder
from ablation.sampling import open_sampling
from ablation.sources.roots import data_at, find_data_root
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.models import bring_models
from ablation.tracking.shipping import ended_trials, note_of
from ablation.trial import Record, Stamp


def sync_study(
    study: Path, runs_dir: Path, scale: str | None, storage: str | None, data_dir: Path | None = None
) -> None:
    """Make both stores hold what the run folder holds, no more and no less, and say what that took.

    Raises:
        StudyLockedError: a driver runs the study, and brings everything itself.
        TrackingError: MLflow does not take it; Optuna's index is in step by then.
    """
    folder = find_folder(study, runs_dir, scale)
    with hold(folder.path), data_at(data_dir):
        open_sampling(folder.beginning().study, folder, storage)
        say(f"Optuna: in step with the {len(folder.records())} trials of {folder.path}")
        uri = default_uri(runs_dir)
        tracker = MlflowTracker(uri, thorough=True)
        logged, there = _bring(tracker, folder)
        if not count_left(folder):
            _bring_models(tracker, folder)
    say(f"MLflow at {masked(uri)}: {logged} trials logged, {there} already there")


def _bring(tracker: MlflowTracker, folder: RunFolder) -> tuple[int, int]:
    """Offer everything to MLflow, findings and report included; how many trials it took, and how many it had."""
    study = folder.beginning().study
    ended = list(ended_trials(folder))
    written = write_study(folder)
    tracker.begin(study, note_of(folder, _last_stamp([record for record, _ in ended])))
    logged = sum(tracker.log(record, where) for record, where in ended)
    tracker.end(written.markdown, written.files, complete=not count_left(folder))
    return logged, len(ended) - logged


def _bring_models(tracker: MlflowTracker, folder: RunFolder) -> None:
    """Make and log the models that the study asks for and MLflow lacks; a model that cannot be made is a warning."""
    missing = tracker.missing_models(list(ended_trials(folder)))
    if missing:
        with model_maker(folder, find_data_root(None)) as make:
            bring_models(missing, make, tracker.log_model, lambda text: say(f"warning: {text}"))


def _last_stamp(records: Sequence[Record]) -> Stamp:
    """Where the study was run last: not where it is brought in step, which may be another machine.

    Of the code the package's alone: components differ from arm to arm.
    """
    stamps = [record.outcome.stamp for record in records if record.outcome and record.outcome.stamp]
    last = max(stamps, key=lambda stamp: stamp.started, default=Stamp(versions={}))
    return last.model_copy(update={"code": {name: code for name, code in last.code.items() if name == "ablation"}})
