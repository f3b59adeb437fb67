"""How long is the whole way, from a study file to the report, against a loop of one's own?

Six arms of augmentation at laptop scale. Claims: at least 2.8 times faster than the plain loop with MLflow at each
epoch (`plain_study.py`) at equal trials, 3.5 times with `until: decided` at equal error rates, 6 times against two such
loops side by side. Each side is a command, timed from its start to its end: imports, data, training, tracking, and of
ours the analysis and the report too.

The plain loop does the same for each trial, so it is timed over one seed block of all arms and counted for all blocks.
`until: decided` is held against the fixed plan of as many blocks as it may take, whose error rates it keeps.
Parts may be run one by one: what was measured lies in --state and is not measured again. All of it takes about an hour
on two cores: plain 7 minutes, side by side 14, ours 12, decided 10 to 25.

    python benchmarks/time_to_finding.py [--state FILE] [--part plain|beside|ours|decided] [--quick] [--json]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measuring import Figures, machine, options, show
from plain_study import ARMS

STUDY = """\
question: Which augmentation steps raise test accuracy on CIFAR-10?
dataset: {{name: cifar10, train_size: {images}, test_size: {tested}}}
model: small
preprocessing: {{normalize: {{statistics: dataset}}}}
augmentations: {{crop: {{padding: 4}}, flip: {{}}}}
recipe: {{epochs: {epochs}, batch_size: 128, learning_rate: 0.1}}
factors:
  crop: {{with: {{}}, without: {{augmentations.crop: null}}}}
  flip: {{with: {{}}, without: {{augmentations.flip: null}}}}
  normalize: {{data set: {{}}, none: {{preprocessing.normalize: null}}}}
  brightness: {{none: {{}}, mild: {{augmentations.color_jitter: {{brightness: 0.2}}}}}}
  cutout: {{without: {{}}, with: {{augmentations.cutout: {{}}}}}}
design: one-factor
seeds: {seeds}
margin: 0.01
"""
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Size:
    """How much both sides train."""

    epochs: int = 6
    images: int = 6000
    blocks: int = 5
    """Of the fixed plan."""
    start: int = 3
    most: int = 10
    """Of the growing one."""

    def study(self, seeds: str) -> str:
        """The study file."""
        return STUDY.format(images=self.images, tested=self.images // 3, epochs=self.epochs, seeds=seeds)


QUICK = Size(epochs=1, images=900, blocks=2, start=2, most=4)


def environment() -> dict[str, str]:
    """As at a prompt: nobody has told torch how many threads to take."""
    given = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return given | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]), "MLFLOW_DISABLE_TELEMETRY": "true"}


def timed(*commands: list[str], place: Path) -> float:
    """Seconds until commands that begin together have all ended well."""
    begun = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, *command], cwd=place, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for command in commands
    ]
    ended = [(each.communicate()[1], each.returncode) for each in running]
    seconds = time.perf_counter() - begun
    assert not any(code for _, code in ended), ended[0][0].decode()[-2000:]
    return seconds


def plain(place: Path, size: Size, loops: int) -> Figures:
    """One seed block of all arms, in so many loops side by side that share the arms."""
    arms = list(ARMS)
    shares = [arms[at::loops] for at in range(loops)]
    timed(
        ["-c", "from mlflow import MlflowClient; MlflowClient('sqlite:///plain.db').search_experiments()"], place=place
    )
    commands = [
        [
            *(str(HERE / "plain_study.py"), "--arms", ",".join(share), "--store", "sqlite:///plain.db"),
            *("--epochs", str(size.epochs), "--images", str(size.images)),
        ]
        for share in shares
    ]
    return {"seconds": timed(*commands, place=place), "trials": len(arms)}


def ours(place: Path, size: Size, seeds: str) -> Figures:
    """A study from its file to its report, and how many trials it took."""
    (place / "study.yaml").write_text(size.study(seeds))
    seconds = timed(["-m", "ablation", "run", "study.yaml"], place=place)
    assert (place / "runs" / "study" / "report.html").exists()
    return {"seconds": seconds, "trials": len(list((place / "runs" / "study" / "trials").glob("*/outcome.json")))}


PARTS: dict[str, Callable[[Path, Size], Figures]] = {
    "plain": lambda place, size: plain(place, size, 1),
    "beside": lambda place, size: plain(place, size, 2),
    "ours": lambda place, size: ours(place, size, str(size.blocks)),
    "decided": lambda place, size: ours(place, size, f"{{start: {size.start}, max: {size.most}, until: decided}}"),
}


def ratios(state: dict[str, Figures], size: Size) -> Figures:
    """What can be said of the parts that were measured."""
    seconds = {part: float(str(measured["seconds"])) for part, measured in state.items()}
    found: Figures = {}
    for part, name in (("plain", "one plain loop"), ("beside", "two plain loops")):
        if {part, "ours"} <= seconds.keys():
            found[f"times faster than {name}, equal trials"] = round(size.blocks * seconds[part] / seconds["ours"], 2)
        if {part, "decided"} <= seconds.keys():
            found[f"times faster than {name}, until decided"] = round(size.most * seconds[part] / seconds["decided"], 2)
    return found


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--state", type=Path, metavar="FILE")
    parser.add_argument("--part", choices=list(PARTS), action="append")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else Size()
    state: dict[str, Figures] = json.loads(chosen.state.read_text()) if chosen.state and chosen.state.exists() else {}
    for part in chosen.part or PARTS:
        if part not in state:
            with tempfile.TemporaryDirectory() as place:
                state[part] = PARTS[part](Path(place), size) | {"machine": machine()}
            if chosen.state:
                chosen.state.write_text(json.dumps(state, indent=1))
    figures: Figures = {"machine": machine()}
    for part, measured in state.items():
        figures[f"s of {part}"] = round(float(str(measured["seconds"])), 1)
        figures[f"trials of {part}"] = measured["trials"]
    show(figures | ratios(state, size), chosen.json)


if __name__ == "__main__":
    main()
