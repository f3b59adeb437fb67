"""The processes of a run, as the system lists them."""

import time
from pathlib import Path

from ablation.processes import birth


def descendants(driver: int) -> list[int]:
    """All the processes that a driver has started, at first or second hand."""
    parents = {int(stat.parent.name): parent_of(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found = {driver}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {driver})


def parent_of(stat: Path) -> int:
    """The fourth field; the second, the name, may hold spaces."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def all_gone(processes: list[int], seconds: float) -> bool:
    """Whether every process has ended before the time is over; whether it was reaped is its parent's affair."""
    deadline = time.monotonic() + seconds
    while any(birth(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def workers(driver: int) -> list[int]:
    """The processes that trials run in: children of the server that they are forked from."""
    mine = descendants(driver)
    return [process for process in mine if parent_of(Path(f"/proc/{process}/stat")) in mine]
