"""The last one to leave: ends what the workers of a driver have left, once the driver is gone, however it went.

A plain program over the standard library, started with `-I -S` in some 20 milliseconds. Each line on its standard
input names the leader of a group of processes: `+123` is to be watched, `-123` no longer. The input ends when the
driver does, also by SIGKILL; then every group that is still watched is killed. A worker need not be able to do anything
for that: it may be stopped, hold Python's lock, or wait for a process of its own.
"""

import contextlib
import os
import signal
import sys


def end_group(leader: int) -> None:
    """Kill a process and all of its group, where they are still there."""
    for kill in (os.killpg, os.kill):  # while the process has not become a leader, there is no group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)


def main() -> None:
    """Watch until the input ends, then end what is watched.

    As nobody's child: Ray ends a process together with its children, but not with theirs, which the guardian knows.
    """
    if os.fork():
        return
    watched: set[int] = set()
    for line in sys.stdin:
        leader = int(line[1:])
        (watched.add if line[0] == "+" else watched.discard)(leader)
    for leader in watched:
        end_group(leader)


if __name__ == "__main__":
    main()
