"""The script that a page gives to Slurm, by real signals: it puts itself back into the queue, and the study ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from broken_runs import FEWER, BrokenRuns, differing
from markdown import blocks
from source_tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "run-on-a-cluster.md"


def program(place: Path, name: str, text: str) -> None:
    file = place / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def submit(runs: BrokenRuns, end: Callable[["subprocess.Popen[str]"], None] | None = None) -> int:
    """Run the script as Slurm does, as the leader of a group; `end` is called after thirty epochs. Its exit code."""
    place = runs.place
    (script,) = [block.text for block in blocks(PAGE, "bash") if block.file == "one-node.sbatch"]
    (place / "one-node.sbatch").write_text(script)
    program(place, "ablate", f'exec {sys.executable} -m ablation "$@" --no-tracking --slots 2')
    program(place, "scontrol", f'echo "$@" >> {place}/scontrol.log')
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SLURM_JOB_ID": "42",
        "TMPDIR": str(place.parent),  # where sockets lie, whose paths are short
    }
    running = subprocess.Popen(
        ["bash", "one-node.sbatch"], cwd=place, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert running.stderr is not None
    epochs = 0
    for line in running.stderr:
        epochs += line.startswith("epoch")
        if epochs == 30 and end is not None:
            end(running)
            end = None
    return running.wait(60)


def requeued(runs: BrokenRuns) -> list[str]:
    log = runs.place / "scontrol.log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder of a short path, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_the_script_requeues_itself_until_the_study_has_come_to_its_end(short: Path) -> None:
    whole = BrokenRuns(short / "whole", FEWER, tracking=False)
    ended = whole.run()
    assert ended.code == 0, ended.stderr
    runs = BrokenRuns(short / "broken", FEWER, tracking=False)
    # As `--signal=B:TERM@120` says: the shell of the script alone.
    assert submit(runs, lambda running: running.send_signal(signal.SIGTERM)) == 128 + signal.SIGTERM
    assert requeued(runs) == ["requeue 42"]
    # As some systems preempt: every process of the group, which gives the run a second signal by way of the shell.
    assert submit(runs, lambda running: os.killpg(running.pid, signal.SIGTERM)) == 128 + signal.SIGTERM
    assert requeued(runs) == ["requeue 42"] * 2
    (short / "study-42.db").unlink()  # on another machine this time
    assert submit(runs) == 0
    assert requeued(runs) == ["requeue 42"] * 2
    (runs.folder.path / "study.db").write_bytes((short / "study-42.db").read_bytes())  # where `contents` looks
    assert differing(runs.contents(), whole.contents()) == []
