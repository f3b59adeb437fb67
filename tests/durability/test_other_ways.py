"""A kill in the middle of everything that is not a plain run of a plan: searches, confirmations, growth, retries."""

from pathlib import Path

from broken_runs import KILLED, BrokenRuns, differing
from commands import ablate
from small_studies import SMALL

QUICK = SMALL.replace("margin", "execution: {checkpoint_seconds: 0.05, keep: all}\nmargin")
ONE_FACTOR = QUICK.replace("  flip: {none: {}, flipped: {augmentations.flip: {}}}\n", "")
SEARCH = QUICK.replace(
    "design: one-factor", "design: {kind: search, trials: 8, sampler: tpe, pruner: successive-halving}"
).replace("factors:", "factors:\n  rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}")
GROWING = ONE_FACTOR.replace("seeds: 2", "seeds: {start: 3, max: 5, until: decided}").replace(
    "margin: 0.05", "margin: 0.02"
)


def undisturbed(place: Path, study: str, *commands: str) -> BrokenRuns:
    runs = BrokenRuns(place, study, tracking=False)
    for command in commands:
        done = ablate(*command.split(), "--no-tracking", cwd=place)
        assert done.returncode == 0, done.stderr
    return runs


def killed_and_given_again(runs: BrokenRuns, command: str, fault: str) -> None:
    """Give a command that is killed, and then again."""
    killed = runs.command(*command.split(), fault=f"driver/{fault}=SIGKILL")
    assert killed.code == KILLED, killed.stderr
    again = runs.command(*command.split())
    assert again.code == 0, again.stderr


def test_a_search_that_prunes_and_its_confirmation(tmp_path: Path) -> None:
    run, confirm = "run study.yaml --slots 1", "confirm study.yaml --top 1 --seeds 2 --slots 1"
    whole = undisturbed(tmp_path / "whole", SEARCH, run, confirm)
    runs = BrokenRuns(tmp_path / "broken", SEARCH, tracking=False)
    killed_and_given_again(runs, f"{run} --no-tracking", "trial submitted@6")
    contents = runs.contents()
    assert differing(contents, whole.contents()) == []
    assert "pruned" in {each["outcome"]["status"] for each in contents["trials"].values()}
    killed_and_given_again(runs, f"{confirm} --no-tracking", "outcome told@2")
    assert differing(runs.contents("study-confirm"), whole.contents("study-confirm")) == []


def test_a_plan_that_grows(tmp_path: Path) -> None:
    whole = undisturbed(tmp_path / "whole", GROWING, "run study.yaml --slots 2")
    runs = BrokenRuns(tmp_path / "broken", GROWING, tracking=False)
    killed_and_given_again(runs, "run study.yaml --slots 2 --no-tracking", "outcome told@7")
    assert differing(runs.contents(), whole.contents()) == []
    assert len(runs.folder.records()) > 6


def test_what_failed_is_queued_again_and_the_plan_extended(tmp_path: Path) -> None:
    whole = undisturbed(tmp_path / "whole", ONE_FACTOR.replace("seeds: 2", "seeds: 3"), "run study.yaml")
    runs = BrokenRuns(tmp_path / "broken", ONE_FACTOR, tracking=False)
    failing = runs.run("worker/model scored@2=2")
    assert failing.code == 1, failing.stderr
    killed_and_given_again(runs, "retry study.yaml --failed", "file moved@2")
    killed_and_given_again(runs, "extend study.yaml --seeds +1", "file written@3")
    killed_and_given_again(runs, "run study.yaml --no-tracking", "outcome told@2")
    assert differing(runs.contents(), whole.contents()) == []
