import subprocess
import sys
from pathlib import Path

import pytest

from ablation.durable import append_line
from ablation.errors import AblationError, StudyLockedError
from ablation.run_folder import RunFolder
from ablation.settings import Part, Settings
from ablation.trial import Arm, Epoch, Outcome, Scores, Trial, trial_id
from ablation.trial_files import append_epoch, read_outcome, write_epochs, write_outcome

SETTINGS = Settings(dataset=Part(name="digits"), model=Part(name="small"))
ARM = Arm(name="baseline", levels={}, settings=SETTINGS, baseline=True)
SCORES = Scores(loss=0.5, accuracy=0.75)


def a_trial(block: int = 0) -> Trial:
    return Trial(id=trial_id(ARM, block), arm=ARM, block=block, number=block)


def an_epoch(number: int) -> Epoch:
    return Epoch(epoch=number, train=SCORES, validation=SCORES, learning_rate=0.1, seconds=2.0, images_per_second=100.0)


def test_a_record_holds_what_was_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    place = folder.open_trial(a_trial())
    append_epoch(place, an_epoch(1))
    append_epoch(place, an_epoch(2))
    (record,) = folder.records()
    assert record.trial == a_trial()
    assert record.outcome is None
    assert [epoch.epoch for epoch in record.epochs] == [1, 2]
    outcome = Outcome(status="complete", test=SCORES, confusion=((3, 1), (0, 4)), classes=("cat", "dog"))
    write_outcome(place, outcome)
    assert folder.records()[0].outcome == outcome == read_outcome(place)


def test_a_new_attempt_goes_on_with_the_epochs_of_its_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    place = folder.open_trial(a_trial())
    for number in (1, 2, 3):
        append_epoch(place, an_epoch(number))
    assert folder.open_trial(a_trial()) == place
    write_epochs(place, [an_epoch(1)])
    append_epoch(place, an_epoch(2))
    assert [epoch.epoch for epoch in folder.records()[0].epochs] == [1, 2]


def test_an_epoch_torn_by_a_crash_is_left_out(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    place = folder.open_trial(a_trial())
    append_epoch(place, an_epoch(1))
    with (place / "events.jsonl").open("a") as file:
        file.write('{"epoch": 2, "tra')
    append_epoch(place, an_epoch(2))
    assert [epoch.epoch for epoch in folder.records()[0].epochs] == [1, 2]


def test_records_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for block in (10, 2, 0, 1):
        folder.open_trial(a_trial(block))
    assert [record.trial.block for record in folder.records()] == [0, 1, 2, 10]
    assert folder.records_of(ARM) == folder.records()


def test_a_folder_without_a_study_says_so(tmp_path: Path) -> None:
    assert not RunFolder(tmp_path).begun()
    with pytest.raises(AblationError, match="ablate run STUDY"):
        RunFolder(tmp_path).beginning()


def test_a_trial_queued_again_keeps_what_it_had(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for count in (1, 2):
        place = folder.open_trial(a_trial())
        (place / "log.txt").write_text(f"log {count}")
        if count == 1:
            append_line(place / "attempts.jsonl", "{}")
        write_outcome(place, Outcome(status="failed", reason=f"reason {count}"))
        kept = folder.queue_again(a_trial().id)
        assert kept == place / f"earlier-{count}"
        assert (kept / "log.txt").read_text() == f"log {count}"
        assert (kept / "attempts.jsonl").exists() == (count == 1)
        earlier = read_outcome(kept)
        assert earlier is not None
        assert earlier.reason == f"reason {count}"
        (record,) = folder.records()
        assert record.outcome is None
        assert sorted(path.name for path in place.iterdir() if path.is_file()) == ["trial.json"]


def test_queueing_again_that_was_cut_short_is_ended_by_the_next_call(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    place = folder.open_trial(a_trial())
    write_outcome(place, Outcome(status="failed", reason="first"))
    (place / "earlier-1").mkdir()
    (place / "earlier-1" / "log.txt").write_text("moved before the kill")
    assert folder.queue_again(a_trial().id) == place / "earlier-1"
    assert sorted(path.name for path in (place / "earlier-1").iterdir()) == ["log.txt", "outcome.json"]


def test_one_driver_at_a_time_and_the_second_hears_of_the_first(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ablation.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).lock():\n  print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    folder = RunFolder(tmp_path)
    assert folder.holder() is not None
    with pytest.raises(StudyLockedError, match=f"process {holder.pid}"), folder.lock():
        pass
    holder.kill()
    holder.wait()
    assert folder.holder() is None
    with folder.lock():  # the lock of a dead process is free at once
        pass
