"""Named places at every durable write and hand-over where a test can make things go wrong. Nothing happens unless told.

`ABLATE_FAULT="worker/outcome durable@2=SIGKILL"` sends the signal to the worker that reaches the place for its second
time; a number in place of the signal raises OSError with it; several stand in one line with `;` between them.
`ABLATE_FAULT_LOG` names the file that notes them: what stands there has happened and does not happen again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path

POINTS = frozenset(
    {
        # any process
        *("file written", "file replaced", "file moved", "line appended"),
        # the driver
        *("trial numbered", "trial asked", "trial opened", "trial submitted"),
        *("outcome noted", "outcome told", "outcome shipped"),
        *("findings written", "tracker began", "tracker logged", "tracker ended"),
        # a worker
        *("trial prepared", "step made", "checkpoint saved", "epoch reported", "model scored", "outcome durable"),
        "checkpoints removed",
    }
)

_reached: Counter[str] = Counter()


def point(name: str) -> None:
    """Be at a named place; costs a look at the environment."""
    wanted = os.environ.get("ABLATE_FAULT")
    if wanted is not None:
        _reach(name, wanted)


def _reach(name: str, wanted: str) -> None:
    assert name in POINTS, name
    _reached[name] += 1
    role = "driver" if multiprocessing.parent_process() is None else "worker"
    for fault in wanted.split(";"):
        place, _, action = fault.partition("=")
        if place == f"{role}/{name}@{_reached[name]}" and _is_first(fault):
            if action.isdigit():
                raise OSError(int(action), os.strerror(int(action)))  # of no file, as a write to an open one
            os.kill(os.getpid(), signal.Signals[action])


def _is_first(fault: str) -> bool:
    """Note a fault in the log, unless it stands there."""
    log = Path(os.environ["ABLATE_FAULT_LOG"])
    if log.exists() and fault in log.read_text().splitlines():
        return False
    with log.open("a") as file:
        file.write(f"{fault}\n")
    return True
