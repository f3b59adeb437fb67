"""A device that is too small, played by a net that raises what torch raises: in pieces, infeasible, and tried again."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_studies import SMALL

from ablation.attempts import attempts
from ablation.run_folder import RunFolder
from ablation.trial import Record

NET = '''"""A net on a device that holds so many images at a time, or any number once `roomy` lies there."""

from pathlib import Path

import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, most: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_channels * 256, num_classes)
        self.most = most

    def forward(self, images: Tensor) -> Tensor:
        if self.training and len(images) > self.most and not Path("roomy").exists():
            raise torch.OutOfMemoryError(f"CUDA out of memory: {len(images)} images")
        pooled = nn.functional.adaptive_avg_pool2d(images, 16)
        return self.head(pooled.flatten(1))


def build(num_classes: int, in_channels: int, *, most: int = 64) -> nn.Module:
    """A net that holds so many images at a time."""
    return Net(num_classes, in_channels, most)
'''
FACTORS = SMALL[SMALL.index("factors:") : SMALL.index("design:")]
STUDY = (
    SMALL.replace("{name: small, width: 4}", "{name: lab.net}")
    .replace("epochs: 3, batch_size: 32", "epochs: 2, batch_size: 8")
    .replace(FACTORS, "factors:\n  room: {enough: {}, little: {model.most: 3}, none: {model.most: 0}}\n")
    .replace("margin", "execution: {keep: all}\nmargin")
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "net.py").write_text(NET)
    (tmp_path / "small.yaml").write_text(STUDY)
    return tmp_path


def ablate(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: this one may know a package `lab` from elsewhere."""
    command = [sys.executable, "-m", "ablation", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=240, check=False)


def run(place: Path) -> subprocess.CompletedProcess[str]:
    return ablate(place, "run", "small.yaml", "--no-tracking", "--slots", "1")


def by_arm(place: Path, level: str) -> list[Record]:
    records = RunFolder(place / "runs/small").records()
    return [each for each in records if each.trial.arm.levels["room"] == level]


def tried(place: Path, level: str) -> list[int]:
    folder = RunFolder(place / "runs/small")
    return [len(attempts(folder.trial_folder(each.trial.id))) for each in by_arm(place, level)]


def weights(place: Path, record: Record) -> torch.Tensor:
    state = torch.load(place / "runs/small/trials" / record.trial.id / "weights.pt", weights_only=True)
    return torch.cat([value.flatten() for value in state.values()])


def test_pieces_where_they_suffice_else_the_arm_is_infeasible_until_it_is_tried_again(place: Path) -> None:
    done = run(place)
    assert done.returncode == 1, done.stderr
    assert [each.outcome and each.outcome.status for each in by_arm(place, "enough")] == ["complete"] * 2
    for whole, pieces in zip(by_arm(place, "enough"), by_arm(place, "little"), strict=True):
        assert whole.outcome is not None
        assert whole.outcome.stamp is not None
        assert pieces.outcome is not None
        assert pieces.outcome.stamp is not None
        assert (whole.outcome.stamp.pieces, pieces.outcome.stamp.pieces) == (1, 4)  # of eight images, two each
        torch.testing.assert_close(weights(place, whole), weights(place, pieces))  # the same steps were made
    assert tried(place, "little") == [3, 3]
    # In pieces of 8, 4, 2, 1 images in one seed block, and not at all in the other.
    assert sorted(tried(place, "none")) == [0, 4]
    for record in by_arm(place, "none"):
        assert record.outcome is not None
        assert (record.outcome.status, record.outcome.cause) == ("failed", "device memory")
        assert record.outcome.reason.startswith("infeasible on this device: OutOfMemoryError: CUDA out of memory: 1 im")
    assert "launched" not in run(place).stderr
    (place / "roomy").touch()
    retried = ablate(place, "retry", "runs/small", by_arm(place, "none")[1].trial.id)
    assert retried.stderr.count("queued ") == 2
    again = run(place)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("launched") == 2
    for whole, later in zip(by_arm(place, "enough"), by_arm(place, "none"), strict=True):
        assert torch.equal(weights(place, whole), weights(place, later))


def test_a_study_that_was_stopped_in_between_knows_the_arm_by_its_record(place: Path) -> None:
    (place / "small.yaml").write_text(STUDY.replace("seeds: 2", "seeds: 1"))
    assert run(place).returncode == 1
    (place / "small.yaml").write_text(STUDY)
    assert run(place).returncode == 1
    assert sorted(tried(place, "none")) == [0, 4]
