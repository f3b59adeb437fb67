"""Disks that are too small, become full or take no writing: told before the start, else a pause; and `ablate clean`."""

import functools
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import ablate
from disks import fill, read_only, small_disk
from small_studies import SMALL, StudyWriter

from ablation.cli.locate import Wanted, locate
from ablation.cli.planning.outlook import room_for
from ablation.holding import lock_alone
from ablation.run_folder import RunFolder
from ablation.sealed import seal

QUICK = SMALL.replace("epochs: 3", "epochs: 1")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that the study and its report just fit on; the study file lies beside it."""
    with small_disk(tmp_path / "disk", "16m") as place:
        yield place


def run(folder: Path, *more: str):
    return ablate("run", "small.yaml", "--no-tracking", *more, cwd=folder)


def outcomes(runs: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in runs.glob("small/trials/*/outcome.json")}


def test_a_disk_that_takes_no_writing_is_told_before_the_start(
    write_study: StudyWriter, tmp_path: Path, disk: Path
) -> None:
    write_study(QUICK)
    with read_only(disk):
        done = run(tmp_path, "--runs-dir", "disk")
    assert done.returncode == 5
    assert "nothing can be written to disk/small: Read-only file system" in done.stderr
    assert "--runs-dir" in done.stderr


def test_a_disk_that_is_too_small_is_told_in_numbers_before_the_start(
    write_study: StudyWriter, tmp_path: Path, disk: Path
) -> None:
    write_study(QUICK)
    fill(disk, leave=2**20)
    done = run(tmp_path, "--runs-dir", "disk")
    assert done.returncode == 5
    assert "disk/small needs 10." in done.stderr
    assert "of checkpoints while it runs), and 1.0 MB are free" in done.stderr
    assert "launched" not in done.stderr
    assert not outcomes(disk)


def test_a_disk_that_becomes_full_pauses_the_study_and_nothing_is_lost(
    write_study: StudyWriter, tmp_path: Path, disk: Path
) -> None:
    write_study(SMALL.replace("seeds: 2", "seeds: 1"))
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    running = subprocess.Popen(
        [*command, "--runs-dir", "disk"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    assert any(line.startswith("[1/3]") for line in running.stderr)
    filling = fill(disk)
    rest = running.communicate(timeout=60)[1]
    assert running.returncode == 7, rest
    assert "is paused" in rest
    assert "Traceback" not in rest
    before = outcomes(disk)
    assert 1 <= len(before) < 3
    filling.unlink()
    again = run(tmp_path, "--runs-dir", "disk")
    assert again.returncode == 0, again.stderr
    after = outcomes(disk)
    assert len(after) == 3
    assert {name: after[name] for name in before} == before
    assert {json.loads(outcome)["status"] for outcome in after.values()} == {"complete"}


def run_with_small_files(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run where no file may be larger than 2 MB: in a process of its own, since its workers inherit that."""
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    limited = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=limited)


def test_a_trial_that_finds_no_room_pauses_the_study_and_runs_later(write_study: StudyWriter, tmp_path: Path) -> None:
    """The driver's own files are small enough; weights of 2.6 MB are not."""
    write_study(QUICK.replace("seeds: 2", "seeds: 1").replace("width: 4", "width: 48"))
    done = run_with_small_files(tmp_path)
    assert done.returncode == 7, done.stderr
    assert "File too large" in done.stderr
    assert "launched" in done.stderr
    assert not outcomes(tmp_path / "runs")
    again = run(tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(outcomes(tmp_path / "runs")) == 3


def test_a_report_that_finds_no_room_pauses_and_is_written_later(write_study: StudyWriter, tmp_path: Path) -> None:
    """A limit on the size of files lets trials through, and not a page of 5 MB."""
    write_study(QUICK.replace("seeds: 2", "seeds: 1"))
    done = run_with_small_files(tmp_path)
    assert done.returncode == 7, done.stderr
    assert "File too large" in done.stderr
    assert "ablate clean runs/small" in done.stderr
    assert len(outcomes(tmp_path / "runs")) == 3
    again = run(tmp_path)
    assert again.returncode == 0
    assert "launched" not in again.stderr
    assert not list((tmp_path / "runs").rglob("*.part"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a finished study that keeps all its weights."""
    path = tmp_path_factory.mktemp("finished")
    (path / "small.yaml").write_text(QUICK + "execution: {keep: all}\n")
    done = run(path)
    assert done.returncode == 0, done.stderr
    return path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_clean_removes_weights_and_leftovers_and_never_evidence(finished: Path) -> None:
    folder = finished / "runs" / "small"
    ended, open_trial = sorted((folder / "trials").iterdir())[:2]
    closed = (open_trial / "outcome.json").read_bytes()
    (open_trial / "outcome.json").unlink()  # as if it had been cut short
    resumed = {f"{open_trial.relative_to(folder)}/{name}" for name in ("checkpoint-00001-0000000.pt", "weights.pt")}
    leftovers = {f"{ended.relative_to(folder)}/checkpoint-00001-0000000.pt", ".study.db.123.part"}
    for name in resumed | leftovers:
        (folder / name).write_bytes(bytes(10**5))
    before = files(folder)
    weights = {name for name in before if name.endswith("weights.pt")} - resumed
    size = sum((folder / name).stat().st_size for name in weights | leftovers)
    said = ablate("clean", "small.yaml", "--dry-run", cwd=finished)
    assert said.returncode == 0, said.stderr
    assert f"would free {size / 1e6:.1f} MB in runs/small" in said.stderr
    assert files(folder) == before
    done = ablate("clean", "small.yaml", cwd=finished)
    assert f"freed {size / 1e6:.1f} MB in runs/small" in done.stderr
    assert before - files(folder) == weights | leftovers
    assert len(weights) == 5
    (open_trial / "outcome.json").write_bytes(closed)
    assert ablate("report", "small.yaml", cwd=finished).returncode == 0


def test_clean_leaves_a_study_alone_that_is_being_run(finished: Path) -> None:
    folder = RunFolder(finished / "runs" / "small")
    with folder.lock():
        done = ablate("clean", "runs/small", cwd=finished)
    assert done.returncode == 4
    assert "is being run by process" in done.stderr


def test_clean_removes_nothing_while_the_lock_alone_is_held(finished: Path) -> None:
    """As by a driver that has begun since it was looked for."""
    folder = finished / "runs" / "small"
    before = files(folder)
    with lock_alone(folder):
        done = ablate("clean", "runs/small", cwd=finished)
        assert done.returncode == 4
    assert files(folder) == before


def test_clean_makes_room_on_a_full_disk(finished: Path, disk: Path) -> None:
    trial = disk / "small" / "trials" / "one"
    trial.mkdir(parents=True)
    for name in ("study.json", "study.yaml"):
        (disk / "small" / name).write_bytes((finished / "runs/small" / name).read_bytes())
    (trial / "outcome.json").write_text(seal('{"status": "complete"}'))
    (trial / "weights.pt").write_bytes(bytes(10**6))
    fill(disk)
    done = ablate("clean", str(disk / "small"), cwd=finished)
    assert done.returncode == 0, done.stderr
    assert "freed 1.0 MB" in done.stderr
    assert (trial / "outcome.json").exists()


def test_the_need_is_about_what_a_study_takes(write_study: StudyWriter, tmp_path: Path) -> None:
    """Told before the start without a trial; all but the margins for the report and for small files is what came."""
    path = write_study(QUICK + "execution: {keep: all}\n")
    located = locate(Wanted(path, tmp_path / "runs"), lambda: False)
    need = room_for(located.folder, located.study, 2, tmp_path)
    assert need.total is not None
    assert run(tmp_path).returncode == 0
    folder = tmp_path / "runs" / "small"
    weights = sum(path.stat().st_size for path in folder.rglob("weights.pt"))
    taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert need.weights is not None
    assert 0.5 * weights < need.weights < 1.2 * weights
    assert 0.4 * need.total < taken < need.total
    left = room_for(located.folder, located.study, 2, tmp_path)
    assert left.checkpoints == left.weights == 0
