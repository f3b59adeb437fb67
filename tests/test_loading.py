"""A study in a notebook: the report's numbers and figures, as tables and objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import Planted, made_run

import ablation
from ablation.errors import InputError
from ablation.loading import Results, load
from ablation.study import Study


@pytest.fixture
def results(tmp_path: Path, small_study: Study) -> Results:
    planted = Planted({"crop=shifted": 0.9}, statuses={("flip=flipped", 1): "missing"})
    return load(made_run(tmp_path / "small", small_study, planted).path)


def test_the_package_gives_it_by_its_short_name() -> None:
    assert ablation.load is load
    with pytest.raises(AttributeError, match="'lode'"):
        _ = ablation.lode


def test_trials_are_a_tidy_table_of_those_that_have_ended(results: Results) -> None:
    trials = results.trials
    assert list(trials.columns[:6]) == ["trial", "arm", "block", "status", "factor:crop", "factor:flip"]
    assert len(trials) == 5
    assert set(trials["arm"]) == {"baseline", "crop=shifted", "flip=flipped"}
    shifted = trials[trials["arm"] == "crop=shifted"]
    assert set(shifted["factor:crop"]) == {"shifted"}
    assert trials["accuracy"].between(0, 1).all()
    effect = results.effects.set_index("factor").loc["crop", "effect"]
    means = trials.groupby("arm")["accuracy"].mean()
    assert effect == pytest.approx(means["crop=shifted"] - means["baseline"])


def test_effects_and_findings_are_those_of_the_report(results: Results, tmp_path: Path) -> None:
    assert list(results.effects["sentence"]) == [one.sentence for one in results.findings]
    assert set(results.effects["verdict"]) == {"provisional"}
    page = results.report(tmp_path / "page.html").read_text("utf-8")
    assert all(one.sentence.replace("-", "−")[:20] in page.replace("-", "−") for one in results.findings)
    assert results._repr_markdown_().startswith("# Findings (provisional)")


def test_every_figure_of_the_report_is_there_with_a_title_of_its_own(results: Results, tmp_path: Path) -> None:
    page = results.report(tmp_path / "page.html").read_text("utf-8")
    drawn = results.figures
    assert {"effects", "classes", "confusion", "seeds"} <= set(drawn)
    for name, figure in drawn.items():
        assert f'<section id="{name}"' in page
        assert figure.layout.title.text
        assert json.loads(figure.to_json())["data"]


def test_a_study_without_trials_has_empty_tables(tmp_path: Path, small_study: Study) -> None:
    empty = load(made_run(tmp_path / "small", small_study, Planted({}, blocks=())).path)
    assert len(empty.trials) == 0
    assert "accuracy" in empty.trials.columns
    assert set(empty.effects["verdict"]) == {"provisional"}
    assert empty.figures == {}


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run folder: it has no study\.json"):
        load(tmp_path)
