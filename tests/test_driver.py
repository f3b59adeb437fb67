"""The driver with the real sampling and run folder; only the training is replaced, by functions that answer at once."""

import contextlib
import itertools
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ablation import designs, outcome_index
from ablation.attempts import attempts
from ablation.driver import Drive, Machine, drive
from ablation.errors import PausedError, StudyLockedError
from ablation.executors.in_process import open_executor
from ablation.failures import Failure, PlaceLostError, ProcessEndedError
from ablation.keeping import sweep
from ablation.run_folder import RunFolder
from ablation.sampling import open_sampling
from ablation.stopping import StopRequest
from ablation.study import Study
from ablation.trial import Answer, Assignment, Cause, Epoch, Outcome, Record, Scores, Trial
from ablation.trial_files import write_outcome
from ablation.watching import Link

SCORES = Scores(loss=0.5, accuracy=0.8)
EPOCH = Epoch(epoch=1, train=SCORES, validation=SCORES, learning_rate=0.1, seconds=1.0, images_per_second=1.0)

RunTrial = Callable[[Assignment, Link], Outcome | Failure | None]


def quick(assignment: Assignment, link: Link) -> Outcome | None:
    """A trial that learns nothing and says so."""
    if link.report(EPOCH) == "stop":
        return None
    (assignment.folder / "weights.pt").write_bytes(b"weights")
    accuracy = 0.5 + 0.1 * assignment.trial.block
    validation = Scores(loss=0.5, accuracy=accuracy)
    outcome = Outcome(status="complete", validation=validation, test=SCORES)
    write_outcome(assignment.folder, outcome)
    return outcome


class Witness:
    """Audience and shipper that remember."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.shipped: list[Record] = []

    def launched(self, trial: Trial) -> None:
        self.events.append(("launched", trial.id))

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        self.events.append(("reported", trial.id))

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        self.events.append((f"retry {failure.cause}", trial.id))

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        self.events.append((outcome.status, trial.id))

    def ship(self, record: Record, folder: Path) -> None:
        self.shipped.append(record)


def run(study: Study, path: Path, run_trial: RunTrial = quick, **changes: object) -> tuple[bool, Witness]:
    folder, witness = RunFolder(path), Witness()
    slots = int(str(changes.pop("slots", 1)))
    with ThreadPoolExecutor(slots) if slots > 1 else open_executor() as executor:
        parts = {
            "folder": folder,
            "sampling": changes.pop("sampling", None) or open_sampling(study, folder),
            "machine": Machine(executor, slots, path),
            "execution": study.execution,
            "run_trial": run_trial,
            "stop": StopRequest(),
        }
        ended = drive(Drive(**{"shipper": witness, "audience": witness, **parts, **changes}))  # type: ignore[arg-type]
    return ended == "complete", witness


@pytest.mark.parametrize("slots", [1, 3])
def test_every_trial_is_run_told_and_shipped_once(small_study: Study, tmp_path: Path, slots: int) -> None:
    ended, witness = run(small_study, tmp_path, slots=slots)
    assert ended
    records = RunFolder(tmp_path).records()
    assert len(records) == 6
    assert {record.trial.id for record in witness.shipped} == {record.trial.id for record in records}
    for record in records:
        mine = [event for event, trial_id in witness.events if trial_id == record.trial.id]
        assert mine == ["launched", "reported", "complete"]


def test_a_second_run_starts_nothing(small_study: Study, tmp_path: Path) -> None:
    run(small_study, tmp_path)
    ended, witness = run(small_study, tmp_path)
    assert ended
    assert witness.events == []


def test_as_many_trials_run_side_by_side_as_there_are_slots(small_study: Study, tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=20)

    def meet(assignment: Assignment, link: Link) -> Outcome | None:
        together.wait()  # breaks, and with it the trial, unless three run at once
        return quick(assignment, link)

    ended, witness = run(small_study, tmp_path, meet, slots=3)
    assert ended
    assert {record.outcome.status for record in witness.shipped if record.outcome} == {"complete"}


@pytest.mark.parametrize(("device", "where"), [("cuda", ["compiled"]), ("cpu", [])])
def test_a_study_on_cuda_keeps_what_it_compiles_in_its_folder(
    small_study: Study, tmp_path: Path, device: str, where: list[str]
) -> None:
    kept: list[Path] = []

    def look(assignment: Assignment, link: Link) -> Outcome | None:
        kept.extend([assignment.compilations] if assignment.compilations else [])
        return quick(assignment, link)

    execution = small_study.execution.model_copy(update={"device": device})
    run(small_study.model_copy(update={"execution": execution}), tmp_path, look)
    assert {str(path.relative_to(tmp_path.resolve())) for path in kept} == set(where)


def reasons(path: Path) -> list[str]:
    return sorted(record.outcome.reason for record in RunFolder(path).records() if record.outcome)


def attempted(path: Path, trial: str) -> list[tuple[str, bool]]:
    return [(str(attempt.cause), attempt.counts) for attempt in attempts(path / "trials" / trial)]


def fails_at_first(times: int, failing: Callable[[Assignment], Failure]) -> RunTrial:
    """The baseline's trial of block 1 fails so many times, then it is as quick as the others."""
    left = [times]

    def run_trial(assignment: Assignment, link: Link) -> Outcome | Failure | None:
        if assignment.trial.block == 1 and assignment.trial.arm.baseline and left[0]:
            left[0] -= 1
            return failing(assignment)
        return quick(assignment, link)

    return run_trial


def baseline_trial(study: Study) -> str:
    return next(t.id for t in designs.planned_trials(study) if t.block == 1 and t.arm.baseline)


def dies(exit_code: int) -> Callable[[Assignment], Failure]:
    def failing(assignment: Assignment) -> Failure:
        raise ProcessEndedError(exit_code)

    return failing


def test_an_accident_is_tried_again_twice_then_it_is_an_outcome(small_study: Study, tmp_path: Path) -> None:
    ended, witness = run(small_study, tmp_path, fails_at_first(2, dies(-signal.SIGSEGV)))
    assert ended
    assert reasons(tmp_path) == [""] * 6
    assert attempted(tmp_path, baseline_trial(small_study)) == [("killed", True), ("killed", True), ("None", False)]
    assert [event for event, _ in witness.events].count("retry killed") == 2


def test_a_third_accident_closes_the_trial_and_the_rest_goes_on(small_study: Study, tmp_path: Path) -> None:
    ended, _ = run(small_study, tmp_path, fails_at_first(9, dies(-signal.SIGSEGV)))
    assert ended
    assert reasons(tmp_path) == [""] * 5 + ["the worker process ended by itself (signal SIGSEGV)"]
    failed = RunFolder(tmp_path).record(baseline_trial(small_study))
    assert failed is not None
    assert failed.outcome is not None
    assert failed.outcome.cause == "killed"


def test_a_process_that_somebody_kills_never_counts(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.waiting.FIRST", 0.01)
    ended, _ = run(small_study, tmp_path, fails_at_first(7, dies(-signal.SIGKILL)))
    assert ended
    assert reasons(tmp_path) == [""] * 6
    assert attempted(tmp_path, baseline_trial(small_study)) == [("killed", False)] * 7 + [("None", False)]


def test_a_lost_machine_never_counts_and_memory_that_ran_out_on_one_does(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.waiting.FIRST", 0.01)
    ends = [*[PlaceLostError("node a")] * 4, ProcessEndedError(-signal.SIGKILL, memory_ran_out=True)]

    def failing(assignment: Assignment) -> Failure:
        raise ends.pop()

    ended, _ = run(small_study, tmp_path, fails_at_first(5, failing))
    assert ended
    assert reasons(tmp_path) == [""] * 6
    tried = attempted(tmp_path, baseline_trial(small_study))
    assert tried == [("host memory", True), *[("killed", False)] * 4, ("None", False)]


def test_an_attempt_that_left_a_newer_checkpoint_does_not_count(small_study: Study, tmp_path: Path) -> None:
    made = itertools.count(1)

    def further(assignment: Assignment) -> Failure:
        (assignment.folder / f"checkpoint-00001-{next(made):07d}.pt").write_bytes(b"")
        return Failure(cause="hang", reason="made no step")

    ended, _ = run(small_study, tmp_path, fails_at_first(5, further))
    assert ended
    assert reasons(tmp_path) == [""] * 6
    assert attempted(tmp_path, baseline_trial(small_study)) == [("hang", False)] * 5 + [("None", False)]


@pytest.mark.parametrize("cause", ["bug", "input", "data"])
def test_what_would_fail_again_is_not_tried_again(small_study: Study, tmp_path: Path, cause: Cause) -> None:
    failure = Failure(cause=cause, reason="no use")
    ended, witness = run(small_study, tmp_path, fails_at_first(9, lambda assignment: failure))
    assert ended
    assert reasons(tmp_path) == [""] * 5 + ["no use"]
    assert not [event for event, _ in witness.events if event.startswith("retry")]


def test_short_device_memory_doubles_the_pieces_until_there_is_one_image_each(
    small_study: Study, tmp_path: Path
) -> None:
    pieces: list[int] = []

    def short(assignment: Assignment) -> Failure:
        pieces.append(assignment.pieces)
        return Failure(cause="device memory", reason="too small")

    ended, _ = run(small_study, tmp_path, fails_at_first(99, short))
    assert ended
    assert pieces == [1, 2, 4, 8, 16, 32]  # the batch has 32 images
    assert reasons(tmp_path) == [""] * 5 + ["infeasible on this device: too small"]


def test_a_full_disk_pauses_the_study(small_study: Study, tmp_path: Path) -> None:
    failure = Failure(cause="disk", reason="no space left")
    with pytest.raises(PausedError, match="Make room"):
        run(small_study, tmp_path, fails_at_first(1, lambda assignment: failure))
    ended, _ = run(small_study, tmp_path)
    assert ended
    assert reasons(tmp_path) == [""] * 6


def test_fail_fast_stops_at_the_first_failure(small_study: Study, tmp_path: Path) -> None:
    failure = Failure(cause="bug", reason="no use")
    ended, witness = run(small_study, tmp_path, fails_at_first(1, lambda assignment: failure), fail_fast=True)
    assert not ended
    assert witness.events[-1][0] == "failed"


def test_a_driver_that_breaks_leaves_no_worker_waiting_for_an_answer(small_study: Study, tmp_path: Path) -> None:
    answers: list[Answer] = []

    def reports(assignment: Assignment, link: Link) -> Outcome | Failure | None:
        answers.append(link.report(EPOCH))
        answers.append(link.report(EPOCH))
        return None

    class Deaf(Witness):
        def reported(self, trial: Trial, epoch: Epoch) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):  # leaving `run` joins the worker's thread, which must come to its end
        run(small_study, tmp_path, reports, audience=Deaf())
    assert answers == ["stop", "stop"]


def test_a_stop_waits_for_checkpoints_and_no_longer(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.driver.GRACE_SECONDS", 0.2)
    stop, never = StopRequest(), threading.Event()

    def stubborn(assignment: Assignment, link: Link) -> Outcome | Failure | None:
        stop.ask("signal")
        assert link.stopping()
        never.wait(2)
        return None

    executor = ThreadPoolExecutor(1)
    monkeypatch.setattr(executor, "shutdown", lambda **_: None)
    ended, witness = run(small_study, tmp_path, stubborn, stop=stop, machine=Machine(executor, 1, tmp_path))
    never.set()
    assert not ended
    assert witness.shipped == []
    (folder,) = (tmp_path / "trials").iterdir()
    assert [attempt.ended for attempt in attempts(folder)] == ["stopped"]


def test_at_the_deadline_nothing_is_launched_and_what_runs_stops_to_run_again(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("ablation.driver.time.monotonic", lambda: now[0])
    answers: list[Answer] = []

    def long(assignment: Assignment, link: Link) -> Outcome | None:
        answers.append(link.report(EPOCH))
        now[0] = 11.0  # the clock passes the deadline within the first trial
        answers.append(link.report(EPOCH))
        return None

    ended, witness = run(small_study, tmp_path, long, deadline=10.0)
    assert not ended
    assert answers == ["proceed", "stop"]
    assert witness.shipped == []
    assert [record.outcome for record in RunFolder(tmp_path).records()] == [None]
    ended, witness = run(small_study, tmp_path)
    assert ended
    assert len(witness.shipped) == 6


def test_the_trials_of_an_arm_are_read_once_to_find_its_best(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    records_of = RunFolder.records_of
    monkeypatch.setattr(RunFolder, "records_of", lambda self, arm: read.append(arm.name) or records_of(self, arm))
    run(small_study.model_copy(update={"seeds": 4}), tmp_path)
    whether_it_fits, best = (["baseline", "crop=shifted", "flip=flipped"] for _ in range(2))
    assert sorted(read) == sorted(whether_it_fits + best)


def test_outcomes_stand_in_the_index(small_study: Study, tmp_path: Path) -> None:
    run(small_study, tmp_path)
    assert set(outcome_index.read(tmp_path / "outcomes.jsonl")) == {
        each.trial.id for each in RunFolder(tmp_path).records()
    }


@pytest.mark.parametrize(("keep", "left"), [("best-per-arm", 3), ("all", 6)])
def test_weights_are_kept_as_the_study_says(small_study: Study, tmp_path: Path, keep: str, left: int) -> None:
    run(small_study, tmp_path, execution=small_study.execution.model_copy(update={"keep": keep}))
    kept = [path.parent.name for path in tmp_path.glob("trials/*/weights.pt")]
    assert len(kept) == left
    if keep == "best-per-arm":
        assert all(name.endswith("-b001") for name in kept)  # block 1 has the better validation accuracy


def test_trials_that_are_ended_from_outside_again_and_again_pause_the_study_once_the_others_have_ended(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.waiting.FIRST", 0.01)
    killed = fails_at_first(99, dies(-signal.SIGKILL))
    with pytest.raises(PausedError, match=f"{baseline_trial(small_study)}: ended from outside 10 times"):
        run(small_study, tmp_path, killed)
    assert reasons(tmp_path) == [""] * 5
    assert len(attempted(tmp_path, baseline_trial(small_study))) == 10
    ended, _ = run(small_study, tmp_path)
    assert ended
    assert reasons(tmp_path) == [""] * 6


def test_a_trial_that_is_ended_from_outside_twice_lets_others_go_first(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.waiting.FIRST", 0.5)
    ended, witness = run(small_study, tmp_path, fails_at_first(2, dies(-signal.SIGKILL)))
    assert ended
    mine = baseline_trial(small_study)
    launched = [trial for event, trial in witness.events if event == "launched"]
    first = launched.index(mine)
    assert launched[first : first + 2] == [mine, mine]  # at once after the first end
    assert launched[-1] == mine
    assert len(launched) == 8


def test_a_damaged_checkpoint_that_was_let_go_of_frees_no_attempt(small_study: Study, tmp_path: Path) -> None:
    def discards(assignment: Assignment) -> Failure:
        for file in assignment.folder.glob("checkpoint-*.pt"):
            file.unlink()
        return Failure(cause="hang", reason="made no step")

    def begins(assignment: Assignment, link: Link) -> Outcome | Failure | None:
        if assignment.trial.id == baseline_trial(small_study) and not attempts(assignment.folder):
            (assignment.folder / "checkpoint-00001-0000001.pt").write_bytes(b"")
            raise ProcessEndedError(-signal.SIGKILL)
        return fails(assignment, link)

    fails = fails_at_first(9, discards)
    run(small_study, tmp_path, begins)
    assert attempted(tmp_path, baseline_trial(small_study)) == [("killed", False)] + [("hang", True)] * 3


@pytest.mark.parametrize(("cause", "left"), [("bug", 0), ("hang", 1)])
def test_a_failed_trial_keeps_its_checkpoint_where_a_retry_goes_on_from_it(
    small_study: Study, tmp_path: Path, cause: Cause, left: int
) -> None:
    def fails(assignment: Assignment) -> Failure:
        (assignment.folder / "checkpoint-00001-0000001.pt").write_bytes(b"")
        return Failure(cause=cause, reason="no use")

    run(small_study, tmp_path, fails_at_first(9, fails))
    assert len(list((tmp_path / "trials" / baseline_trial(small_study)).glob("checkpoint-*"))) == left


def test_what_a_killed_driver_had_left_to_do_is_done_at_the_next_start(small_study: Study, tmp_path: Path) -> None:
    run(small_study, tmp_path, execution=small_study.execution.model_copy(update={"keep": "all"}))
    ended, waiting = sorted((tmp_path / "trials").iterdir())[:2]
    (waiting / "outcome.json").unlink()
    for place in (ended, waiting):
        (place / "checkpoint-00001-0000001.pt").write_bytes(b"")
    sweep(RunFolder(tmp_path), "best-per-arm")
    assert not list(ended.glob("checkpoint-*"))
    assert list(waiting.glob("checkpoint-*"))
    assert len(list(tmp_path.glob("trials/*/weights.pt"))) == 4  # two arms, and both of the third


class Listed:
    """Sampling of a list."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._left = list(trials)

    def ask(self) -> Trial | None:
        return self._left.pop(0) if self._left else None

    def report(self, trial: Trial, epoch: Epoch) -> Answer:
        return "proceed"

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Nobody is told."""


@pytest.mark.parametrize("at", range(1, 20))
def test_a_driver_that_was_taken_over_writes_nothing_more(small_study: Study, tmp_path: Path, at: int) -> None:
    looks, written = itertools.count(1), list[tuple[Path, bytes]]()

    def everything() -> list[tuple[Path, bytes]]:
        return sorted((path, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file())

    def fence() -> None:
        if next(looks) == at:
            written.extend(everything())
        if written:
            raise StudyLockedError("another driver")

    def only_reports(assignment: Assignment, link: Link) -> Outcome | None:
        link.report(EPOCH)
        return Outcome(status="complete", validation=SCORES, test=SCORES)

    with contextlib.suppress(StudyLockedError):
        listed = Listed(itertools.islice(designs.planned_trials(small_study), 3))
        run(small_study, tmp_path, only_reports, fence=fence, token="mine", sampling=listed)
    assert written
    assert written == everything()
