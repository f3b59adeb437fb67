"""A search and its confirmation, with real trials: begun once, gone on with, and leading to each other."""

import json
import shutil
from pathlib import Path

import pytest
from commands import Done, ablate
from small_studies import SEARCH

from ablation.confirming import candidates
from ablation.run_folder import RunFolder
from ablation.sealed import seal
from ablation.trial import Scores
from ablation.trial_files import read_outcome, write_outcome


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which a small search was run, without tracking."""
    path = tmp_path_factory.mktemp("searched")
    (path / "search.yaml").write_text(SEARCH)
    done = ablate("run", "search.yaml", "--no-tracking", cwd=path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def searched(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "copy")


def confirm(cwd: Path, *arguments: str) -> Done:
    return ablate("confirm", "search.yaml", "--no-tracking", "--slots", "1", *arguments, cwd=cwd)


def folders(place: Path) -> list[str]:
    return sorted(path.name for path in (place / "runs").iterdir() if path.is_dir())


def spoil_the_best(place: Path) -> str:
    """Give the best trial of the search the worst score; its name in the confirmation."""
    search = RunFolder(place / "runs" / "search")
    best = candidates(search.beginning().study, search.records(), 1)[0]
    where = search.trial_folder(best.trials[0])
    outcome = read_outcome(where)
    assert outcome is not None
    write_outcome(where, outcome.model_copy(update={"validation": Scores(loss=9.0, accuracy=0.0)}))
    return best.name


def test_the_best_arms_are_trained_on_fresh_seed_blocks_and_both_reports_say_so(searched: Path) -> None:
    done = confirm(searched, "--top", "2", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    assert "instead of baseline changes accuracy by" in done.stdout
    assert "on validation in the search (1 seed block)" in done.stdout
    folder = RunFolder(searched / "runs" / "search-confirm")
    begun, records = folder.beginning(), folder.records()
    assert {record.trial.block for record in records} == {2, 3}
    assert len(records) == 6
    assert all(record.outcome and record.outcome.test for record in records)
    assert begun.confirms is not None
    searched_arms = {
        record.trial.arm.settings.signature() for record in RunFolder(searched / "runs" / "search").records()
    }
    assert {one.settings for one in begun.confirms.candidates} <= searched_arms
    report, of_search = (searched / "runs" / name / "report.html" for name in ("search-confirm", "search"))
    assert 'href="../search/report.html"' in report.read_text("utf-8")
    assert 'href="../search-confirm/report.html"' in of_search.read_text("utf-8")
    assert "Confirmed in search-confirm" in of_search.read_text("utf-8")


def test_the_same_command_goes_on_and_begins_nothing_twice(searched: Path) -> None:
    assert confirm(searched, "--seeds", "2", "--top", "1", "--max-hours", "0").returncode == 7
    assert confirm(searched, "--seeds", "2", "--top", "1").returncode == 0
    trials = searched / "runs" / "search-confirm" / "trials"
    before = {path: path.stat().st_mtime_ns for path in trials.rglob("*")}
    again = confirm(searched)
    assert again.returncode == 0, again.stderr
    assert "4 trials (4 done)" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in trials.rglob("*")} == before
    assert folders(searched) == ["search", "search-confirm"]
    assert RunFolder(searched / "runs" / "search").confirmations() == ("search-confirm",)
    status = json.loads(ablate("status", "runs/search-confirm", "--json", cwd=searched).stdout)
    assert (status["planned"], status["complete"]) == (4, 4)


def test_another_choice_is_refused_with_the_difference_and_may_begin_beside_it(searched: Path) -> None:
    assert confirm(searched, "--seeds", "2", "--top", "1", "--max-hours", "0").returncode == 7
    for options, said in ((("--top", "2"), "top: 1 -> 2"), (("--seeds", "5"), "seeds: 2 -> 5")):
        done = confirm(searched, *options)
        assert done.returncode == 3
        assert said in done.stderr
    best = spoil_the_best(searched)
    done = confirm(searched)
    assert done.returncode == 3
    assert f"best arms: {best} -> trial " in done.stderr
    assert "ablate run runs/search-confirm" in done.stderr
    assert confirm(searched, "--fork", "again", "--max-hours", "0").returncode == 7
    assert folders(searched) == ["again", "search", "search-confirm"]
    assert RunFolder(searched / "runs" / "search").confirmations() == ("search-confirm", "again")


def test_a_search_that_was_begun_anew_is_told_from_the_one_that_was_confirmed(searched: Path) -> None:
    assert confirm(searched, "--max-hours", "0").returncode == 7
    search = RunFolder(searched / "runs" / "search")
    begun = search.beginning().model_copy(update={"started": "2020-01-01T00:00:00+00:00"})
    (search.path / "study.json").write_text(seal(begun.model_dump_json()))
    done = confirm(searched)
    assert done.returncode == 3
    assert "confirms another search that was called search" in done.stderr


def test_a_confirmation_has_a_margin_that_its_test_images_can_show(searched: Path) -> None:
    begun = RunFolder(searched / "runs" / "search").beginning()
    study = begun.study.model_copy(update={"margin": 0.002})
    (searched / "runs" / "search" / "study.json").write_text(
        seal(begun.model_copy(update={"study": study}).model_dump_json())
    )
    done = confirm(searched, "--max-hours", "0")
    assert done.returncode == 7
    assert "margin: 0.002 -> 0.010417, one of the 96 test images" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs/small"], "holds no search but a one-factor study"),
        (["other.yaml"], "no run of other.yaml in runs"),
        (["runs/early"], "nothing to confirm"),
        (["search.yaml", "--fork", "search"], "cannot be the name of the confirmation"),
        (["search.yaml", "--fork", "a/b"], "cannot be the name of the confirmation"),
        (["search.yaml", "--fork", "small"], "holds a study that confirms no search"),
        (["search.yaml", "--fork", "mine"], "is there and no run folder"),
        (["search.yaml", "--top", "0"], "--top"),
    ],
)
def test_what_cannot_be_confirmed_is_told_and_nothing_is_begun(searched: Path, arguments: list[str], said: str) -> None:
    small = SEARCH.replace("design: {kind: search, trials: 5, sampler: tpe}", "design: one-factor").replace(
        "  rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}\n", ""
    )
    for name, text in (("small", small), ("early", SEARCH)):
        (searched / f"{name}.yaml").write_text(text)
        assert ablate("run", f"{name}.yaml", "--no-tracking", "--max-hours", "0", cwd=searched).returncode == 7
    (searched / "runs" / "mine").mkdir()
    (searched / "runs" / "mine" / "thesis.tex").write_text("")
    done = ablate("confirm", *arguments, "--no-tracking", cwd=searched)
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert folders(searched) == ["early", "mine", "search", "small"]


def test_a_report_leaves_out_a_confirmation_that_was_taken_away_or_is_damaged(searched: Path) -> None:
    assert confirm(searched, "--max-hours", "0").returncode == 7
    folder = searched / "runs" / "search-confirm"
    (folder / "study.json").write_text("{")
    done = ablate("report", "runs/search", cwd=searched)
    assert done.returncode == 0, done.stderr
    assert "is left out of the report" in done.stderr
    shutil.rmtree(folder)
    done = ablate("report", "search.yaml", cwd=searched)
    assert done.returncode == 0, done.stderr
    assert "Confirmed in" not in (searched / "runs" / "search" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("pruner", ["median", "successive-halving", "hyperband"])
def test_searches_prune_trials_that_run_side_by_side(tmp_path: Path, pruner: str) -> None:
    rates = "rate: {poor: {recipe.learning_rate: 1.0e-6}, good: {}, fair: {recipe.learning_rate: 0.005}}"
    text = SEARCH.replace("rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}", rates)
    design = f"{{kind: search, trials: 12, sampler: random, pruner: {pruner}}}"
    text = text.replace("{kind: search, trials: 5, sampler: tpe}", design).replace("epochs: 3", "epochs: 4")
    (tmp_path / "search.yaml").write_text(text.replace("seeds: 2", "seeds: 12"))
    done = ablate("run", "search.yaml", "--no-tracking", "--slots", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = RunFolder(tmp_path / "runs" / "search").records()
    assert len(records) == 12
    pruned = [record for record in records if record.outcome and record.outcome.status == "pruned"]
    assert pruned
    assert all(len(record.epochs) < 4 for record in pruned)
    complete = [record for record in records if record.outcome and record.outcome.status == "complete"]
    assert all(len(record.epochs) == 4 for record in complete)
    assert len(pruned) + len(complete) == 12
    assert f"{len(pruned)} of 12" in done.stdout
