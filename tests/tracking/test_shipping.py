"""Shipping with trackers that work, refuse, and hang."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ablation.errors import TrackingError
from ablation.run_folder import RunFolder
from ablation.settings import Part, Settings
from ablation.study import Study
from ablation.tracking import StudyNote
from ablation.tracking.shipping import Shipping
from ablation.trial import Arm, Outcome, Record, Scores, Stamp, Trial, trial_id
from ablation.trial_files import write_outcome

ARM = Arm(name="baseline", levels={}, settings=Settings(dataset=Part(name="digits"), model=Part(name="small")))
ABOUT = StudyNote(key="k", digest="d", stamp=Stamp(versions={}), arms=1, trials=3)
OUTCOME = Outcome(status="complete", test=Scores(loss=0.1, accuracy=0.9))


class Notebook:
    """A tracker that keeps each trial once, and refuses while `broken`."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken
        self.calls: list[str] = []
        self.trials: dict[str, Record] = {}

    def begin(self, study: Study, about: StudyNote) -> None:
        self._call("begin")

    def log(self, record: Record, folder: Path) -> bool:
        self._call("log")
        self.trials[record.trial.id] = record
        return True

    def pause(self) -> None:
        self._call("pause")

    def end(self, findings_markdown: str, artifacts: Sequence[Path], complete: bool) -> None:
        self._call(f"end {findings_markdown} {complete}")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.broken:
            raise TrackingError("the server refuses.")


def finished(folder: RunFolder, blocks: int) -> list[Record]:
    for block in range(blocks):
        write_outcome(folder.open_trial(Trial(id=trial_id(ARM, block), arm=ARM, block=block)), OUTCOME)
    return list(folder.records())


def shipping(tracker: Notebook, folder: RunFolder, study: Study, warnings: list[str]) -> Shipping:
    return Shipping(tracker, study, ABOUT, folder, warnings.append)


def test_everything_arrives_in_order_and_nobody_waits(small_study: Study, tmp_path: Path) -> None:
    folder, notebook, warnings = RunFolder(tmp_path), Notebook(), list[str]()
    with shipping(notebook, folder, small_study, warnings) as ship:
        for record in finished(folder, 3):
            ship.ship(record, folder.trial_folder(record.trial.id))
        ship.conclude("found", (), complete=True)
    assert notebook.calls[0] == "begin"
    assert notebook.calls[-1] == "end found True"
    assert len(notebook.trials) == 3
    assert warnings == []


def test_a_refusing_tracker_is_asked_once_then_once_more_at_the_end(small_study: Study, tmp_path: Path) -> None:
    folder, notebook, warnings = RunFolder(tmp_path), Notebook(broken=True), list[str]()
    with shipping(notebook, folder, small_study, warnings) as ship:
        for record in finished(folder, 3):
            ship.ship(record, folder.trial_folder(record.trial.id))
        ship.conclude("found", (), complete=True)
    assert notebook.calls == ["begin", "begin"]
    assert len(warnings) == 2
    assert "safe in the run folder" in warnings[0]


def test_the_next_run_ships_what_an_earlier_one_could_not(small_study: Study, tmp_path: Path) -> None:
    folder, notebook = RunFolder(tmp_path), Notebook()
    finished(folder, 2)
    with shipping(notebook, folder, small_study, []) as ship:
        ship.conclude("found", (), complete=False)
    assert len(notebook.trials) == 2
    assert notebook.calls[-1] == "end found False"


def test_a_tracker_that_breaks_in_a_way_of_its_own_costs_a_warning(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, notebook, warnings = RunFolder(tmp_path), Notebook(), list[str]()
    monkeypatch.setattr(notebook, "begin", lambda study, about: 1 / 0)
    with shipping(notebook, folder, small_study, warnings) as ship:
        ship.conclude("found", (), complete=True)
    assert "ZeroDivisionError" in warnings[0]


def test_a_tracker_that_gives_no_sign_is_not_waited_for(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.tracking.shipping.PATIENCE", 0.1)
    folder, notebook, warnings, over = RunFolder(tmp_path), Notebook(), list[str](), threading.Event()
    failed_late = threading.Event()

    def hang(record: Record, where: Path) -> bool:
        over.wait()
        failed_late.set()
        raise TrackingError("a late answer.")

    notebook.log = hang  # type: ignore[method-assign]
    finished(folder, 2)
    with shipping(notebook, folder, small_study, warnings) as ship:
        ship.conclude("found", (), complete=True)
        (warning,) = warnings
        assert warning.startswith("warning: the tracker gives no sign for 0.1 seconds.")
        assert f"`ablate sync {tmp_path}` brings what is missing" in warning
        over.set()
        assert failed_late.wait(10)
        assert ship.wait()
    assert warnings == [warning]
    assert notebook.calls == ["begin"]


def test_a_tracker_is_not_waited_for_beyond_the_end_of_the_run(small_study: Study, tmp_path: Path) -> None:
    folder, notebook, warnings, over = RunFolder(tmp_path), Notebook(), list[str](), threading.Event()
    quick = notebook.log
    notebook.log = lambda record, where: over.wait() and quick(record, where)  # type: ignore[method-assign]
    finished(folder, 1)
    began = time.monotonic()
    with shipping(notebook, folder, small_study, warnings) as ship:
        ship.conclude("found", (), complete=False, end=began + 3.2)
        over.set()
    assert time.monotonic() - began < 3
    assert warnings[0].startswith("warning: the tracker has not taken everything in time.")


def test_a_slow_tracker_is_waited_for_as_long_as_it_moves(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.tracking.shipping.PATIENCE", 1.0)
    folder, notebook, warnings = RunFolder(tmp_path), Notebook(), list[str]()
    quick = notebook.log

    def slow(record: Record, where: Path) -> bool:
        time.sleep(0.4)
        return quick(record, where)

    notebook.log = slow  # type: ignore[method-assign]
    finished(folder, 4)
    with shipping(notebook, folder, small_study, warnings) as ship:
        ship.conclude("found", (), complete=True)
    assert len(notebook.trials) == 4
    assert notebook.calls[-1] == "end found True"
    assert warnings == []


def test_a_warning_holds_no_password(small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, notebook, warnings = RunFolder(tmp_path), Notebook(), list[str]()

    def fail(study: Study, about: StudyNote) -> None:
        raise ValueError("no answer from http://me:secret@host")

    monkeypatch.setattr(notebook, "begin", fail)
    with shipping(notebook, folder, small_study, warnings) as ship:
        ship.conclude("found", (), complete=True)
    assert "http://***@host" in warnings[0]
    assert "secret" not in warnings[0]


def test_an_interrupted_command_does_not_wait_for_a_tracker_that_hangs(small_study: Study, tmp_path: Path) -> None:
    folder, notebook, entered = RunFolder(tmp_path), Notebook(), threading.Event()
    never = threading.Event()

    def hang(record: Record, where: Path) -> bool:
        entered.set()
        return never.wait()

    notebook.log = hang  # type: ignore[method-assign]
    (record,) = finished(folder, 1)
    with shipping(notebook, folder, small_study, []) as ship:  # left as by an interruption, with no conclusion
        ship.ship(record, tmp_path)
        assert entered.wait(10)
    assert "end" not in notebook.calls
    never.set()


def test_an_interrupted_study_is_shown_as_paused_where_it_is_shown_at_all(small_study: Study, tmp_path: Path) -> None:
    folder, notebook = RunFolder(tmp_path), Notebook()
    (record,) = finished(folder, 1)
    with shipping(notebook, folder, small_study, []) as ship:
        ship.pause()
        assert notebook.calls == []
        ship.ship(record, tmp_path)
        assert ship.wait()
        ship.pause()
    assert notebook.calls == ["begin", "log", "pause"]


def test_a_tracker_that_has_only_begun_is_paused_too_and_what_waits_is_left(small_study: Study, tmp_path: Path) -> None:
    """Else the study would be shown as going on: its run was made, and the command ended before it was known to be."""
    folder, notebook, entered = RunFolder(tmp_path), Notebook(), threading.Event()

    def slow(study: Study, about: StudyNote) -> None:
        entered.set()
        time.sleep(0.3)
        notebook.calls.append("begin")

    notebook.begin = slow  # type: ignore[method-assign]
    with shipping(notebook, folder, small_study, []) as ship:
        for record in finished(folder, 3):
            ship.ship(record, tmp_path)
        assert entered.wait(10)
        ship.pause()
    assert notebook.calls == ["begin", "log", "pause"]
