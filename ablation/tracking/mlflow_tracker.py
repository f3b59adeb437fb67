"""A study in MLflow: one experiment, a parent run for the study, and a child run for each trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablation.settings import digest
from ablation.study import Study
from ablation.tracking import StudyNote, rows
from ablation.tracking.client import artifact_location, open_client, tracking_errors
from ablation.tracking.logged_models import Wanted, standing, wanted_of, write_model
from ablation.tracking.models import WEIGHTS, Ended, chosen
from ablation.tracking.note import shortened, study_note
from ablation.tracking.runs import FOLDER_TAG, find_runs, holds, quoted, source_tags, write_tags, write_trial
from ablation.tracking.views import VIEW_TAG, arms_view, links
from ablation.trial import Record
from ablation.visible import in_markdown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STUDY_TAG = "ablation.study"
TRIAL_TAG = "ablation.trial"
RECORD_TAG = "ablation.record"
"""The digest of the record that a run was written from: a trial that was trained anew gets a new run."""

_PARENT_TAG = "mlflow.parentRunId"
_NOTE_TAG = "mlflow.note.content"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the store a study stands."""

    client: MlflowClient
    experiment: str
    parent: str
    study: Study
    key: str


@dataclass(frozen=True, slots=True)
class _Closed:
    """A trial's run that is written to its end, and when that was, in milliseconds since 1970."""

    run: str
    end: int
    found: Run | None = None
    """As it stood in the store when the study was opened; None of one that was written since."""


class MlflowTracker:
    """Writes a study to the MLflow store at `uri`; one thread at a time.

    A run that stands there is held against its record: parameters and last values of the metrics, or where it is to be
    `thorough`, every point. One that differs, because somebody deleted or altered something, is written anew.
    """

    def __init__(self, uri: str, thorough: bool = False) -> None:
        self.uri, self._thorough = uri, thorough
        self._begun: _Place | None = None
        self._written: dict[tuple[str, str], _Closed] = {}
        """Trials that stand in the store, by their tag and the digest of their record."""
        self._logged: dict[str, _Closed] = {}
        """Trials that were given to `log`, by their tag."""

    def begin(self, study: Study, about: StudyNote) -> None:
        """Open the study, or find it again with all its trials that are written already."""
        with tracking_errors(self.uri):
            client = open_client(self.uri)
            experiment = _open_experiment(client, study, artifact_location(self.uri, study.folder_name))
            parent = _open_parent(client, experiment, study, about)
            self._begun = _Place(client, experiment, parent, study, quoted(about.key))
            self._written, self._logged = _closed_trials(self._begun), {}

    def log(self, record: Record, folder: Path) -> bool:
        """Write one finished trial; nothing is sent for one that is written already."""
        place = self._place()
        trial, sha = quoted(f"{place.key}/{record.trial.id}"), digest(record.model_dump(mode="json"))
        with tracking_errors(self.uri):
            there = self._stands(self._written.get((trial, sha)), record)
        if not there:
            with tracking_errors(self.uri):
                tags = {**rows.tags(record), FOLDER_TAG: str(folder), TRIAL_TAG: trial, RECORD_TAG: sha}
                run = _trial_run(place, record, tags)
                if run.info.status == "RUNNING":
                    write_trial(place.client, run, record, folder)
            self._written[trial, sha] = _Closed(run.info.run_id, rows.ended(record, run.info.start_time))
        self._logged[trial] = self._written[trial, sha]
        return not there

    def _stands(self, closed: _Closed | None, record: Record) -> bool:
        """Whether a trial's run holds what its record holds; one that does not goes, to be written anew."""
        if closed is None or closed.found is None:
            return closed is not None
        client = self._place().client
        if holds(client if self._thorough else None, closed.found, record):
            return True
        client.delete_run(closed.run)
        return False

    def pause(self) -> None:
        """Close the parent run; the next `begin` opens it again."""
        place = self._place()
        with tracking_errors(self.uri):
            write_tags(place.client, place.parent, {"status": "paused"})
            place.client.set_terminated(place.parent, "KILLED")

    def end(self, findings_markdown: str, artifacts: Sequence[Path], complete: bool) -> None:
        """Write findings and report to the parent run, and close it."""
        place = self._place()
        found = f"{links(place.experiment, place.parent)}\n\n{findings_markdown}"
        note = shortened(found, "report/findings.md among the artifacts")
        with tracking_errors(self.uri):
            _delete_strays(place, {run.run for run in self._logged.values()})
            for file in artifacts:
                if file.exists():
                    place.client.log_artifact(place.parent, str(file), "report")
            place.client.log_text(place.parent, findings_markdown, "report/findings.md")
            write_tags(place.client, place.parent, {_NOTE_TAG: note, "status": "complete" if complete else "paused"})
            _describe(place.client, place.experiment, place.study, found)
            # A paused study would else be shown as running for ever.
            end = max((run.end for run in self._logged.values()), default=None)
            place.client.set_terminated(place.parent, "FINISHED" if complete else "KILLED", end)

    def missing_models(self, ended: Ended) -> Ended:
        """The trials whose models the study asks for and the store lacks; models that it does not ask for go."""
        place = self._place()
        asked = {self._wanted(each[0]): each for each in chosen(ended, place.study.tracking.models)}
        with tracking_errors(self.uri):
            there = standing(place.client, place.experiment, (STUDY_TAG, place.key), set(asked))
        missing = [each for wanted, each in asked.items() if wanted not in there]
        # Of weights that were let go of since nothing can be made.
        return [(record, folder) for record, folder in missing if (folder / WEIGHTS).exists()]

    def log_model(self, record: Record, files: Path) -> None:
        """Write the model of a trial, with its files as MLflow loads them."""
        place, tags = self._place(), rows.tags(record)
        kept = {key: tags[key] for key in ("arm", "seed block")} | {STUDY_TAG: place.key, **source_tags()}
        with tracking_errors(self.uri):
            write_model(place.client, place.client.get_run(self._wanted(record).run), record, files, kept)

    def _wanted(self, record: Record) -> Wanted:
        return wanted_of(record, self._logged[quoted(f"{self._place().key}/{record.trial.id}")].run)

    def link(self, study: Study, about: StudyNote) -> None:
        """Write the links of a study that may have ended. Nothing where it does not stand in the store."""
        with tracking_errors(self.uri):
            client = open_client(self.uri)
            experiment = client.get_experiment_by_name(study.folder_name)
            for run in find_runs(client, experiment.experiment_id, STUDY_TAG, about.key) if experiment else ():
                write_tags(
                    client, run.info.run_id, {key: rows.cut(tag, rows.LONGEST_TAG) for key, tag in about.links.items()}
                )

    def _place(self) -> _Place:
        assert self._begun is not None, "begin comes first"
        return self._begun


def _open_experiment(client: MlflowClient, study: Study, location: str | None) -> str:
    found = client.get_experiment_by_name(study.folder_name)
    if found is None:
        experiment: str = client.create_experiment(study.folder_name, artifact_location=location)
    else:
        experiment = found.experiment_id
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(experiment)
    if found is None or _NOTE_TAG not in found.tags:  # else the findings of an earlier session stay until `end`
        _describe(client, experiment, study)
    return experiment


def _describe(client: MlflowClient, experiment: str, study: Study, found: str = "") -> None:
    """Say above the table of runs what was asked and what was found: the page of a run says it far down."""
    text = f"**{in_markdown(study.question)}**\n\n{found}".strip()
    client.set_experiment_tag(experiment, _NOTE_TAG, shortened(text, "the run of the study", rows.LONGEST_TAG - 100))


def _open_parent(client: MlflowClient, experiment: str, study: Study, about: StudyNote) -> str:
    """The parent run, open. What stands in it of an earlier session, the findings too, stays until `end`."""
    key = quoted(about.key)
    found = [run.info.run_id for run in find_runs(client, experiment, STUDY_TAG, key)]
    _delete(client, found[1:])
    tags = _study_tags(study, about)
    if found:
        parent: str = found[0]
        client.update_run(parent, status="RUNNING")
        write_tags(client, parent, tags)
    else:
        tags |= {STUDY_TAG: key, _NOTE_TAG: study_note(study, about.arms, about.trials), **source_tags()}
        parent = client.create_run(experiment, rows.started(about.stamp), tags, study.folder_name).info.run_id
    client.set_experiment_tag(experiment, VIEW_TAG, arms_view(study, rows.started(about.stamp) or 0))
    if about.study_file and about.study_file.exists():
        client.log_artifact(parent, str(about.study_file))
    return parent


def _closed_trials(place: _Place) -> dict[tuple[str, str], _Closed]:
    """Trials that stand in the store as they should: closed, and once. Any other is to be looked at by `log`."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in find_runs(place.client, place.experiment, _PARENT_TAG, place.parent):
        key = run.data.tags.get(TRIAL_TAG, ""), run.data.tags.get(RECORD_TAG, "")
        found.setdefault(key, []).append(run)
    return {
        key: _Closed(run.info.run_id, run.info.end_time, run)
        for key, (run, *twins) in found.items()
        if run.info.status != "RUNNING" and not twins
    }


def _delete_strays(place: _Place, kept: set[str]) -> None:
    """Delete runs of this study that no record stands behind: twins of a create that was sent twice, trials put back.

    Runs that a person has put below the study carry no tag of ours and stay.
    """
    children = find_runs(place.client, place.experiment, _PARENT_TAG, place.parent)
    parents = find_runs(place.client, place.experiment, STUDY_TAG, place.key)
    runs = [run for run in children if TRIAL_TAG in run.data.tags] + list(parents)
    _delete(place.client, [run.info.run_id for run in runs if run.info.run_id not in {*kept, place.parent}])


def _study_tags(study: Study, about: StudyNote) -> dict[str, str]:
    tags = {
        "study": study.name,
        "question": study.question,
        "scale": study.scale,
        "design": study.design.kind,
        "seed blocks": str(len(study.seed_blocks)),
        "arms": str(about.arms),
        "trials": str(about.trials),
        "metric": f"{study.metric} on {study.evaluate_on}",
        "margin": f"{study.margin:g}",
        "digest": about.digest,
        "status": "running",
        **about.links,
    }
    return {key: rows.cut(value, rows.LONGEST_TAG) for key, value in tags.items()} | rows.stamp_tags(about.stamp)


def _trial_run(place: _Place, record: Record, tags: dict[str, str]) -> Run:
    """The run of this trial: found, or made. A create that timed out may have worked, a retried one worked twice."""
    client = place.client
    found = list(find_runs(client, place.experiment, TRIAL_TAG, tags[TRIAL_TAG]))
    same = [run for run in found if run.data.tags.get(RECORD_TAG) == tags[RECORD_TAG]]
    kept = min(same, key=lambda run: run.info.status == "RUNNING", default=None)
    _delete(client, [run.info.run_id for run in found if run is not kept])
    if kept is None:
        stamp = record.outcome.stamp if record.outcome else None
        tags = {**tags, _PARENT_TAG: place.parent, **source_tags()}
        return client.create_run(place.experiment, rows.started(stamp), tags, rows.run_name(record.trial))
    if kept.data.tags.get(_PARENT_TAG) != place.parent:
        client.set_tag(kept.info.run_id, _PARENT_TAG, place.parent)
    return kept


def _delete(client: MlflowClient, runs: Sequence[str]) -> None:
    for run in runs:
        client.delete_run(run)
