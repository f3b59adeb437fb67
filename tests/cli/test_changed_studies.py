"""A study file that was changed after its study had begun, with real run folders."""

import json
import shutil
from pathlib import Path

import pytest
from commands import Done, ablate
from made_runs import resealed
from small_studies import SEARCH, SMALL, StudyWriter

from ablation.run_folder import RunFolder

QUICK = SMALL.replace("epochs: 3", "epochs: 1")
WIDER = QUICK.replace("{padding: 2}}}", "{padding: 2}}, wide: {augmentations.crop: {padding: 4}}}")


def run(folder: Path, *more: str) -> Done:
    return ablate("run", "small.yaml", "--no-tracking", *more, cwd=folder)


def outcomes(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("trials/*/outcome.json")}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the study was run as it is first."""
    path = tmp_path_factory.mktemp("begun")
    (path / "small.yaml").write_text(QUICK)
    done = run(path)
    assert done.returncode == 0, done.stderr
    return path


def test_blocks_and_levels_are_added_and_the_report_says_so(
    begun: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    shutil.copytree(begun / "runs" / "small", tmp_path / "runs" / "small")
    folder = tmp_path / "runs" / "small"
    before, as_begun = outcomes(folder), (folder / "study.json").read_bytes()
    write_study(WIDER.replace("seeds: 2", "seeds: 3"))
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "extends runs/small: 1 more seed block (2 -> 3)" in done.stderr
    assert "extends runs/small: 1 more arm (crop=wide)" in done.stderr
    after = outcomes(folder)
    assert len(after) == 12
    assert {name: after[name] for name in before} == before
    assert (folder / "study.json").read_bytes() == as_begun
    assert (folder / "study-2.yaml").read_text() == WIDER.replace("seeds: 2", "seeds: 3")
    findings = json.loads((folder / "findings.json").read_text())
    (note,) = [note for note in findings["notes"] if note.startswith("The plan was extended on 2")]
    assert "when 6 of its 6 trials had ended: 1 more seed block (2 -> 3), 1 more arm (crop=wide)." in note
    assert "when 6 of its 6 trials had ended" in (folder / "report.html").read_text()
    status = json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)
    assert (status["planned"], status["complete"]) == (12, 12)
    again = run(tmp_path)
    assert again.returncode == 0
    assert "launched" not in again.stderr
    assert not (folder / "study-3.json").exists()


def test_the_older_file_is_another_study_then(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(QUICK)
    assert run(tmp_path, "--max-hours", "0").returncode == 7
    assert run(tmp_path, "--max-hours", "0", "--set", "seeds=4").returncode == 7
    assert json.loads(ablate("status", "small.yaml", "--json", cwd=tmp_path).stdout)["planned"] == 12
    done = run(tmp_path)
    assert done.returncode == 3
    assert "seeds: 4 -> 2" in done.stderr
    findings = json.loads((tmp_path / "runs/small/findings.json").read_text())
    assert not [note for note in findings["notes"] if "extended" in note]  # nothing had ended, nothing was spent


def test_what_decides_no_result_holds_from_then_on(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(QUICK)
    assert run(tmp_path, "--max-hours", "0").returncode == 7
    done = run(tmp_path, "--max-hours", "0", "--set", "execution.hang_seconds=50", "--set", "question=Another?")
    assert done.returncode == 7
    assert "changes no result of runs/small: execution.hang_seconds: 600.0 -> 50.0" in done.stderr
    beginning = RunFolder(tmp_path / "runs/small").beginning()
    assert (beginning.study.question, beginning.study.execution.hang_seconds) == ("Another?", 50)
    assert beginning.changes[0].extended == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("recipe.epochs=5", "recipe.epochs: 1 -> 5"),
        ("seeds=1", "seeds: 2 -> 1"),
        ("margin=0.1", "margin: 0.05 -> 0.1"),
        ("factors.crop.shifted={recipe.epochs: 2}", "arm crop=shifted: planned -> not planned"),
        ("design=factorial", "design.kind: one-factor -> factorial"),
    ],
)
def test_another_study_is_refused_with_the_difference_and_changes_nothing(begun: Path, change: str, says: str) -> None:
    folder = begun / "runs" / "small"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = run(begun, "--set", change)
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert "--fork NAME" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_search_takes_more_trials_and_nothing_else(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SEARCH.replace("epochs: 3", "epochs: 1").replace("trials: 5", "trials: 2"))
    assert run(tmp_path).returncode == 0
    more = run(tmp_path, "--set", "design.trials=3")
    assert more.returncode == 0, more.stderr
    assert "extends runs/small: 1 more trial (2 -> 3)" in more.stderr
    assert len(outcomes(tmp_path / "runs/small")) == 3
    assert run(tmp_path, "--set", "design.trials=3", "--set", "seeds=3").returncode == 3


def test_a_fork_begins_anew_and_goes_on_under_its_name(begun: Path) -> None:
    before = outcomes(begun / "runs/small")
    forked = ["--set", "recipe.epochs=2", "--set", "seeds=1", "--fork", "longer"]
    paused = run(begun, *forked, "--max-hours", "0")
    assert paused.returncode == 7, paused.stderr
    assert paused.stderr.splitlines()[-1].startswith("paused: runs/")
    assert run(begun, *forked).returncode == 0
    assert len(outcomes(begun / "runs/longer")) == 3
    assert outcomes(begun / "runs/small") == before
    assert "ablate run small.yaml --fork longer" in (begun / "runs/longer/report.html").read_text()
    other = run(begun, "--set", "recipe.epochs=4", "--fork", "longer")
    assert other.returncode == 3
    assert "runs/longer was begun with another study" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["small.yaml", "--fork", "../out"], "a name is at most 80 letters"),
        (["small.yaml", "--fork", "small"], "the name of the study itself"),
        (["small.yaml", "--fork", "mlartifacts"], "no run folder"),
        (["runs/small", "--fork", "other"], "for a study file"),
    ],
)
def test_a_fork_has_a_name_and_a_place_of_its_own(begun: Path, arguments: list[str], says: str) -> None:
    (begun / "runs" / "mlartifacts").mkdir(exist_ok=True)
    done = ablate("run", *arguments, "--no-tracking", cwd=begun)
    assert done.returncode == 2, done.stderr
    assert says in " ".join(done.stderr.split())


def test_trials_under_another_version_are_told_in_the_report(begun: Path) -> None:
    outcome = next(iter(sorted((begun / "runs/small/trials").glob("*/outcome.json"))))
    before = outcome.read_text()
    stored = json.loads(before)
    stored["stamp"]["versions"]["torch"] = "1.0"
    outcome.write_text(resealed(stored))
    done = ablate("report", "runs/small", cwd=begun)
    outcome.write_text(before)
    assert "Trials ran under different versions of torch: " in done.stdout
    assert "1 with 1.0" in done.stdout
    for name in ("report.html", "findings.md", "findings.json"):
        assert "under different versions of torch" in (begun / "runs/small" / name).read_text()


def test_extend_adds_blocks_in_the_run_folder_and_the_file_stays_as_it_is(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    told_before = (tmp_path / "runs/small/findings.json").read_bytes()
    extended = ablate("extend", "small.yaml", "--seeds", "+1", cwd=tmp_path)
    assert extended.returncode == 0, extended.stderr
    assert "extends runs/small: 1 more seed block (2 -> 3)" in extended.stderr
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("launched") == 3
    findings = json.loads((tmp_path / "runs/small/findings.json").read_text())
    assert "anytime-valid" in findings["method"]
    assert (tmp_path / "runs/small/findings-1.json").read_bytes() == told_before
    assert b"anytime-valid" not in told_before
    assert [note for note in findings["notes"] if "anytime-valid sequence" in note]
    assert "--set seeds=3" in (tmp_path / "runs/small/report.html").read_text()
    assert "# ablate extend --seeds +1: 3 seed blocks" in (tmp_path / "runs/small/study-2.yaml").read_text()
    assert run(tmp_path, "--set", "seeds=3").returncode == 0
    assert not (tmp_path / "runs/small/study-3.json").exists()


@pytest.mark.parametrize("seeds", ["5", "+0", "+", "-1", "+1.5", "+99999"])
def test_extend_takes_a_number_to_add_and_nothing_else(begun: Path, seeds: str) -> None:
    done = ablate("extend", "small.yaml", f"--seeds={seeds}", cwd=begun)
    assert done.returncode == 2
    assert "such as --seeds +5" in done.stderr


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (SEARCH, "raise `design.trials` in its file"),
        (
            QUICK.replace("seeds: 2", "seeds: {start: 2, max: 4}"),
            "up to the 4 seed blocks that its looks were declared",
        ),
    ],
)
def test_what_grows_by_itself_or_has_no_plan_is_not_extended(
    write_study: StudyWriter, tmp_path: Path, study: str, says: str
) -> None:
    write_study(study)
    assert run(tmp_path, "--max-hours", "0").returncode == 7
    done = ablate("extend", "small.yaml", "--seeds", "+2", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_growing_study_runs_what_its_looks_want_whatever_the_slots(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(QUICK.replace("seeds: 2", "seeds: {start: 2, max: 4}").replace("margin: 0.05", "margin: 0.0201"))
    one = run(tmp_path, "--slots", "1", "--runs-dir", "one")
    two = run(tmp_path, "--slots", "2", "--runs-dir", "two")
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert outcomes(tmp_path / "one/small").keys() == outcomes(tmp_path / "two/small").keys()
    first, second = (json.loads((tmp_path / name / "small/findings.json").read_text()) for name in ("one", "two"))
    told = ("factor", "effect", "low", "high", "p_adjusted", "seed_blocks", "verdict")
    assert [[each[key] for key in told] for each in first["findings"]] == [
        [each[key] for key in told] for each in second["findings"]
    ]
    status = json.loads(ablate("status", "small.yaml", "--runs-dir", "one", "--json", cwd=tmp_path).stdout)
    assert status["waiting"] == 0
    assert status["planned"] == status["complete"] == len(outcomes(tmp_path / "one/small"))
    again = run(tmp_path, "--runs-dir", "one")
    assert again.returncode == 0
    assert "launched" not in again.stderr
