"""How long does one wait for the command itself?

Claims, each with a warm file cache: `ablate --help` within 0.35 s, `ablate status` within 1 s, a worker ready within
one import of torch, a study of 1,000 arms planned within 2 s beyond that import, the status of 10,000 trials within
2 s, the report of 1,000 trials within 15 s and 12 MB. Sides are measured in turn; the folders are made first, which
takes half a minute.

A worker that can train needs torch and an optimizer, and the first optimizer of a process makes torch load its
compiler (a second more): that is what `torch` means here, and `import torch` alone stands beside it.

    python benchmarks/starting.py [--quick] [--json]
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from made_folders import begun, finish, planned, text_of
from measuring import Figures, command, interleaved, machine, options, show, spread

ABLATE = ("-m", "ablation")
MANY_TRIALS, REPORTED = (100, 100), (20, 50)
"""Arms and seed blocks: 10,000 trials for the status, 1,000 for the report."""
IMAGES = 10_000
"""Predictions of each reported trial: the test images of CIFAR-10."""

WORKER = """
from ablation.executors.process_per_device import ProcessPerDevice, preload
class Link: patience, about = 60.0, ""
if __name__ == "__main__":
    preload("ablation.worker", "ablation.training.first_optimizer")
    from benchmark_call import is_ready
    with ProcessPerDevice([{}]) as executor:
        assert executor.submit(is_ready, Link()).result(60)
"""
TORCH = "import torch; torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)"
CALL = """
import sys
def is_ready(link):
    return "torch" in sys.modules
"""

THOUSAND_ARMS = """\
question: Which of these?
dataset: digits
model: small
recipe: {epochs: 16, learning_rate: 0.1, precision: float32}
seeds: 5
margin: 0.01
design: factorial
factors:
"""


def thousand_arms() -> str:
    """Ten levels of three factors, each with each."""
    keys = {
        "rate": "recipe.learning_rate",
        "smoothing": "recipe.label_smoothing",
        "momentum": "recipe.optimizer.momentum",
    }
    lines = []
    for factor, key in keys.items():
        levels = ", ".join(f"level{at}: {{{key}: {0.1 + at / 1000:.3f}}}" for at in range(1, 10))
        lines.append(f"  {factor}: {{level0: {{}}, {levels}}}\n")
    return THOUSAND_ARMS + "".join(lines)


def main() -> None:
    """Print the figures."""
    chosen = options(__doc__).parse_args()
    repetitions, shrink = (3, 10) if chosen.quick else (9, 1)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as place:
        show(measure(Path(place), repetitions, shrink), chosen.json)


def measure(place: Path, repetitions: int, shrink: int) -> Figures:
    """All of it, in folders of so many times fewer trials."""
    study, many = begun(place / "many", text_of(MANY_TRIALS[0], MANY_TRIALS[1] // shrink))
    finish(many, planned(study))
    many.statuses(remember=True)  # as the driver does, trial by trial
    study, reported = begun(place / "reported", text_of(REPORTED[0], REPORTED[1] // shrink))
    finish(reported, planned(study), images=IMAGES)
    (place / "arms.yaml").write_text(thousand_arms())
    (place / "benchmark_call.py").write_text(CALL)
    (place / "worker.py").write_text(WORKER)
    paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), str(place)])}
    short = interleaved(
        {
            "python": lambda: command("-c", "pass"),
            "help": lambda: command(*ABLATE, "--help", environment=paths),
            "status": lambda: command(*ABLATE, "status", reported.path, environment=paths),
            "status of many": lambda: command(*ABLATE, "status", many.path, environment=paths),
            "import": lambda: command("-c", "import torch"),
            "torch": lambda: command("-c", TORCH),
            "worker": lambda: command("worker.py", cwd=place, environment=paths),
            "plan": lambda: command(*ABLATE, "plan", "arms.yaml", cwd=place, environment=paths),
        },
        repetitions,
    )
    long = interleaved({"report": lambda: command(*ABLATE, "report", reported.path, environment=paths)}, 2, warm=False)
    worker = [b - a for a, b in zip(short["torch"], short["worker"], strict=True)]
    plan = [b - a for a, b in zip(short["import"], short["plan"], strict=True)]
    trials = {name: len(folder.statuses()) for name, folder in (("many", many), ("reported", reported))}
    return {
        "machine": machine(),
        "s of Python that does nothing": spread(short["python"]),
        "s of ablate --help": spread(short["help"]),
        f"s of ablate status of {trials['reported']} trials": spread(short["status"]),
        f"s of ablate status of {trials['many']} trials": spread(short["status of many"]),
        "s of import torch": spread(short["import"]),
        "s of import torch and a first optimizer": spread(short["torch"]),
        "s until a worker is ready, beyond that": spread(worker),
        "s of ablate plan of 1,000 arms, beyond import torch": spread(plan),
        f"s of ablate report of {trials['reported']} trials": spread(long["report"]),
        "MB of report.html": round((reported.path / "report.html").stat().st_size / 1e6, 2),
    }


if __name__ == "__main__":
    main()
