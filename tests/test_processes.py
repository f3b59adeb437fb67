import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ablation.processes import birth, is_alive, terminate

WAIT = "import sys; print('up', flush=True); sys.stdin.read()"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """A process that lives until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_a_process_is_known_by_its_number_and_its_birth(child: subprocess.Popen[str]) -> None:
    began = birth(child.pid)
    assert began == birth(child.pid)
    assert began is not None
    assert is_alive(child.pid, began)
    assert not is_alive(child.pid, began + "0")
    assert birth(os.getpid()) != began


@pytest.mark.parametrize("reaped", [False, True])
def test_a_process_that_has_ended_is_dead_before_and_after_it_is_reaped(
    child: subprocess.Popen[str], reaped: bool
) -> None:
    began = birth(child.pid) or ""
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table of processes
    if reaped:
        child.wait()
    assert birth(child.pid) is None
    assert not is_alive(child.pid, began)
    assert not terminate(child.pid, began)


def test_a_process_is_ended_only_if_it_is_the_one_that_is_meant(child: subprocess.Popen[str]) -> None:
    began = birth(child.pid) or ""
    assert not terminate(child.pid, began + "0")
    assert child.poll() is None
    assert terminate(child.pid, began)
    assert child.wait(10) == -signal.SIGTERM


@pytest.mark.parametrize("process", [0, -1])
def test_what_stands_for_many_processes_is_never_signalled(process: int) -> None:
    assert not terminate(process, "")
    assert not is_alive(process, "")


def test_the_age_of_a_process_counts_from_its_very_start() -> None:
    """That of the interpreter, which takes a moment before it runs a line."""
    began = time.monotonic()
    code = "import time; time.sleep(0.3); from ablation.processes import age; print(age())"
    told = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0.3 < told <= time.monotonic() - began + 0.02  # the kernel counts in hundredths
