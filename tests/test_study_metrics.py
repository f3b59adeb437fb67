"""A study with metrics, from its file to its findings, its files and MLflow; without them nothing changes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import ablate
from mlflow import MlflowClient
from sklearn.metrics import f1_score
from small_studies import SEARCH, SMALL, StudyWriter, load

import ablation
from ablation import study_file
from ablation.errors import StudyFileError
from ablation.run_folder import RunFolder
from ablation.settings import MetricPart
from ablation.study import Study

WORST = '''"""The recall of the class that is recognised worst."""

HIGHER_IS_BETTER = True


def build(*, least: float = 0.0):
    """The smallest recall of any class, at least `least`."""

    def measure(probabilities, labels):
        right = probabilities.argmax(1) == labels
        return max(least, min(right[labels == label].double().mean().item() for label in labels.unique()))

    return measure
'''
LISTED = "metrics: [macro_f1, {name: top_k, k: 2}, lab.worst_class]\n"
MEASURED = SMALL + LISTED


def write_metric(place: Path, text: str = WORST) -> None:
    (place / "lab").mkdir(exist_ok=True)
    (place / "lab" / "worst_class.py").write_text(text)


def test_a_study_without_metrics_is_the_study_that_it_was(small_study: Study) -> None:
    kept = json.loads(small_study.model_dump_json())
    assert "metrics" not in kept
    assert Study.model_validate_json(json.dumps(kept)).digest() == small_study.digest()


def test_metrics_are_part_of_the_digest_with_what_is_good_of_them(
    write_study: StudyWriter, small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_metric(tmp_path)
    study = load(write_study(MEASURED + "metric: lab.worst_class\n"))
    assert study.digest() != small_study.digest()
    assert study.metrics[1] == MetricPart(name="top_k", choices={"k": 2}, higher_is_better=True)
    assert study.higher_is_better
    assert Study.model_validate_json(study.model_dump_json()) == study


def test_a_metric_that_does_not_say_what_is_good_of_it_is_told_with_its_file(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_metric(tmp_path, WORST.replace("HIGHER_IS_BETTER = True\n", ""))
    with pytest.raises(StudyFileError, match=r"worst_class.py must say `HIGHER_IS_BETTER = True` or"):
        study_file.load(write_study(MEASURED), "full", (), lambda: False)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with three metrics that has run, MLflow beside it."""
    place = tmp_path_factory.mktemp("measured")
    write_metric(place)
    (place / "small.yaml").write_text(MEASURED)
    done = ablate("run", "small.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.worst_class" in done.stderr
    return place


def test_an_outcome_has_the_metrics_of_both_splits_and_an_epoch_those_of_validation(measured: Path) -> None:
    folder = RunFolder(measured / "runs/small")
    for record in folder.records():
        outcome = record.outcome
        assert outcome is not None
        kept = np.load(folder.trial_folder(record.trial.id) / "predictions.npz")
        predicted, labels = kept["probabilities"].argmax(1), kept["labels"]
        assert outcome.test is not None
        assert outcome.validation is not None
        found = outcome.test.others
        assert list(found) == ["macro_f1", "top_k", "lab.worst_class"]
        assert found["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-6)
        recalls = [np.mean(predicted[labels == label] == label) for label in range(3)]
        assert found["lab.worst_class"] == pytest.approx(min(recalls), abs=1e-6)
        assert record.epochs[-1].validation == outcome.validation
        assert record.epochs[0].train.others == {}
        assert outcome.stamp is not None
        assert {"metric macro_f1", "lab.worst_class"} <= outcome.stamp.code.keys()


def test_training_is_bit_equal_with_metrics_and_without(measured: Path, small_study: Study, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    assert ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path).returncode == 0
    plain, other = (RunFolder(place / "runs/small").records() for place in (tmp_path, measured))
    for one, two in zip(plain, other, strict=True):
        assert one.outcome is not None
        assert two.outcome is not None
        assert one.outcome.files["predictions.npz"] == two.outcome.files["predictions.npz"]
        assert [epoch.train for epoch in one.epochs] == [epoch.train for epoch in two.epochs]


def test_findings_tables_and_the_report_have_the_effects_on_each(measured: Path) -> None:
    folder = measured / "runs/small"
    results = ablation.load(folder)
    trials = results.trials
    for finding in results.findings:
        assert finding.other is not None
        assert finding.other.metric == "loss"
        assert [other.metric for other in finding.others] == ["macro_f1", "top_k", "lab.worst_class"]
        means = trials.groupby("arm")["macro_f1"].mean()
        assert finding.others[0].effect == pytest.approx(means[finding.arm] - means[finding.reference_arm])
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert {"macro_f1", "top_k", "lab.worst_class"} <= rows[0].keys()
    assert sorted(float(row["macro_f1"]) for row in rows) == sorted(trials["macro_f1"])
    head = "| contrast | loss | macro\\_f1 | top\\_k | lab.worst\\_class | training time | parameters |"
    assert head in (folder / "findings.md").read_text()
    page = (folder / "report.html").read_text()
    assert "Effects on other metrics, each a family of contrasts of its own" in page
    assert results.analysis.arms[0].others["top_k"].mean == pytest.approx(
        trials[trials["arm"] == "baseline"]["top_k"].mean()
    )


def test_mlflow_has_them_under_the_names_of_their_splits(measured: Path) -> None:
    client = MlflowClient(f"sqlite:///{measured / 'runs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    record = RunFolder(measured / "runs/small").records()[0]
    (run,) = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if run.data.tags.get("mlflow.runName") == f"{record.trial.arm.name} · seed block {record.trial.block}"
    ]
    assert record.outcome is not None
    assert record.outcome.test is not None
    for name, value in record.outcome.test.others.items():
        assert run.data.metrics[f"test/{name}"] == value
        curve = client.get_metric_history(run.info.run_id, f"validation/{name}")
        assert [point.value for point in curve] == [epoch.validation.others[name] for epoch in record.epochs]


def test_a_study_may_be_declared_for_one_where_lower_is_better(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL + "metrics: [calibration_error]\nmetric: calibration_error\n")
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = ablation.load(tmp_path / "runs/small")
    assert results.analysis.higher_is_better is False
    for finding in results.findings:
        assert finding.metric == "calibration_error"
        assert finding.other is not None
        assert (finding.other.metric, [other.metric for other in finding.others]) == ("accuracy", ["loss"])
    assert "calibration\\_error" in (tmp_path / "runs/small/findings.md").read_text()
    compared = ablate("compare", "small.yaml", "flip=flipped", "--json", cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    found = json.loads(compared.stdout)
    effect = results.effects.set_index("factor").loc["flip", "effect"]
    assert (found["metric"], found["score"]["effect"]) == ("calibration_error", pytest.approx(effect))
    planned = ablate("plan", "small.yaml", "--detect", "0.3pp", cwd=tmp_path)
    assert "the study's metric is calibration_error; give units, such as 0.02units" in planned.stderr
    planned = ablate("plan", "small.yaml", "--detect", "0.02units", cwd=tmp_path)
    assert "no spread of calibration_error was published; it is known once 3 seed blocks have run" in planned.stderr


def test_a_search_and_its_confirmation_go_by_the_metric(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SEARCH.replace("sampler: tpe", "sampler: random, pruner: median") +
                "metrics: [macro_f1, calibration_error]\nmetric: calibration_error\n", "search.yaml")  # fmt: skip
    done = ablate("run", "search.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = ablate("confirm", "search.yaml", "--top", "1", "--seeds", "2", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials = [
        (record.outcome.validation.others["calibration_error"], record.trial.id)
        for record in RunFolder(tmp_path / "runs/search").records()
        if record.outcome and record.outcome.status == "complete" and record.outcome.validation
    ]
    chosen = RunFolder(tmp_path / "runs/search-confirm").beginning()
    assert chosen.confirms is not None
    assert chosen.confirms.candidates[0].trials[0] in [trial for _, trial in sorted(trials)[:2]]
    assert chosen.study.metric == "calibration_error"
    assert "calibration_error" in (tmp_path / "runs/search-confirm/report.html").read_text()


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("right = probabilities.argmax(1) == label", "NameError: name 'label' is not defined ("),
        ("return float('nan')", "metric lab.worst_class gives nan on"),
    ],
)
def test_a_metric_that_fails_is_told_before_the_study_is_begun(
    write_study: StudyWriter, tmp_path: Path, broken: str, says: str
) -> None:
    write_study(MEASURED)
    write_metric(tmp_path, WORST.replace("right = probabilities.argmax(1) == labels", broken))
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: small.yaml:12:42: ")
    assert says in done.stderr
    assert not RunFolder(tmp_path / "runs/small").begun()
