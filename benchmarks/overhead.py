"""What does a trial cost beside its training? Studies whose trainer returns at once, with everything else real.

Claims, for 1,000 trials: at most 150 ms each with run folder, Optuna on SQLite and MLflow on SQLite; less than 20 kB of
the driver's memory each; at most an eighth of what Ray Tune with its Optuna search costs, and no more than Ray Tune at
its best (`reuse_actors`, which keeps nothing durable and tracks nothing). The outcome is written by the worker as it
always is: durable, before the driver hears of it. Ray is measured in the same run, in an environment of its own that
`overhead_ray.py` says how to make.

    python benchmarks/overhead.py [--trials 1000] [--slots 2] [--ray /tmp/ray/bin/python] [--quick] [--json]

A thousand take about three minutes, Ray's 200 about six more.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import Figures, machine, options, show

from ablation import designs, study_file
from ablation.driver import Audience, Drive, Machine, drive
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.failures import Failure
from ablation.run_folder import Beginning, RunFolder
from ablation.sampling import open_sampling
from ablation.stopping import StopRequest
from ablation.study import ExecutionPlan
from ablation.tracking import NoTracker
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, note_of
from ablation.trial import Assignment, Cost, Epoch, Outcome, Scores, Stamp, Trial
from ablation.trial_files import append_epoch, write_outcome
from ablation.watching import Link

ARMS = 10
SCORES = Scores(loss=0.5, accuracy=0.9)
EPOCHS = 5
MEASURED_FROM = 100
"""Trials after which memory is looked at first: by then every library is loaded."""


def end_at_once(assignment: Assignment, link: Link) -> Outcome:
    """A trial of five epochs that trains nothing."""
    for number in range(1, EPOCHS + 1):
        epoch = Epoch(
            epoch=number, train=SCORES, validation=SCORES, learning_rate=0.1, seconds=0.0, images_per_second=0.0
        )
        append_epoch(assignment.folder, epoch)
        link.report(epoch)
    outcome = Outcome(
        status="complete",
        train=SCORES,
        validation=SCORES,
        test=SCORES,
        classes=("a", "b"),
        confusion=((9, 1), (1, 9)),
        cost=Cost(seconds=0.0, images_per_second=0.0, parameters=1, peak_memory_bytes=0),
        stamp=Stamp(versions={}),
    )
    write_outcome(assignment.folder, outcome)
    return outcome


@dataclass(slots=True)
class Counting(Audience):
    """Says nothing; keeps the process's memory after the first trials and after the last."""

    ended: int = 0
    before: int = 0
    after: int = 0

    def launched(self, trial: Trial) -> None:
        """Say nothing."""

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Say nothing."""

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:  # noqa: ARG002 - the signature of an audience
        """No trial of this study fails."""
        raise RuntimeError(failure.reason)

    def finished(self, trial: Trial, outcome: Outcome) -> None:  # noqa: ARG002
        """Count."""
        self.ended += 1
        self.after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if self.ended == MEASURED_FROM:
            self.before = self.after


def run(place: Path, trials: int, slots: int, tracked: bool) -> tuple[float, Counting]:
    """Drive a new study of so many trials; the seconds from the first launch until all has arrived everywhere."""
    levels = ", ".join(f"level{index}: {{recipe.learning_rate: {0.1 + index / 100:.2f}}}" for index in range(1, ARMS))
    (place / "study.yaml").write_text(
        "question: What does a trial cost beside its training?\ndataset: digits\nmodel: small\n"
        f"recipe: {{epochs: {EPOCHS}, learning_rate: 0.1, precision: float32}}\n"
        f"factors: {{rate: {{level0: {{}}, {levels}}}}}\n"
        f"design: one-factor\nseeds: {trials // ARMS}\ntracking: {{models: none}}\n"
    )
    study = study_file.load(place / "study.yaml", "full", (), lambda: False)
    folder, counting, stop = RunFolder(place / "runs" / "study"), Counting(), StopRequest()
    folder.begin(
        Beginning(
            study=study,
            digest=study.digest(),
            scale_reason="",
            started="2026-01-01T00:00:00+00:00",
            source="study.yaml",
        ),
        "",
    )
    tracker = MlflowTracker(f"sqlite:///{place}/mlflow.db") if tracked else NoTracker()
    note = note_of(folder, Stamp(versions={}))
    machine = Machine(ProcessPerDevice([{} for _ in range(slots)]), slots, place)
    begun = time.perf_counter()
    with Shipping(tracker, study, note, folder, print) as shipping, machine.executor:
        parts = Drive(
            folder=folder,
            sampling=open_sampling(study, folder),
            machine=machine,
            execution=ExecutionPlan(keep="none"),
            run_trial=end_at_once,
            shipper=shipping,
            audience=counting,
            stop=stop,
        )
        assert drive(parts) == "complete"
        shipping.conclude("", (), complete=True)
    assert counting.ended == designs.planned_count(study)
    return time.perf_counter() - begun, counting


def measure_ray(python: Path, trials: int) -> Figures:
    """The same trials in Ray Tune, by the Python of an environment that has it."""
    script = Path(__file__).with_name("overhead_ray.py")
    line = [python, script, "--trials", str(trials), "--json"]
    ended = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tempfile.gettempdir())
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--ray", type=Path, metavar="PYTHON")
    chosen = parser.parse_args()
    trials, of_ray = (200, 30) if chosen.quick else (chosen.trials, 200)
    figures: Figures = {"machine": machine(), "trials": trials, "slots": chosen.slots}
    for name, tracked in (("without MLflow", False), ("with MLflow", True)):
        with tempfile.TemporaryDirectory() as place:
            seconds, counting = run(Path(place), trials, chosen.slots, tracked)
        figures[f"ms a trial {name}"] = ours = round(1000 * seconds / trials, 1)
        grown = counting.after - counting.before
        figures[f"kB a trial {name}"] = round(grown / (trials - MEASURED_FROM), 1)
    if chosen.ray:
        theirs = measure_ray(chosen.ray, of_ray)
        figures |= {f"Ray: {name}": value for name, value in theirs.items()}
        plain, reusing = (float(str(value)) for name, value in theirs.items() if name.startswith("ms a trial"))
        figures["ratio to Ray Tune"] = round(ours / plain, 3)
        figures["ratio to Ray Tune with reuse_actors"] = round(ours / reusing, 3)
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
