"""`ablate compare` as a person gives it: which two, what is told, exit codes of a pipeline, files."""

import csv
import json
from pathlib import Path

import pytest
from commands import Done, ablate
from made_runs import Planted, made_run, resealed
from markdown import code, rows, section
from source_tree import ROOT

from ablation.study import Search, Study


@pytest.fixture
def place(tmp_path: Path, small_study: Study) -> Path:
    """A study of five seed blocks, in which shifts lose about ten points; `later` loses as many in its baseline."""
    study = small_study.model_copy(update={"seeds": 5})
    made_run(tmp_path / "runs/small", study, Planted({"crop=shifted": 0.7}))
    later = study.model_copy(update={"name": "later"})
    made_run(tmp_path / "runs/later", later, Planted({"baseline": 0.7}, seed=1))
    return tmp_path


def compare(place: Path, *arguments: str) -> Done:
    return ablate("compare", *arguments, cwd=place)


def found(place: Path, *arguments: str) -> dict:
    done = compare(place, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def trial(place: Path, arm: str, block: int = 0) -> str:
    for file in sorted((place / "runs/small/trials").glob("*/trial.json")):
        read = json.loads(file.read_text())
        if (read["arm"]["name"], read["block"]) == (arm, block):
            return read["id"]
    raise AssertionError(arm)


@pytest.mark.parametrize(
    ("arguments", "a", "b"),
    [
        (["runs/small", "crop=shifted"], "baseline", "crop=shifted"),
        (["runs/small", "crop=shifted", "flip=flipped"], "crop=shifted", "flip=flipped"),
        (["runs/small", "--with", "runs/later"], "small: baseline", "later: baseline"),
        (["runs/small", "flip=flipped", "--with", "runs/later"], "small: flip=flipped", "later: flip=flipped"),
        (["runs/small", "flip=flipped", "baseline", "--with", "runs/later"], "small: flip=flipped", "later: baseline"),
    ],
)
def test_one_name_is_held_against_the_baseline_and_two_studies_share_a_name(
    place: Path, arguments: list[str], a: str, b: str
) -> None:
    compared = found(place, *arguments)
    assert (compared["a"]["label"], compared["b"]["label"]) == (a, b)
    assert compared["paired"]
    assert compared["sentence"].startswith(f"{b} instead of {a} changes accuracy by ")


def test_the_terminal_has_difference_classes_and_images(place: Path) -> None:
    done = compare(place, "runs/small", "crop=shifted", "--images", "3")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("A  baseline: test accuracy ")
    assert lines[1].endswith("seed blocks 0 to 4")
    assert any(line.startswith("     loss  +0.") and "95 % interval" in line for line in lines)
    assert any(line.startswith("   images  over 300 images") and "standard error" in line for line in lines)
    assert any(line.startswith("  differs  augmentations") for line in lines)
    heads = [at for at, line in enumerate(lines) if line.startswith(("class ", "image "))]
    assert [line.split()[0] for line in lines[heads[0] + 1 : heads[0] + 4]] == ["cat", "dog", "emu"]
    assert len(lines[heads[1] :]) == 4


def test_two_trials_have_mcnemars_test_and_no_interval(place: Path) -> None:
    names = [trial(place, "baseline"), trial(place, "crop=shifted")]
    done = compare(place, "runs/small", "--trials", *names)
    assert done.returncode == 0
    assert "(no interval, 1 shared seed block)" in done.stdout
    assert "McNemar" in done.stdout
    compared = found(place, "runs/small", "--trials", *names)
    assert [compared[each]["trial"] for each in "ab"] == names
    assert 0 <= compared["mcnemar"]["p"] <= 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["runs/small", "crop=shifted", "--fail-on-regression", "5pp"],
            6,
            "error: regression: the accuracy of B is lower by at",
        ),
        (
            ["runs/small", "crop=shifted", "--fail-on-regression", "25pp"],
            0,
            "no regression: the accuracy of B is not lower",
        ),
        (
            ["runs/small", "crop=shifted", "--fail-on-regression", "0.05nats"],
            6,
            "the loss of B is higher by at least 0.050 nats",
        ),
        (
            ["runs/small", "crop=shifted", "baseline", "--fail-on-regression", "0pp"],
            0,
            "no regression: the accuracy of B is not lower.",
        ),
        (["runs/small", "flip=flipped", "--fail-on-regression", "0.1pp"], 0, "undecided: these seed blocks"),
        (
            ["runs/small", "--with", "runs/later", "--fail-on-regression", "5pp"],
            6,
            "regression: the accuracy of B is lower",
        ),
    ],
)
def test_a_regression_ends_a_pipeline_and_nothing_else_does(
    place: Path, arguments: list[str], code: int, words: str
) -> None:
    done = compare(place, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "instead of" in done.stdout  # what was found is told either way


def test_the_judgement_is_in_the_json_too(place: Path) -> None:
    done = compare(place, "runs/small", "crop=shifted", "--fail-on-regression", "5pp", "--json")
    assert done.returncode == 6
    judged = json.loads(done.stdout)["regression"]
    assert (judged["state"], judged["threshold"], judged["evidence"]) == ("regression", 0.05, "seed blocks")
    assert 0.05 <= judged["at_least"] < judged["shortfall"] < judged["at_most"]


def test_two_trials_are_judged_over_images(place: Path) -> None:
    names = [trial(place, "baseline"), trial(place, "crop=shifted")]
    done = compare(place, "runs/small", "--trials", *names, "--fail-on-regression", "1pp")
    assert done.returncode == 6
    assert "bounds over the images" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [],
            "name the arm to compare with the baseline, or two arms, A and B. Arms: baseline, crop=shifted, ",
        ),
        (["crop=shift"], "has no arm crop=shift. Did you mean crop=shifted?"),
        (["baseline"], "A and B are both baseline"),
        (["a", "b", "c"], "two can be compared, A and B; 3 names were given"),
        (["--trials", "x"], "--trials: name two trials"),
        (["--trials", "x", "y"], "has no trial x"),
        (["crop=shifted", "--fail-on-regression", "0.5"], "give a number and its unit, 0.5pp"),
        (["crop=shifted", "--with", "elsewhere.yaml"], "no run of elsewhere.yaml"),
    ],
)
def test_what_cannot_be_compared_is_told(place: Path, arguments: list[str], words: str) -> None:
    done = compare(place, "runs/small", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_study_that_measures_something_else_is_refused(place: Path, small_study: Study) -> None:
    made_run(place / "runs/other", small_study.model_copy(update={"name": "other", "metric": "loss"}), Planted({}))
    done = compare(place, "runs/small", "--with", "runs/other")
    assert done.returncode == 2
    assert "runs/small and runs/other cannot be compared: metric: accuracy and loss." in done.stderr


def test_an_unfinished_study_is_provisional_and_not_judged(place: Path, small_study: Study) -> None:
    statuses = {("crop=shifted", 4): "missing"}
    study = small_study.model_copy(update={"name": "begun", "seeds": 5})
    made_run(place / "runs/begun", study, Planted({"crop=shifted": 0.5}, statuses=statuses))
    assert "Provisional: 1 trial of B without an outcome yet." in compare(place, "runs/begun", "crop=shifted").stdout
    done = compare(place, "runs/begun", "crop=shifted", "--fail-on-regression", "0pp")
    assert done.returncode == 2
    assert "trials without an outcome (1)" in done.stderr


def test_a_search_is_compared_with_a_warning_and_not_judged(place: Path, small_study: Study) -> None:
    """Its baseline and an arm that was drawn, as if both had been."""
    made_run(place / "runs/drawn", small_study.model_copy(update={"name": "drawn"}), Planted({}))
    begun = place / "runs/drawn/study.json"
    content = json.loads(begun.read_text())
    content["study"]["design"] = Search(trials=6).model_dump()
    begun.write_text(resealed(content))
    done = compare(place, "runs/drawn", "crop=shifted")
    assert done.returncode == 0, done.stderr
    assert "A search chooses its arms by their scores" in done.stdout
    judged = compare(place, "runs/drawn", "crop=shifted", "--fail-on-regression", "0pp")
    assert (judged.returncode, "is a search" in judged.stderr) == (2, True)


def test_the_files_hold_everything(place: Path) -> None:
    done = compare(place, "runs/small", "crop=shifted", "--out", "found/here", "--images", "0")
    assert done.returncode == 0
    page = (place / "found/here/compare.html").read_text("utf-8")
    assert "wrote found/here/compare.html" in done.stderr
    assert "ablate compare runs/small crop=shifted --out found/here" in page
    assert "<h1>crop=shifted instead of baseline</h1>" in page
    whole = json.loads((place / "found/here/compare.json").read_text())
    assert whole == found(place, "runs/small", "crop=shifted")
    with (place / "found/here/disagreements.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert [int(row["image"]) for row in listed] == [one["image"] for one in whole["disagreements"]]
    assert len(listed) > 10


def test_damaged_predictions_are_named(place: Path) -> None:
    (place / "runs/small/trials" / trial(place, "baseline", 3) / "predictions.npz").write_bytes(b"torn")
    done = compare(place, "runs/small", "crop=shifted")
    assert done.returncode == 5
    assert f"{trial(place, 'baseline', 3)}/predictions.npz is damaged" in done.stderr


def keys_of(value: object, path: str = "") -> set[str]:
    """Keys as the reference writes them."""
    if isinstance(value, list):
        return set().union(*(keys_of(each, f"{path}[]") for each in value))
    if isinstance(value, dict):
        inner = (keys_of(each, f"{path}.{key}" if path else key) for key, each in value.items())
        return {f"{path}.{key}" if path else key for key in value}.union(*inner)
    return set()


def test_the_reference_has_every_key_of_the_json(place: Path) -> None:
    arms = compare(place, "runs/small", "crop=shifted", "--fail-on-regression", "0pp", "--json").stdout
    trials = compare(
        place, "runs/small", "--trials", trial(place, "baseline"), trial(place, "crop=shifted"), "--json"
    ).stdout
    keys = keys_of(json.loads(arms)) | keys_of(json.loads(trials))
    table = rows(section(ROOT / "docs" / "reference" / "json.md", "## Compare"))
    documented = {key for row in table for key in code(row[0])}
    assert documented == {key for key in keys if not key.startswith("b.")}


def test_the_reference_has_every_key_beside_a_finding(place: Path) -> None:
    assert ablate("report", "runs/small", cwd=place).returncode == 0
    finding = json.loads((place / "runs/small/findings.json").read_text())["findings"][0]
    beside = {name: finding[name] for name in ("seconds", "time_note", "parameters", "other", "images", "classes")}
    table = rows(section(ROOT / "docs" / "reference" / "json.md", "## Beside a finding"))
    assert {key for row in table for key in code(row[0])} == keys_of(beside)


def test_a_study_that_was_extended_is_judged_by_what_holds_however_often_one_looks(place: Path) -> None:
    assert not found(place, "runs/small", "crop=shifted")["looked_at"]
    stored = place / "runs/small/study.json"
    begun = json.loads(stored.read_text())
    change = {"when": "", "declared": "", "resolved": "", "ended": 9, "planned": 9, "seed_blocks": 2}
    stored.write_text(resealed(begun | {"changes": [change]}))
    told = found(place, "runs/small", "crop=shifted")
    assert told["looked_at"]
    assert "anytime-valid" in told["method"]
