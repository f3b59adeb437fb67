"""Trials that hang, stop dead, or run out of memory, in real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_processes import all_gone, descendants, workers
from small_studies import SMALL, StudyWriter

from ablation.attempts import attempts
from ablation.run_folder import RunFolder

NET = '''"""A net that misbehaves in its second training step, but for once that a file tells it not to."""

import os
import time
from pathlib import Path

import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_channels, num_classes)
        self.steps = 0

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.steps += 1
        if self.steps == 2 and self.training and not Path("well").exists():
            MISBEHAVE
        return self.head(images.mean((2, 3)))


def build(num_classes: int, in_channels: int) -> nn.Module:
    """A net that misbehaves."""
    PREPARE
    return Net(num_classes, in_channels)
'''

ONE_TRIAL = SMALL.replace("model: {name: small, width: 4}", "model: {name: lab.net}").replace("seeds: 2", "seeds: 1")


def start(place: Path, misbehave: str, hang_seconds: float = 3, prepare: str = "pass") -> subprocess.Popen[str]:
    (place / "lab").mkdir()
    (place / "lab" / "net.py").write_text(NET.replace("MISBEHAVE", misbehave).replace("PREPARE", prepare))
    text = ONE_TRIAL.replace("  flip: {none: {}, flipped: {augmentations.flip: {}}}\n", "")
    (place / "small.yaml").write_text(text.replace("margin", f"execution: {{hang_seconds: {hang_seconds}}}\nmargin"))
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "2"]
    return subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def outcomes(place: Path) -> list[tuple[str, str | None, list[tuple[str | None, bool]]]]:
    folder = RunFolder(place / "runs" / "small")
    return [
        (
            record.outcome.status if record.outcome else "none",
            record.outcome.cause if record.outcome else None,
            [(attempt.cause, attempt.counts) for attempt in attempts(folder.trial_folder(record.trial.id))],
        )
        for record in folder.records()
    ]


def test_a_trial_that_hangs_is_ended_tried_again_and_told_with_its_stack(tmp_path: Path) -> None:
    # The first time, when components are tried before the study begins, all is well.
    hang_once = "seen = len([*Path().glob('seen*')]); Path(f'seen {seen}').touch(); time.sleep(600 if seen == 1 else 0)"
    running = start(tmp_path, "time.sleep(600)", hang_seconds=2, prepare=hang_once)
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 1, stderr
    hung = ("failed", "hang", [("hang", True)] * 3)
    assert outcomes(tmp_path) == [hung, hung]
    logs = [path.read_text() for path in (tmp_path / "runs/small/trials").glob("*/log.txt")]
    assert all('lab/net.py", line' in log and "in forward" in log and "Timeout (" in log for log in logs)
    assert any("in build" in log for log in logs)


def test_a_worker_that_stands_still_is_replaced_and_the_trial_goes_on(tmp_path: Path) -> None:
    freeze = "Path('well').touch(); os.kill(os.getpid(), 19)"
    running = start(tmp_path, freeze, hang_seconds=2)
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert sorted(attempt for _, _, tried in outcomes(tmp_path) for attempt, _ in tried if attempt) == ["hang"]


def test_host_memory_that_runs_out_is_an_accident(tmp_path: Path) -> None:
    running = start(tmp_path, "Path('well').touch(); torch.empty(2**50)")
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert "host memory" in stderr


def test_a_real_limit_on_memory_is_an_accident_of_the_host(tmp_path: Path) -> None:
    limit = "pages = int(Path('/proc/self/statm').read_text().split()[0]); "
    limit += "resource.setrlimit(resource.RLIMIT_AS, (4096 * pages + 2**28,) * 2); "
    running = start(tmp_path, f"Path('well').touch(); import resource; {limit}bytearray(2**29)")
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert "host memory: MemoryError" in stderr


def test_what_does_not_come_in_time_is_tried_again(tmp_path: Path) -> None:
    running = start(tmp_path, "raise TimeoutError('no licence came')")
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 1, stderr
    assert outcomes(tmp_path) == [("failed", "timeout", [("timeout", True)] * 3)] * 2


DATA = '''"""A data set whose file is cut short once the driver has read it."""

import multiprocessing
from pathlib import Path

from ablation.datasets.synthetic import build as whole
from ablation.splits import Splits


def build(root: Path) -> Splits:
    """A data set that cannot be read in a worker."""
    if multiprocessing.parent_process() is not None:
        raise ValueError("truncated file")
    return whole(root, train_size=96, test_size=96, num_classes=3)
'''


def test_whatever_a_data_set_raises_is_a_failure_of_the_data_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "glyphs.py").write_text(DATA)
    of_ours = "dataset: {name: synthetic, train_size: 96, test_size: 96, num_classes: 3}"
    text = SMALL.replace(of_ours, "dataset: {name: lab.glyphs}").replace("seeds: 2", "seeds: 1")
    (tmp_path / "small.yaml").write_text(text)
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert outcomes(tmp_path) == [("failed", "data", [("data", True)])] * 3
    assert "data set lab.glyphs cannot be read: ValueError: truncated file." in done.stderr
    logs = [path.read_text() for path in (tmp_path / "runs/small/trials").glob("*/log.txt")]
    assert all("lab/glyphs.py" in log for log in logs)
    # Where the driver meets it first, nothing is begun.
    (tmp_path / "lab" / "glyphs.py").write_text(DATA.replace("is not None", "is None"))
    again = subprocess.run(
        [*command, "--runs-dir", "others"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert again.returncode == 2, again.stderr
    assert "ValueError: truncated file" in again.stderr
    assert "Traceback" not in again.stderr


def test_one_retry_of_the_device_memory_halves_the_batch_in_pieces(tmp_path: Path) -> None:
    running = start(tmp_path, "Path('well').touch(); raise torch.OutOfMemoryError('CUDA out of memory')")
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert "device memory" in stderr


def test_fail_fast_ends_with_the_first_failure(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "net.py").write_text(
        NET.replace("MISBEHAVE", "raise KeyError('mine')").replace("PREPARE", "pass")
    )
    (tmp_path / "small.yaml").write_text(ONE_TRIAL)
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1", "--fail-fast"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert [status for status, _, _ in outcomes(tmp_path)] == ["failed"]


LONG = SMALL.replace("epochs: 3", "epochs: 4000").replace("width: 4", "width: 32").replace("seeds: 2", "seeds: 1")


def stopped_worker(place: Path) -> subprocess.Popen[str]:
    """A run whose worker stands still in the middle of a trial."""
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    running = subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert any(line.startswith("epoch 2/") for line in running.stderr)
    for worker in workers(running.pid):
        os.kill(worker, signal.SIGSTOP)  # it will not answer
    return running


def test_a_second_signal_ends_everything_within_a_second(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(LONG)
    running = stopped_worker(tmp_path)
    assert running.stderr is not None
    started = descendants(running.pid)
    running.send_signal(signal.SIGINT)
    assert any("stopping" in line for line in running.stderr)
    sent = time.monotonic()
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 130
    assert time.monotonic() - sent < 1.5
    assert all_gone(started, 10)


def test_a_worker_that_does_not_answer_holds_up_the_first_signal_for_five_seconds_at_most(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(LONG)
    running = stopped_worker(tmp_path)
    started, sent = descendants(running.pid), time.monotonic()
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 143
    assert time.monotonic() - sent < 5
    assert all_gone(started, 10)


def test_a_signal_to_all_processes_of_the_group_lets_trials_write_a_checkpoint(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    """As schedulers and service managers send it."""
    write_study(LONG)
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert running.stderr is not None
    assert any(line.startswith("epoch 2/") for line in running.stderr)
    started = descendants(running.pid)
    for saved in tmp_path.glob("runs/small/trials/*/checkpoint-*"):
        saved.unlink()
    os.killpg(running.pid, signal.SIGTERM)
    assert running.wait(10) == 143
    assert list(tmp_path.glob("runs/small/trials/*/checkpoint-*.pt"))
    assert all_gone(started, 10)
    assert not any(counts for _, _, tried in outcomes(tmp_path) for _, counts in tried)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_packages_are_imported_ends_the_command_with_its_usual_words(
    write_study: StudyWriter, tmp_path: Path, number: signal.Signals
) -> None:
    """As of the start of the server that imports torch, which is started before anything heavy is imported here."""
    write_study(LONG)
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not descendants(running.pid):
        time.sleep(0.01)
    time.sleep(0.5)
    assert not (tmp_path / "runs").exists()
    sent = time.monotonic()
    running.send_signal(number)
    assert running.wait(10) == 128 + number
    assert time.monotonic() - sent < 5
    assert running.stderr is not None
    assert running.stderr.read() == "interrupted; run the same command again to go on.\n"


def epochs_after(place: Path, limits: list[int], than: int = 0) -> list[int]:
    """The epochs on record once a run brought more than so many; limits (seconds) that were too short are dropped."""
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1", "--max-hours"]
    while True:
        hours, began = str(limits[0] / 3600), time.monotonic()
        done = subprocess.run([*command, hours], cwd=place, capture_output=True, text=True, timeout=300, check=False)
        assert time.monotonic() - began < limits[0]
        assert done.returncode == 7, done.stderr
        lines = [line for file in place.glob("runs/small/trials/*/events.jsonl") for line in file.open()]
        if len(lines) > than or len(limits) == 1:
            return [json.loads(line)["epoch"] for line in lines]
        del limits[0]


def test_max_hours_leaves_a_checkpoint_and_the_same_command_goes_on(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(LONG)
    limits = [10, 24, 60, 120]  # a busy machine needs a longer one
    first = epochs_after(tmp_path, limits)
    assert list(tmp_path.glob("runs/small/trials/*/checkpoint-*.pt"))
    again = epochs_after(tmp_path, limits, than=len(first))
    assert again == list(range(1, len(again) + 1))
    assert len(again) > len(first) > 0
