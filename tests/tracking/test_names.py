"""Every name that the reference lists of runs, written to a real store; test_models.py looks at a real run."""

import dataclasses
from pathlib import Path

from made_up import NOTE, STAMP, made_up_record, made_up_study
from named import all_names, held_names

from ablation.settings import MetricPart
from ablation.tracking import names
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.trial import Record, Scores

WHOLE = STAMP.model_copy(update={"host": "here", "code": {"ablation": "c0de"}, "git_dirty": True})


def told(record: Record) -> Record:
    """With all that may be told of a trial: its machine, its code, another metric."""
    assert record.outcome is not None
    scores = record.outcome.test and Scores(loss=0.25, accuracy=0.9, others={"macro_f1": 0.8})
    outcome = record.outcome.model_copy(update={"stamp": WHOLE, "validation": scores, "test": scores})
    return record.model_copy(update={"outcome": outcome})


def test_every_name_of_the_reference_is_written_somewhere_and_no_other(store: str, folder: Path) -> None:
    study = made_up_study().model_copy(update={"metrics": (MetricPart(name="macro_f1", higher_is_better=True),)})
    study_file = folder / "study.yaml"
    links = {"confirms": "runs/search", "confirmed by": "runs/search-confirm"}
    artifacts = [folder / name.removeprefix("report/") for name in names.STUDY_ARTIFACTS if name.startswith("report/")]
    for file in (study_file, *artifacts):
        file.write_text(file.name)
    tracker = MlflowTracker(store)
    tracker.begin(study, dataclasses.replace(NOTE, stamp=WHOLE, study_file=study_file, links=links))
    for block, status in enumerate(("complete", "failed", "diverged", "pruned")):
        tracker.log(told(made_up_record(block, status=status)), folder)
    tracker.end("# Findings\n", artifacts, complete=True)
    assert held_names(store, study.folder_name) == all_names()
