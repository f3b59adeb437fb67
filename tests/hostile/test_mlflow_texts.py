"""Every hostile text as name, level, reason, class and question in a real MLflow store, and read from it again."""

import re
from pathlib import Path

import pytest
from hostile_strings import controls
from hostile_study import CLASSES, TEXTS, hostile_study
from mlflow import MlflowClient
from mlflow.entities import Run

from ablation import designs
from ablation.addresses import sqlite_uri
from ablation.tracking import StudyNote
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.rows import LONGEST_TAG, cut
from ablation.trial import Outcome, Record, Scores, Stamp, Trial
from ablation.visible import in_markdown, visible

SCORES = Scores(loss=0.5, accuracy=0.75)
SIZE = len(CLASSES)
ELEMENTS = {
    *("doctype", "html", "meta", "title", "style", "table", "caption"),
    *("b", "br", "thead", "tbody", "tr", "th", "td"),
}
"""Of a confusion page."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """The study's run, and those of two trials whose arms have every level and every name."""
    folder = tmp_path_factory.mktemp("store")
    study = hostile_study()
    arm = designs.arms(study)[0].model_copy(update={"levels": dict(zip(TEXTS, TEXTS[1:] + TEXTS[:1], strict=True))})
    stamp = Stamp(versions={text: text for text in TEXTS}, git_commit=TEXTS[0], device=TEXTS[1], data_fingerprint="ab")
    tracker = MlflowTracker(sqlite_uri(folder / "mlflow.db"))
    tracker.begin(study, StudyNote(key=TEXTS[2], digest=TEXTS[3], stamp=stamp, arms=1, trials=2))
    for block, name in enumerate((" ".join(TEXTS), TEXTS[-1])):
        outcome = Outcome(
            status="complete",
            reason="\n".join(TEXTS),
            test=SCORES,
            classes=CLASSES,
            confusion=((1,) * SIZE,) * SIZE,
            stamp=stamp,
        )
        trial = Trial(id=f"{block}", arm=arm.model_copy(update={"name": name}), block=block)
        tracker.log(Record(trial=trial, outcome=outcome), folder)
    tracker.end("# Findings\n" + "\n".join(f"- {in_markdown(text)}" for text in TEXTS), [], complete=True)
    client = MlflowClient(tracker.uri)
    experiment = client.get_experiment_by_name("hostile")
    assert experiment is not None
    found = sorted(client.search_runs([experiment.experiment_id]), key=lambda run: run.info.run_name != "hostile")
    for run in found[1:]:
        page = Path(client.download_artifacts(run.info.run_id, "confusion.html")).read_text("utf-8")
        assert set(re.findall(r"<\W?(\w+)", page)) <= ELEMENTS
    return found


def test_every_level_stands_under_a_key_of_its_own(runs: list[Run]) -> None:
    for run in runs[1:]:
        factors = {key: value for key, value in run.data.params.items() if key.startswith("factor.")}
        assert len(factors) == len(TEXTS)
        assert sorted(factors.values()) == sorted(visible(text, keep="\n\t") for text in TEXTS)


def test_names_params_tags_and_notes_hold_nothing_unseen(runs: list[Run]) -> None:
    for run in runs:
        told = [run.info.run_name, *run.data.params.values(), *run.data.tags.values()]
        assert [text for text in told if controls(text)] == []
        assert not [key for key in (*run.data.params, *run.data.tags) if not re.fullmatch(r"[\w\-. ]+", key)]


def test_reasons_are_whole_and_notes_are_markdown_without_elements(runs: list[Run]) -> None:
    study, *trials = runs
    for run in trials:
        assert run.data.tags["reason"] == cut(run.data.tags["reason"], LONGEST_TAG)
        assert run.data.tags["reason"].startswith("<script>pwned(1)</script>")
    ours, _, note = study.data.tags["mlflow.note.content"].partition("\n")
    assert re.fullmatch(r"(\[[\w ]+\]\(#/experiments/[\w/.?&=]+\)( · )?)+", ours), ours
    assert "<" not in note
    assert not re.search(r"(?<!\\)(?:\\\\)*\[", note)
    assert "&lt;script&gt;pwned(1)&lt;/script&gt;" in note
