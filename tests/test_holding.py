"""One driver a study, with real processes; machines are made up by their names, their clocks by the record's stamp."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ablation.errors import StudyLockedError
from ablation.holding import LOCK, RECORD, Alarm, Pace, ask_to_stop, hold, holder_of, wait_until_left

FAST = Pace(look=0.02, renew=0.06, leave=0.5)
SCRIPT = """
import sys
from pathlib import Path
from ablation.holding import Pace, hold
if "take" in sys.argv:
    print("ready", flush=True)
    sys.stdin.readline()
folder, host, look = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
with hold(folder, "take" in sys.argv, here=host, pace=Pace(look=look, renew=0.06, leave=0.1)):
    print("held", flush=True)
    sys.stdin.read()
"""

Driver = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """Starts a driver of the study in `tmp_path` on a machine of some name; it holds until its input ends."""
    with ExitStack() as processes:

        def start(host: str) -> subprocess.Popen[str]:
            process = processes.enter_context(started(tmp_path, host, "0.02"))
            processes.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            return process

        yield start


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SCRIPT, str(folder), *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def unreachable_lock(folder: Path) -> None:
    """From now on the system's lock keeps nobody out: as where it does not reach from one machine to another."""
    (folder / LOCK).unlink()


def grow_silent(folder: Path, seconds: float) -> None:
    """The record looks as if it was renewed so long ago."""
    stamp = (folder / RECORD).stat().st_mtime - seconds
    os.utime(folder / RECORD, (stamp, stamp))


def test_a_second_driver_hears_of_the_first_and_how_to_go_on(tmp_path: Path, driver: Driver) -> None:
    first = driver("here")
    told = f"process {first.pid} on here, since .*ablate stop .*--take-over"
    with pytest.raises(StudyLockedError, match=told), hold(tmp_path, here="here"):
        pass
    holder = holder_of(tmp_path, "here")
    assert holder is not None
    assert (holder.process, holder.host) == (first.pid, "here")


def test_who_has_ended_leaves_no_trace(tmp_path: Path) -> None:
    with hold(tmp_path):
        assert holder_of(tmp_path) is not None
    assert holder_of(tmp_path) is None
    assert not (tmp_path / RECORD).exists()


def test_the_lock_of_a_dead_process_is_taken_at_once(tmp_path: Path, driver: Driver) -> None:
    first = driver("here")
    first.kill()
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    assert (tmp_path / RECORD).exists()
    assert holder_of(tmp_path, "here") is None
    with hold(tmp_path, here="here", pace=Pace(look=600)):  # would wait for ever if it took the record for a driver's
        pass


def test_another_process_of_the_same_number_is_not_the_driver(tmp_path: Path) -> None:
    with hold(tmp_path):
        record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert holder_of(tmp_path) is not None  # this very process, which lives
    (tmp_path / RECORD).write_text(json.dumps({**record, "began": "1"}))
    assert holder_of(tmp_path) is None


@pytest.mark.parametrize("reaches", [False, True], ids=["lock does not reach", "lock reaches"])
def test_the_lock_of_another_machine_is_taken_after_two_minutes_of_silence(
    tmp_path: Path, driver: Driver, reaches: bool
) -> None:
    first = driver("there")
    first.send_signal(signal.SIGSTOP)  # to this machine it is as good as gone
    if not reaches:
        unreachable_lock(tmp_path)
    grow_silent(tmp_path, 110)
    with pytest.raises(StudyLockedError, match="on there"), hold(tmp_path, here="here", pace=FAST):
        pass
    grow_silent(tmp_path, 11)
    with hold(tmp_path, here="here", pace=FAST):
        holder = holder_of(tmp_path, "here")
        assert holder is not None
        assert holder.process == os.getpid()
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate("", 20)
        assert first.returncode == 1
        assert f"taken over by process {os.getpid()} on here" in said
    assert holder_of(tmp_path, "here") is None


def test_signs_of_life_keep_a_study(tmp_path: Path, driver: Driver) -> None:
    driver("there")
    unreachable_lock(tmp_path)
    grow_silent(tmp_path, 500)
    renewed = threading.Event()
    for _ in range(200):
        if holder_of(tmp_path, "here") is not None:
            break
        renewed.wait(0.02)
    with pytest.raises(StudyLockedError, match="on there"), hold(tmp_path, here="here", pace=FAST):
        pass


def test_the_clock_of_the_observer_does_not_matter(
    tmp_path: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver("there")
    unreachable_lock(tmp_path)
    monkeypatch.setattr("ablation.holding.time.time", lambda: 4e9)
    assert holder_of(tmp_path, "here") is not None


@pytest.mark.parametrize("host", ["here", "there"])
def test_take_over_lets_the_other_driver_leave_first(tmp_path: Path, driver: Driver, host: str) -> None:
    first = driver(host)
    if host == "there":
        unreachable_lock(tmp_path)
    with hold(tmp_path, take_over=True, here="here", pace=FAST) as holding:
        assert not holding.lost.is_set()
        if host == "here":
            assert first.wait(0.1) == -signal.SIGTERM  # it had left before this one began
        else:
            first.communicate("", 20)
            assert first.returncode == 1


@pytest.mark.parametrize("host", ["here", "there"])
def test_take_over_takes_the_place_of_a_driver_that_does_not_answer(tmp_path: Path, driver: Driver, host: str) -> None:
    first = driver(host)
    first.send_signal(signal.SIGSTOP)
    with hold(tmp_path, take_over=True, here="here", pace=Pace(look=0.02, leave=0.1)):
        first.kill()
        holder = holder_of(tmp_path, "here")
        assert holder is not None
        assert holder.process == os.getpid()


def test_who_was_taken_over_is_told_and_leaves_the_new_record_alone(tmp_path: Path) -> None:
    heard: list[Alarm] = []
    told = threading.Event()

    def alarm(why: Alarm) -> None:
        heard.append(why)
        if why == "taken over":
            told.set()

    mine, theirs = hold(tmp_path, False, alarm, "here", FAST), hold(tmp_path, True, here="there", pace=FAST)
    with ExitStack() as stack:
        holding = stack.enter_context(mine)
        with theirs:
            assert told.wait(10)
            assert holding.lost.is_set()
            with pytest.raises(StudyLockedError, match=f"taken over by process {os.getpid()} on there"):
                holding.check()
        stack.pop_all()
    with pytest.raises(StudyLockedError, match="this driver has stopped"):
        mine.__exit__(None, None, None)
    assert heard[-1] == "taken over"


def test_of_two_that_take_over_at_once_one_stays(tmp_path: Path, driver: Driver) -> None:
    driver("there").send_signal(signal.SIGSTOP)
    both = [started(tmp_path, host, "0.3", "take") for host in ("one", "two")]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.stdout.readline() for process in both if process.stdout]
    assert sorted(said) == ["", "held\n"]
    for process in both:
        process.communicate("", 30)
    assert sorted(process.returncode for process in both) == [0, 1]


def test_a_driver_on_this_machine_is_asked_by_a_signal(tmp_path: Path, driver: Driver) -> None:
    first = driver("here")
    holder = holder_of(tmp_path, "here")
    assert holder is not None
    ask_to_stop(tmp_path, holder, "here")
    assert first.wait(10) == -signal.SIGTERM
    assert wait_until_left(tmp_path, holder, "here", FAST)


def test_a_driver_on_another_machine_is_asked_by_a_file_that_concerns_it_alone(tmp_path: Path) -> None:
    asked = threading.Event()
    with hold(tmp_path, alarm=lambda why: asked.set(), here="there", pace=FAST) as holding:
        holder = holder_of(tmp_path, "there")
        assert holder is not None
        earlier = holder.model_copy(update={"token": "a driver that has ended"})
        ask_to_stop(tmp_path, earlier, "here")
        assert not asked.wait(0.2)
        ask_to_stop(tmp_path, holder, "here")
        assert asked.wait(10)
        assert holding.stop_requested.is_set()
        assert not wait_until_left(tmp_path, holder, "there", Pace(leave=0.01))
    assert wait_until_left(tmp_path, holder, "there", FAST)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK]


def test_a_record_removed_by_hand_is_written_again(tmp_path: Path) -> None:
    with hold(tmp_path, pace=FAST) as holding:
        (tmp_path / RECORD).unlink()
        for _ in range(200):
            if (tmp_path / RECORD).exists():
                break
            holding.lost.wait(0.02)
        holding.check()
        assert holder_of(tmp_path) is not None
