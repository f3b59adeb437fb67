"""How much memory does a trial on CIFAR-10 add to what torch itself takes? In a new process a net, on the CPU.

Prepares the trial at full size, augments a whole epoch, makes a few steps and an evaluation, and reads the peak of the
process from the system, less what stood there once torch and the trainer were imported. Pages of the decoded data are
mapped and shared by all processes of the machine: they are told apart.
`python benchmarks/memory.py [--json] [--quick]`; about a minute, quick half of it (the small net alone).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Figures, machine, options, show
from training_sides import Training, assignment_of

STEPS = 4
"""Of an epoch: memory is at its peak after the second step, when momenta are there."""


def status(key: str) -> int:
    """Megabytes (10^6 bytes) that the system reports of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return round(int(line.split()[1]) * 1024 / 1e6)
    raise RuntimeError(f"the system tells no {key}; it is read where /proc is")


def measure(net: str) -> Figures:
    """The figures of one net, in megabytes; this process must be new."""
    import ablation.training.first_optimizer  # noqa: F401 - the import of all that a worker has at its start
    from ablation.preparation import prepared
    from ablation.training.evaluation import evaluate
    from ablation.training.fit import fit

    torch_alone, mapped_before = status("VmHWM"), status("RssFile")
    training = Training(net=net, train_size=50_000, test_size=10_000, epochs=1, threads=1)
    with tempfile.TemporaryDirectory() as folder:
        given = assignment_of(training, Path(folder))
        built = prepared(given)
        fit(built.ingredients, built.data, given.trial.arm.settings.recipe, 0, Few())
        test = built.data.test
        assert test is not None
        evaluate(built.ingredients.model, test.first(1024), built.data.seen, "bfloat16")
    peak, mapped = status("VmHWM"), status("RssFile") - mapped_before
    return {
        "torch alone": torch_alone,
        "peak": peak,
        "added": peak - torch_alone,
        "of that mapped and shared": mapped,
    }


class Few:
    """Watches a training for a few steps."""

    def __init__(self) -> None:
        self.steps = 0

    def begin(self) -> None:
        """From the start."""

    def stepped(self, take: object) -> bool:  # noqa: ARG002 - no checkpoint is wanted
        """Stop after a few."""
        self.steps += 1
        return self.steps >= STEPS


def main() -> None:
    """Print the figures, each net's from a process of its own."""
    parser = options(__doc__)
    parser.add_argument("--net", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.net:
        show(measure(chosen.net), True)
        return
    figures = machine()
    for net in ("small",) if chosen.quick else ("small", "resnet 18"):
        command = [sys.executable, __file__, "--net", net]
        figures[net] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
