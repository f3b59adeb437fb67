"""A kill or a stop at any moment, again and again: the study ends as if nothing had happened."""

import itertools
import random
import signal
from pathlib import Path

import pytest
from broken_runs import KILLED, BrokenRuns, differing, pass_epochs


def random_kills(place: Path, kills: int, seed: int, undisturbed: dict[str, object]) -> None:
    """Kill drivers at so many random moments. A study that ends in between is compared, and another begun."""
    drawn, left, cut_short = random.Random(seed), kills, 0
    for number in itertools.count():
        runs = BrokenRuns(place / f"study {number}")
        while left:
            ended = runs.run_and_kill(drawn.choice([1, 2]), drawn.randint(1, 60), drawn.uniform(0.0, 0.3))
            if ended.code == 0:
                break
            assert ended.code == KILLED, ended.stderr
            left -= 1
            cut_short += bool(runs.cut_short())
        last = runs.run()
        assert last.code == 0, last.stderr
        assert differing(runs.contents(), undisturbed) == []
        if not left:
            break
    assert cut_short >= 0.3 * kills  # two in three do; the others hit the start of a trial, or the end of a study


def test_ten_random_kills_leave_what_an_undisturbed_study_leaves(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    random_kills(tmp_path, 10, 1, undisturbed)


@pytest.mark.soak
def test_fifty_random_kills_leave_what_an_undisturbed_study_leaves(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    random_kills(tmp_path, 50, 2, undisturbed)


def test_stopped_again_and_again_it_ends_as_an_undisturbed_one(tmp_path: Path, undisturbed: dict[str, object]) -> None:
    runs, stops = BrokenRuns(tmp_path), 0
    for number in itertools.cycle([signal.SIGINT, signal.SIGTERM]):
        running = runs.start()
        pass_epochs(running, 40)
        running.send_signal(number)
        code = running.wait(60)
        if code == 0:  # it had come to its end before the signal
            break
        assert code == 128 + number
        assert runs.open_runs() == []
        stops += 1
    assert stops >= 3
    assert differing(runs.contents(), undisturbed) == []
