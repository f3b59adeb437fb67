"""Code that changes while a study goes on: told in the report, with no git anywhere."""

import json
import subprocess
import sys
from pathlib import Path

from small_studies import SMALL

NET = '''"""A net of one\'s own."""

from torch import Tensor, nn

from lab.layers import pooled


class Net(nn.Module):
    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(pooled(images))


def build(num_classes: int, in_channels: int) -> nn.Module:
    """A net of one\'s own."""
    return Net(num_classes, in_channels)
'''
LAYERS = "from torch import Tensor\n\n\ndef pooled(images: Tensor) -> Tensor:\n    return images.mean((2, 3))\n"
STUDY = SMALL.replace("{name: small, width: 4}", "{name: lab.net}").replace("epochs: 3", "epochs: 1")


def run(place: Path) -> str:
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_that_a_component_imports_changed_between_trials(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/net.py").write_text(NET)
    (tmp_path / "lab/layers.py").write_text(LAYERS)
    (tmp_path / "small.yaml").write_text(STUDY.replace("seeds: 2", "seeds: 1"))
    run(tmp_path)
    (tmp_path / "lab/layers.py").write_text(LAYERS.replace("mean", "amax"))
    (tmp_path / "small.yaml").write_text(STUDY)
    said = run(tmp_path)
    outcomes = [json.loads(path.read_text()) for path in tmp_path.glob("runs/small/trials/*/outcome.json")]
    sums = {outcome["stamp"]["code"]["lab.net"] for outcome in outcomes}
    assert len(sums) == 2
    assert {"python", "torch", "numpy", "mlflow", "optuna"} <= outcomes[0]["stamp"]["versions"].keys()
    (told,) = [line for line in said.splitlines() if "The code of lab.net" in line]
    assert "The code of lab.net changed between trials: 3 with " in told
    assert "seed block 1, on)" in told
    assert "The code of lab.net changed" in (tmp_path / "runs/small/report.html").read_text("utf-8")
