"""A run folder as a finished study leaves it, made in no time, and whether a store says the same."""

from pathlib import Path

from made_up import STAMP, made_up_record
from mlflow import MlflowClient
from seen import Snapshot, look

from ablation import designs
from ablation.run_folder import Beginning, RunFolder
from ablation.study import Study
from ablation.trial import Record, Status
from ablation.trial_files import append_epoch, write_outcome

ODD: dict[int, Status] = {1: "diverged", 2: "failed"}
"""How the trials of these numbers end; all others are complete."""


def finished_study(path: Path, study: Study) -> RunFolder:
    """Every planned trial with an outcome and the files of one; the scores are invented."""
    folder = RunFolder(path)
    beginning = Beginning(
        study=study, digest=study.digest(), scale_reason="asked for", started=STAMP.started, source="small.yaml"
    )
    folder.begin(beginning, "question: as it was written\n")
    for number, trial in enumerate(designs.planned_trials(study)):
        made_up = made_up_record(trial.block, 0.5 + number / 100, ODD.get(number, "complete"))
        assert made_up.outcome is not None
        place = folder.open_trial(trial.model_copy(update={"number": number}))
        for epoch in made_up.epochs:
            append_epoch(place, epoch)
        for name in ("predictions.npz", "log.txt", "weights.pt"):
            (place / name).write_bytes(name.encode() * 1000)
        write_outcome(place, made_up.outcome)
    return folder


def assert_holds(uri: str, folder: RunFolder, served: str | None = None) -> dict[str, Snapshot]:
    """Check a store against the record, metric by metric, and return what it shows."""
    study, records = folder.beginning().study, [record for record in folder.records() if record.outcome]
    runs = look(uri, study.folder_name, served)
    assert len(runs) == len(records) + 1
    assert "RUNNING" not in {run["status"] for run in runs.values()}
    assert "study.yaml" in runs[study.folder_name]["artifacts"]
    assert {"report/report.html", "report/findings.md"} <= set(runs[study.folder_name]["artifacts"])
    for record in records:
        run = runs[f"{record.trial.arm.name} · seed block {record.trial.block}"]
        _assert_same(run, record)
        files = {
            name for name in ("predictions.npz", "log.txt") if (folder.trial_folder(record.trial.id) / name).exists()
        }
        files |= {"confusion.html"} if record.outcome and record.outcome.confusion else set()
        assert files == set(run["artifacts"]) - {"weights.pt"}
    return runs


def _assert_same(run: Snapshot, record: Record) -> None:
    outcome, metrics = record.outcome, run["metrics"]
    assert outcome is not None
    assert run["tags"]["status"] == outcome.status
    assert run["status"] == ("FAILED" if outcome.status == "failed" else "FINISHED")
    for level in record.trial.arm.levels.items():
        assert level in {(key.removeprefix("factor."), value) for key, value in run["params"].items()}
    for split in ("train", "validation"):
        for score in ("accuracy", "loss"):
            curve = [getattr(getattr(epoch, split), score) for epoch in record.epochs]
            logged = [value for _, _, value in metrics[f"{split}/{score}"]]
            # A diverged trial ends with one more point: the uniform guess.
            assert logged[: len(curve)] == curve
            assert len(logged) == len(curve) + (outcome.status == "diverged" and split == "validation")
    assert [step for step, _, _ in metrics["train/learning_rate"]] == [epoch.epoch for epoch in record.epochs]
    if outcome.test:
        assert [value for _, _, value in metrics["test/accuracy"]] == [outcome.test.accuracy]
    assert outcome.cost
    assert [value for _, _, value in metrics["seconds"]] == [outcome.cost.seconds]


def run_ids(uri: str, folder: RunFolder) -> set[str]:
    """The runs of a study."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(folder.beginning().study.folder_name)
    return {run.info.run_id for run in client.search_runs([found.experiment_id])} if found else set()
