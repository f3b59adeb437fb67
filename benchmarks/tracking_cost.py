"""What do tracking and checkpoints cost a trial?

Claim: at most 2 % of a trial of `small` of 30 s, the upper bound of the 95 % interval under 5 %. Interleaved pairs in
the same kept workers, one a core: trials through the driver with run folder, checkpoints, Optuna and MLflow on SQLite,
and the same trainings with none of it. Each pair draws anew which side is first. The cost is told twice: by the clock,
and by the processor time of driver and workers, which other work on the machine hardly moves.

Needs CIFAR-10 where `ablate run` finds it (ABLATE_DATA). Ten pairs take a quarter of an hour.

    python benchmarks/tracking_cost.py [--pairs 10] [--quick] [--json]
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measuring import Figures, machine, options, show, spread
from overhead import Counting
from scipy import stats

from ablation import designs, study_file
from ablation.cli.running.slots import usable_cores
from ablation.driver import Drive, Machine, drive
from ablation.executors.process_per_device import ProcessPerDevice, preload
from ablation.failures import Failure
from ablation.preparation import prepared
from ablation.run_folder import Beginning, RunFolder
from ablation.sampling import open_sampling
from ablation.sources.roots import find_data_root
from ablation.stopping import StopRequest
from ablation.study import Study
from ablation.tracking.client import open_client
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, note_of
from ablation.training.checkpoints import Checkpoint
from ablation.training.evaluation import evaluate
from ablation.training.fit import fit
from ablation.trial import Answer, Assignment, Epoch, Outcome, Stamp
from ablation.watching import Link
from ablation.worker import run_trial

STUDY = """\
question: What do tracking and checkpoints cost a trial?
dataset: {{name: cifar10, train_size: 6000, test_size: 2000}}
model: small
preprocessing: {{normalize: {{}}}}
augmentations: {{crop: {{}}, flip: {{}}}}
recipe: {{epochs: {epochs}, learning_rate: 0.1, precision: bfloat16}}
factors: {{flip: {{with: {{}}, without: {{augmentations.flip: null}}}}}}
design: one-factor
seeds: {seeds}
margin: 0.01
execution: {{device: cpu, keep: none}}
"""
SPENT = "processor-seconds.txt"
EPOCHS, QUICK_EPOCHS = 6, 1


class Unwatched:
    """A training that leaves nothing."""

    patience, about = 600.0, ""

    def begin(self) -> Checkpoint | None:
        """From the start."""

    def stepped(self, take: object) -> bool:  # noqa: ARG002
        """Go on."""
        return False

    def ended_epoch(self, epoch: Epoch, take: object) -> Answer:  # noqa: ARG002
        """Go on."""
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:  # noqa: ARG002
        """Go on."""
        return "proceed"


def train_with_all(assignment: Assignment, link: Link) -> Outcome | Failure | None:
    """A trial as it is, whose processor time is noted in the end."""
    begun = time.process_time()
    outcome = run_trial(assignment, link)
    (assignment.folder / SPENT).write_text(str(time.process_time() - begun))
    return outcome


def train_alone(assignment: Assignment, link: Unwatched) -> float:  # noqa: ARG001
    """The same training and scoring, with nothing written or told; the seconds of processor time that it took."""
    begun = time.process_time()
    built, trial = prepared(assignment), assignment.trial
    fit(built.ingredients, built.data, trial.arm.settings.recipe, trial.block, Unwatched())
    for images in (built.data.validation, built.data.test):
        if images is not None:
            evaluate(built.ingredients.model, images, built.data.seen, "bfloat16")
    return time.process_time() - begun


@dataclass(frozen=True, slots=True)
class Taken:
    """By one trial a slot."""

    seconds: float
    processor_seconds: float
    """Of the driver and the workers together: what other work on the machine hardly moves."""


@dataclass(slots=True)
class Pairs:
    """Both sides, in the same workers."""

    place: Path
    study: Study
    machine: Machine
    taken: dict[str, list[Taken]] = field(default_factory=lambda: {"with": [], "without": []})

    @property
    def store(self) -> str:
        """The MLflow store of all pairs."""
        return f"sqlite:///{self.place}/mlflow.db"

    def without(self) -> Taken:
        """One trial a slot, with nothing written or told."""
        trials = designs.planned_trials(self.study)[: self.machine.slots]
        root = self.machine.data_root
        begun, driving = time.perf_counter(), time.process_time()
        calls = [
            self.machine.executor.submit(
                train_alone, Assignment(trial=trial, folder=self.place, data_root=root), Unwatched()
            )
            for trial in trials
        ]
        spent = sum(call.result() for call in calls)
        return Taken(time.perf_counter() - begun, spent + time.process_time() - driving)

    def tracked(self) -> Taken:
        """The same trials as `ablate run` runs them, until the last has arrived in MLflow."""
        folder = RunFolder(self.place / f"runs-{time.monotonic_ns()}" / "study")
        started = "2026-01-01T00:00:00+00:00"
        folder.begin(
            Beginning(study=self.study, digest=self.study.digest(), scale_reason="", started=started, source="s"), ""
        )
        tracker = MlflowTracker(self.store)
        sampling = open_sampling(self.study, folder)
        with Shipping(tracker, self.study, note_of(folder, Stamp(versions={})), folder, print) as shipping:
            begun, driving = time.perf_counter(), time.process_time()
            parts = Drive(
                folder=folder,
                sampling=sampling,
                machine=self.machine,
                execution=self.study.execution,
                run_trial=train_with_all,
                shipper=shipping,
                audience=Counting(),
                stop=StopRequest(),
            )
            assert drive(parts) == "complete"
            assert shipping.wait()
            seconds, driven = time.perf_counter() - begun, time.process_time() - driving
        spent = sum(float(file.read_text()) for file in (folder.path / "trials").glob(f"*/{SPENT}"))
        return Taken(seconds, driven + spent)

    def measure(self, pairs: int) -> None:
        """So many pairs, after one that warms both sides."""
        order = np.random.default_rng(0)
        open_client(self.store)  # the making of a database is no trial's cost
        self.tracked(), self.without()
        for _ in range(pairs):
            sides = [("with", self.tracked), ("without", self.without)]
            for at in order.permutation(2):
                name, side = sides[at]
                self.taken[name].append(side())


def cost(taken: Mapping[str, Sequence[float]]) -> Figures:
    """The mean cost in per cent of a trial, with its 95 % interval: of the logarithms of the ratios, by Student's t."""
    logs = np.log(np.array(taken["with"]) / np.array(taken["without"]))
    half = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    mean, low, high = (
        round(100 * float(np.expm1(value)), 2) for value in (logs.mean(), logs.mean() - half, logs.mean() + half)
    )
    return {"mean": mean, "low": low, "high": high, "pairs": len(logs)}


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    chosen = parser.parse_args()
    pairs, epochs = (3, QUICK_EPOCHS) if chosen.quick else (chosen.pairs, EPOCHS)
    slots = max(1, usable_cores() // 2 * 2)
    preload("ablation.worker", "ablation.training.first_optimizer")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "study.yaml").write_text(STUDY.format(epochs=epochs, seeds=slots // 2))
        study = study_file.load(place / "study.yaml", "full", (), lambda: False)
        with ProcessPerDevice([{"OMP_NUM_THREADS": "1"}] * slots) as executor:
            both = Pairs(place, study, Machine(executor, slots, find_data_root(None).resolve()))
            both.measure(pairs)
    clock = {side: [each.seconds for each in taken] for side, taken in both.taken.items()}
    processor = {side: [each.processor_seconds for each in taken] for side, taken in both.taken.items()}
    figures: Figures = {
        "machine": machine(),
        "slots of one thread": slots,
        "s of a trial with all of it": spread(clock["with"], 2),
        "s of a trial with none of it": spread(clock["without"], 2),
        "cost in % of a trial": cost(clock),
        "cost in % of its processor time": cost(processor),
    }
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
