"""A driver that is suspended, taken over, and then goes on: it disturbs nothing."""

import signal
from pathlib import Path
from typing import Any

from broken_runs import BrokenRuns, differing, pass_epochs
from live_processes import all_gone, descendants


def test_a_suspended_driver_that_is_taken_over_disturbs_nothing_when_it_goes_on(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    runs = BrokenRuns(tmp_path)
    first = runs.start()
    pass_epochs(first, 20)
    first.send_signal(signal.SIGSTOP)
    mine = descendants(first.pid)
    second = runs.start(more=["--take-over"])
    pass_epochs(second, 3)
    first.send_signal(signal.SIGCONT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 4, said
    assert f"taken over by process {second.pid}" in said
    assert "Traceback" not in said
    assert all_gone(mine, 5)
    _, said = second.communicate(timeout=240)
    assert second.returncode == 0, said
    assert differing(runs.contents(), undisturbed) == []
