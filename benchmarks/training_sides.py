"""One training on CIFAR-10, by the plain recipe or as a trial, in a process of its own, for the comparisons.

Both sides have the same net from the same first weights, the same images, batches, epochs, peak rate and threads, and
both are timed from data in hand to the test score: what a process needs before (imports, decoded data, torch's first
optimizer) is paid before the clock. A trial also writes all that it always writes. Data are found as `ablate` does.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ablation.settings import Part, Recipe, Settings
from ablation.sources.roots import find_data_root
from ablation.trial import Answer, Arm, Assignment, Epoch, Outcome, Trial, trial_id

Side = Literal["plain", "ours"]
SIDES: tuple[Side, ...] = ("plain", "ours")

NETS = {
    "tiny": Part(name="small", choices={"width": 8}),
    "small": Part(name="small"),
    "resnet 18": Part(name="resnet", choices={"depth": 18}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What both sides do."""

    net: str
    train_size: int
    test_size: int
    epochs: int
    block: int = 0
    threads: int = 2
    batch_size: int = 128
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one side took, and what its net came to on the test images."""

    seconds: float
    accuracy: float


class Unheard:
    """A link to nobody."""

    def report(self, epoch: Epoch) -> Answer:  # noqa: ARG002 - the signature of a link
        """Go on."""
        return "proceed"

    def stopping(self) -> bool:
        """Go on."""
        return False

    def side_by_side(self) -> int:
        """This one alone."""
        return 1


def assignment_of(training: Training, folder: Path) -> Assignment:
    """The trial that has the augmentations of the plain recipe."""
    jitter = Part(name="color_jitter", choices={"brightness": 0.2, "contrast": 0.2, "saturation": 0.2})
    data = {"train_size": training.train_size, "test_size": training.test_size}
    settings = Settings(
        dataset=Part(name="cifar10", choices=data),
        model=NETS[training.net],
        preprocessing=(Part(name="normalize"),),
        augmentations=(Part(name="crop"), Part(name="flip"), jitter),
        recipe=Recipe(epochs=training.epochs, batch_size=training.batch_size, precision="bfloat16"),
    )
    arm = Arm(name="baseline", levels={}, settings=settings, baseline=True)
    return Assignment(
        trial=Trial(id=trial_id(arm, training.block), arm=arm, block=training.block),
        folder=folder,
        data_root=find_data_root(None),
        threads=training.threads,
        device=training.device,
    )


def measure(side: Side, training: Training) -> Measured:
    """Run one side in a new process."""
    command = [sys.executable, __file__, side, json.dumps(asdict(training))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def train(side: Side, training: Training) -> Measured:
    """Run one side in this process."""
    with tempfile.TemporaryDirectory() as folder:
        given = assignment_of(training, Path(folder))
        return _ours(given) if side == "ours" else _plain(given)


def _ours(given: Assignment) -> Measured:
    import ablation.training.first_optimizer  # noqa: F401 - a worker has made it
    from ablation.preparation import prepared
    from ablation.worker import run_trial

    prepared(given)
    started = time.perf_counter()
    outcome = run_trial(given, Unheard())
    seconds = time.perf_counter() - started
    if not isinstance(outcome, Outcome) or outcome.test is None:
        raise RuntimeError(str(outcome))
    return Measured(seconds, outcome.test.accuracy)


def _plain(given: Assignment) -> Measured:
    import plain_recipe
    import torch

    import ablation.training.first_optimizer  # noqa: F401 - paid before the clock on this side too
    from ablation import components
    from ablation.seeding import seed_of
    from ablation.splits import LabelledImages, Splits
    from ablation.training.data import stratified_validation
    from ablation.training.generators import forked_generator

    # Not by `prepared`: it sets up the process for a trial, which nobody has done for a script.
    torch.set_num_threads(given.threads)
    settings, block = given.trial.arm.settings, given.trial.block
    splits: Splits = components.load("dataset", "cifar10")(given.data_root, **settings.dataset.choices)
    with forked_generator("cpu", seed_of(block, "initialisation")):
        model = components.load("model", settings.model.name)(10, 3, **settings.model.choices).to(given.device)
    whole, recipe = splits.train, settings.recipe
    held_out = stratified_validation(whole.labels, block)
    train, validation = (LabelledImages(whole.images[rows], whole.labels[rows]) for rows in (~held_out, held_out))
    torch.manual_seed(block)
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        plain_recipe.train_plainly(model, train, validation, epochs=recipe.epochs, batch_size=recipe.batch_size)
    accuracy = plain_recipe.accuracy_of(model, splits.test, recipe.batch_size)
    return Measured(time.perf_counter() - started, accuracy)


if __name__ == "__main__":
    chosen: Side = "ours" if sys.argv[1] == "ours" else "plain"
    print(json.dumps(asdict(train(chosen, Training(**json.loads(sys.argv[2]))))))
