"""A kill at every durable write and hand-over, one after the other: the study ends as if nothing had happened."""

import errno
from pathlib import Path

from broken_runs import BEST_ONLY, KILLED, BrokenRuns, best_only, differing, optuna_of
from small_studies import SMALL

from ablation.faults import POINTS

IN_THE_DRIVER = [
    "file written@3",
    "file replaced@5",
    "trial asked@1",
    "trial opened@1",
    "trial submitted@2",
    "trial numbered@3",
    "line appended@1",
    "outcome noted@1",
    "outcome told@1",
    "outcome shipped@1",
    "tracker began@1",
    "tracker logged@1",
    "findings written@1",
    "tracker ended@1",
]
"""One a run, the last two once all trials are done."""

IN_A_WORKER = [
    "trial prepared@2",
    "step made@7",
    "file written@5",
    "file replaced@9",
    "line appended@4",
    "checkpoint saved@3",
    "epoch reported@9",
    "model scored@1",
    "outcome durable@2",
    "checkpoints removed@1",
]
"""All in one run, which goes on by itself."""


IN_OTHER_COMMANDS = ["file moved@2"]
"""In `test_other_ways.py`."""


def test_every_point_has_its_fault() -> None:
    assert {fault.partition("@")[0] for fault in [*IN_THE_DRIVER, *IN_A_WORKER, *IN_OTHER_COMMANDS]} == POINTS


def test_workers_killed_at_every_point_cost_nothing(tmp_path: Path, undisturbed: dict[str, object]) -> None:
    runs = BrokenRuns(tmp_path)
    faults = [f"worker/{fault}=SIGKILL" for fault in IN_A_WORKER]
    ended = runs.run(";".join(faults))
    assert ended.code == 0, ended.stderr
    assert sorted(runs.happened()) == sorted(faults)
    assert differing(runs.contents(), undisturbed) == []


def test_a_driver_killed_at_every_point_goes_on_to_the_same_end(tmp_path: Path, undisturbed: dict[str, object]) -> None:
    """With `keep` as it is by default: weights are removed on the way, and none too few or too many."""
    runs = BrokenRuns(tmp_path, BEST_ONLY)
    faults = [f"driver/{fault}=SIGKILL" for fault in IN_THE_DRIVER]
    for fault in faults:  # those before the tracker without it: the last run brings it all
        ended = runs.run(fault, untracked="tracker" not in fault)
        assert ended.code == KILLED, (fault, ended.stderr)
    assert runs.happened() == faults
    last = runs.run()
    assert last.code == 0, last.stderr
    assert "launched" not in last.stderr
    assert differing(runs.contents(), best_only(undisturbed)) == []


def test_a_driver_killed_before_it_told_the_last_outcome_leaves_nothing_running(tmp_path: Path) -> None:
    runs = BrokenRuns(tmp_path, SMALL, tracking=False)
    assert runs.run("driver/outcome noted@6=SIGKILL").code == KILLED
    assert "RUNNING" in {state for state, _, _ in optuna_of(runs.folder).values()}
    again = runs.run()
    assert again.code == 0, again.stderr
    assert "launched" not in again.stderr
    assert [state for state, _, _ in optuna_of(runs.folder).values()] == ["COMPLETE"] * 6


FULL, BROKEN = errno.ENOSPC, errno.EIO
REFUSED = [
    f"driver/file written@4={FULL}",
    f"driver/line appended@2={BROKEN}",
    f"worker/file replaced@4={BROKEN}",
    f"worker/line appended@3={FULL}",
]
"""What the disk refuses, one a run and early in it."""


def test_a_disk_that_refuses_any_durable_write_pauses_the_study_and_costs_nothing(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    runs = BrokenRuns(tmp_path)
    for fault in REFUSED:
        ended = runs.run(fault, untracked=True)
        assert ended.code == 7, (fault, ended.stderr)
        assert "is paused" in ended.stderr or "Make room" in ended.stderr, ended.stderr
        assert "Traceback" not in ended.stderr
    assert list(dict.fromkeys(runs.happened())) == REFUSED  # each of the two workers may meet its own
    last = runs.run()
    assert last.code == 0, last.stderr
    assert differing(runs.contents(), undisturbed) == []
