"""Do trials side by side do more than one trial with all cores?

Claims, on two cores: two slots of one thread do at least 1.1 times (`small`) and 1.25 times (`vgg` 16) the work of one
slot of two threads; two plain scripts side by side, each with torch's default threads, do half the work of one alone.
Equal trials on both sides, through the executor and the worker of `ablate run`, which write all that they always write.
The plain scripts train by `plain_recipe.py`. Clocks start when libraries and data are loaded.

Needs CIFAR-10 where `ablate run` finds it (ABLATE_DATA).

    python benchmarks/slots.py [--quick] [--json]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import Figures, interleaved, machine, options, ratios, show, spread

from ablation import designs, study_file
from ablation.driver import Machine
from ablation.executors.process_per_device import ProcessPerDevice, preload
from ablation.run_folder import RunFolder
from ablation.sources.roots import find_data_root
from ablation.study import Study
from ablation.trial import Answer, Assignment, Epoch, Outcome
from ablation.worker import run_trial

TRIALS = 4
STUDY = """\
question: Do trials side by side do more?
dataset: {{name: cifar10, train_size: {images}, test_size: 500}}
model: {model}
preprocessing: {{normalize: {{}}}}
augmentations: {{crop: {{}}, flip: {{}}, color_jitter: {{brightness: 0.2, contrast: 0.2, saturation: 0.2}}}}
recipe: {{epochs: 1, learning_rate: 0.1, precision: bfloat16}}
factors: {{rate: {{usual: {{}}, half: {{recipe.learning_rate: 0.05}}}}}}
design: one-factor
seeds: 30
margin: 0.01
execution: {{keep: none}}
"""
NETS = {"small": ("small", 12_000), "vgg 16": ("{name: vgg, depth: 16}", 2_000)}
"""Each with so many training images as take a trial some seconds."""


class Link:
    """Nobody listens."""

    patience, about = 600.0, ""

    def report(self, epoch: Epoch) -> Answer:  # noqa: ARG002
        """Go on."""
        return "proceed"

    def stopping(self) -> bool:
        """Go on."""
        return False

    def side_by_side(self) -> int:
        """This one alone."""
        return 1


@dataclass(slots=True)
class Side:
    """Kept workers of some number and threads, and the trials that they have not run yet."""

    study: Study
    machine: Machine
    threads: int
    folder: RunFolder
    at_once: int = TRIALS
    device: str = "cpu"
    done: int = 0

    def run(self) -> float:
        """Seconds of the next trials."""
        trials = designs.planned_trials(self.study)[self.done : self.done + self.at_once]
        self.done += self.at_once
        begun = time.perf_counter()
        calls = [
            self.machine.executor.submit(
                run_trial,
                Assignment(
                    trial=trial,
                    folder=self.folder.open_trial(trial).resolve(),
                    data_root=self.machine.data_root,
                    threads=self.threads,
                    device=self.device,
                    keep_weights=False,
                ),
                Link(),
            )
            for trial in trials
        ]
        for call in calls:
            outcome = call.result()
            assert isinstance(outcome, Outcome), outcome
        return time.perf_counter() - begun


def work(place: Path, net: str, repetitions: int, shrink: int) -> Figures:
    """Seconds of the same trials in two slots of one thread and in one slot of two, and the ratio."""
    model, images = NETS[net]
    (place / "study.yaml").write_text(STUDY.format(model=model, images=images // shrink))
    study = study_file.load(place / "study.yaml", "full", (), lambda: False)
    root = find_data_root(None).resolve()
    sides = {}
    for slots, threads in ((2, 1), (1, 2)):
        executor = ProcessPerDevice([{"OMP_NUM_THREADS": str(threads)}] * slots)
        name = f"{slots} slots of {threads} threads"
        sides[name] = Side(study, Machine(executor, slots, root), threads, RunFolder(place / f"{net} {slots}"))
    taken = interleaved({name: side.run for name, side in sides.items()}, repetitions)
    for side in sides.values():
        side.machine.executor.shutdown()
    two, one = taken.values()
    return {
        **{f"{net}: s of {TRIALS} trials in {name}": spread(values, 2) for name, values in taken.items()},
        f"{net}: work of two slots over that of one": ratios(one, two),
    }


def train_plainly_when_told(images: int) -> None:
    """The process of a plain script: load, say so, wait for a line, train, say how long it took."""
    import torch
    from plain_recipe import train_plainly

    from ablation.datasets.cifar10 import build
    from ablation.models import small

    data = build(find_data_root(None), train_size=images, test_size=500)
    model = small.build(10, 3)
    torch.optim.SGD(model.parameters(), lr=0.1)  # the first one of a process loads torch's compiler
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.perf_counter()
    train_plainly(model, data.train, data.test, epochs=1, batch_size=128)
    print(time.perf_counter() - begun, flush=True)


def plain(count: int, images: int) -> float:
    """Seconds until so many plain scripts, begun together, have ended."""
    paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)])}
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"} | paths
    line = [sys.executable, __file__, "--plain", str(images)]
    scripts = [
        subprocess.Popen(line, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for script in scripts:
        assert script.stdout is not None
        assert script.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for script in scripts:
        assert script.stdin is not None
        script.stdin.write("\n")
        script.stdin.flush()
    for script in scripts:
        script.communicate()
        assert script.returncode == 0
    return time.perf_counter() - begun


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--plain", type=int, help="for the script's own use")
    chosen = parser.parse_args()
    if chosen.plain:
        train_plainly_when_told(chosen.plain)
        return
    repetitions, shrink = (2, 4) if chosen.quick else (5, 1)
    preload("ablation.worker", "ablation.training.first_optimizer")
    figures: Figures = {"machine": machine()}
    with tempfile.TemporaryDirectory() as place:
        for net in NETS:
            figures |= work(Path(place), net, repetitions, shrink)
    images = 12_000 // shrink
    scripts = interleaved({"one": lambda: plain(1, images), "two": lambda: plain(2, images)}, repetitions, warm=False)
    figures["small: s of one plain script"] = spread(scripts["one"], 2)
    figures["small: s of two side by side"] = spread(scripts["two"], 2)
    figures["small: work of two plain scripts over that of one"] = ratios(
        [2 * one for one in scripts["one"]], scripts["two"]
    )
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
