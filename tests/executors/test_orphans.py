"""A driver that is killed by SIGKILL leaves no process behind, whatever its workers are doing."""

import subprocess
import sys
from pathlib import Path

import pytest
from live_processes import all_gone, descendants

DRIVER = """
import ctypes, os, signal, subprocess, sys, time
from ablation.executors.process_per_device import ProcessPerDevice

class Link:
    patience, about = 600.0, "a test"
    def report(self, content):
        print(content, flush=True)
    def stopping(self):
        return False

def hold_the_lock_of_python(link):
    link.report(os.getpid())
    ctypes.PyDLL(None).sleep(600)

def stand_still(link):
    link.report(os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)

def wait_for_a_process(link):
    started = subprocess.Popen(["sleep", "600"])
    link.report(started.pid)
    started.wait()

if __name__ == "__main__":
    ProcessPerDevice([{}]).submit(globals()[sys.argv[1]], Link()).result()
"""


@pytest.mark.parametrize("doing", ["hold_the_lock_of_python", "stand_still", "wait_for_a_process"])
def test_no_process_outlives_a_killed_driver(tmp_path: Path, doing: str) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    driver = subprocess.Popen([sys.executable, "driver.py", doing], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    last = int(driver.stdout.readline())
    started = descendants(driver.pid)
    assert last in started
    driver.kill()
    driver.wait()
    assert all_gone(started, 5)
