"""A report that is written again and again, while a study runs in another process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from commands import ablate
from small_studies import SMALL, StudyWriter

from ablation.run_folder import RunFolder

RELOADS = '<meta http-equiv="refresh"'


def test_it_is_written_as_trials_end_and_a_last_time_when_the_study_does(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(SMALL.replace("epochs: 3", "epochs: 150"))
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    folder, page = RunFolder(tmp_path / "runs" / "small"), tmp_path / "runs" / "small" / "report.html"
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 60
        while not (folder.begun() and folder.holder()) and time.monotonic() < deadline:
            time.sleep(0.05)
        watch = [sys.executable, "-m", "ablation", "report", "small.yaml", "--watch"]
        with subprocess.Popen(
            watch, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as watching:
            while not page.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert RELOADS in page.read_text("utf-8")
            out, err = watching.communicate(timeout=120)
            assert run.wait(60) == 0
    assert watching.returncode == 0, err
    said = [int(line.split()[0]) for line in err.splitlines() if "trials have ended" in line]
    assert said == sorted(set(said))
    assert "crop: shifted instead of none" in out
    assert RELOADS not in page.read_text("utf-8")


def test_a_study_that_nobody_runs_is_reported_once(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("seeds: 2", "seeds: 1"))
    assert ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path).returncode == 0
    done = ablate("report", "small.yaml", "--watch", cwd=tmp_path)
    assert done.returncode == 0
    assert "nobody runs runs/small: the report is written once" in done.stderr
    table = ablate("report", "--from", "runs/small/results.csv", "--watch", cwd=tmp_path)
    assert table.returncode == 2
    assert "--watch follows a STUDY that runs" in table.stderr
