"""Does `ablate plan --calibrate` foretell how long a study takes? Each shipped study, foretold and then run.

For each study at the scale of a laptop (`full` where its file has no such scale): the wall-clock seconds that the plan
gives after a calibration in a fresh runs folder, the seconds of the whole command `ablate run` with everything that it
does, and the first over the second. 0.75 to 1.25 is what is promised. Of a search with a pruner the plan is a bound:
it does not know which trials will be cut short.

    python benchmarks/calibration.py [--study NAME ...] [--slots N] [--json]    about two hours on two quiet cores
    python benchmarks/calibration.py --quick     quickstart at scale smoke: whether this works, not how well

CIFAR-10 is looked for where `ablate` looks for it. Nothing else may run at the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

STUDIES = Path(__file__).parents[1] / "studies"
SHIPPED = tuple(sorted(path.stem for path in STUDIES.glob("*.yaml")))


@dataclass(frozen=True, slots=True)
class Foretold:
    """One study: what the plan said, and what came."""

    study: str
    scale: str
    slots: str
    trials: int
    planned_seconds: float
    real_seconds: float

    @property
    def ratio(self) -> float:
        """Planned over real."""
        return self.planned_seconds / self.real_seconds


def scale_of(study: Path) -> str:
    """The scale of a laptop, where the study has one."""
    return "laptop" if "laptop" in yaml.safe_load(study.read_text("utf-8")).get("scales", {}) else "full"


def measured(study: Path, scale: str, slots: int | None) -> Foretold:
    """Calibrate, plan and run a study in a folder of its own."""
    told = [] if slots is None else ["--slots", str(slots)]
    with tempfile.TemporaryDirectory() as folder:
        options = [str(study), "--scale", scale, "--runs-dir", folder, "--json", *told]
        plan = json.loads(ablate("plan", "--calibrate", *options))
        began = time.perf_counter()
        ablate("run", *options)
        real = time.perf_counter() - began
    return Foretold(
        study.stem, scale, str(slots or "default"), plan["num_trials"], plan["estimated_seconds"], round(real, 1)
    )


def ablate(*arguments: str) -> str:
    """What the command prints; what it says goes where this script's messages go."""
    command = [sys.executable, "-m", "ablation", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Print a line a study as it ends, or all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", action="append", choices=SHIPPED)
    parser.add_argument("--slots", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = []
    for name in chosen.study or (SHIPPED[:1] if chosen.quick else SHIPPED):
        study = STUDIES / f"{name}.yaml"
        one = measured(study, "smoke" if chosen.quick else scale_of(study), chosen.slots)
        found.append(one)
        if not chosen.json:
            print(
                f"{one.study} ({one.scale}, {one.trials} trials): planned {one.planned_seconds:.0f} s, "
                f"took {one.real_seconds:.0f} s, ratio {one.ratio:.2f}",
                flush=True,
            )
    if chosen.json:
        print(json.dumps([{**asdict(one), "ratio": round(one.ratio, 3)} for one in found], indent=2))


if __name__ == "__main__":
    main()
