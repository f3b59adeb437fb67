"""What a trial would cost here: its time from a few seconds of training, its memory from one step."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ablation.preparation import Prepared, parameter_count, prepared, trainer_of
from ablation.settings import Recipe
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, DeviceImages
from ablation.training.device_memory import MemoryNeed, free_before, taken_at_peak
from ablation.training.devices import peak_memory
from ablation.training.evaluation import BATCH, DivergedError, evaluate
from ablation.training.fit import Take
from ablation.trial import Answer, Assignment, Cost, Epoch
from ablation.watching import TrialWatch

CALIBRATION_SECONDS = 2.5
"""How long what a calibration reads its rate from must take, unless the whole trial takes less."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a trial would cost, in a process that has run one before."""

    cost: Cost
    began: float
    """When its process could begin, in seconds since 1970."""
    loading: float
    """Seconds that the first trial of a process takes on top: libraries and the data set are loaded once."""


def measure_trial(assignment: Assignment, link: Any) -> Calibrated:  # noqa: ARG001 - an executor gives every call a link
    """Train the trial for a few seconds, and work out how long it takes to its end.

    A folder of its own under the assignment's folder is used for what a trial writes, and removed.

    Raises:
        InputError: the trial cannot be run as it is.
    """
    began = time.time()
    first, setup = (_seconds(lambda: prepared(assignment)) for _ in range(2))
    built = prepared(assignment)
    epoch, rate = _epoch(built, assignment)
    data, recipe = built.data, assignment.trial.arm.settings.recipe
    scoring = sum(_scoring(built, recipe, images) for images in (data.validation, data.test) if images is not None)
    cost = Cost(
        seconds=setup + recipe.epochs * epoch + scoring,
        images_per_second=rate,
        parameters=parameter_count(built.ingredients.model),
        peak_memory_bytes=peak_memory(assignment.device),
    )
    return Calibrated(cost, began, max(0.0, first - setup))


def measure_memory(assignment: Assignment, link: Any) -> MemoryNeed:  # noqa: ARG001 - an executor gives every call a link
    """Build the trial, augment its first epoch, make one real step and score one batch: what that takes of the device.

    Raises:
        InputError: the trial cannot be run as it is.
    """
    free = free_before(assignment.device)
    built, recipe = prepared(assignment), assignment.trial.arm.settings.recipe
    recipe = recipe.model_copy(update={"epochs": 1})  # a trainer of somebody's own may not stop after a step
    trainer_of(recipe)(built.ingredients, built.data, recipe, assignment.trial.block, _OneStep())
    _scoring(built, recipe, built.data.validation)
    return MemoryNeed(taken_at_peak(assignment.device), free)


class _Unwatched:
    """A training that nobody follows and that leaves nothing."""

    def begin(self) -> Checkpoint | None:
        return None

    def stepped(self, take: Take) -> bool:  # noqa: ARG002 - no checkpoint is wanted
        return False

    def ended_epoch(self, epoch: Epoch, take: Take) -> Answer:  # noqa: ARG002 - nobody listens
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:  # noqa: ARG002 - nobody listens
        return "proceed"


class _OneStep(_Unwatched):
    """The same, over after its first step."""

    def stepped(self, take: Take) -> bool:  # noqa: ARG002 - no checkpoint is wanted
        return True


class _Counting:
    """A link to a driver that never has a wish, and counts the epochs that it is told of."""

    def __init__(self) -> None:
        self.epochs = 0

    def report(self, epoch: Epoch) -> Answer:  # noqa: ARG002 - how many there were is all
        self.epochs += 1
        return "proceed"

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


def _epoch(built: Prepared, assignment: Assignment) -> tuple[float, float]:
    """Seconds of an epoch with its evaluation, and training images a second.

    From growing pieces of an epoch, the last of which counts; where a whole epoch is short, from several of them with
    all that a trial writes in between.
    """
    trial, data = assignment.trial, built.data
    recipe = trial.arm.settings.recipe.model_copy(update={"epochs": 1})
    count, train = 2 * recipe.batch_size, trainer_of(recipe)
    while count < len(data.train):
        piece = _piece(data, count)
        seconds = _seconds(lambda: train(built.ingredients, piece, recipe, trial.block, _Unwatched()))  # noqa: B023
        if seconds >= CALIBRATION_SECONDS:
            rate = count / seconds
            return len(data.train) / rate + _scoring(built, recipe, data.validation), rate
        count *= 2
    epochs, seconds = 1, _whole_epochs(built, assignment, 1)
    while epochs * seconds < CALIBRATION_SECONDS and epochs < trial.arm.settings.recipe.epochs:
        epochs = min(2 * epochs, trial.arm.settings.recipe.epochs)
        seconds = _whole_epochs(built, assignment, epochs)
    return seconds, len(data.train) / (seconds - _scoring(built, recipe, data.validation))


def _piece(data: BlockData, count: int) -> BlockData:
    """So many training images, and next to none to be measured on."""
    return replace(data, train=data.train.first(count), validation=data.validation.first(1))


def _whole_epochs(built: Prepared, assignment: Assignment, epochs: int) -> float:
    """Seconds of one epoch, as so many of them take them when they are watched as those of a trial are."""
    trial, link = assignment.trial, _Counting()
    recipe = trial.arm.settings.recipe.model_copy(update={"epochs": epochs})
    with TemporaryDirectory(dir=assignment.folder) as folder, Path(os.devnull).open("w", encoding="utf-8") as log:
        watch = TrialWatch(assignment.model_copy(update={"folder": Path(folder)}), link, log)
        try:
            seconds = _seconds(lambda: trainer_of(recipe)(built.ingredients, built.data, recipe, trial.block, watch))
        finally:
            watch.close()
    return seconds / max(1, link.epochs)  # fewer than asked for where the training diverged


def _scoring(built: Prepared, recipe: Recipe, images: DeviceImages) -> float:
    """Seconds of one evaluation, from a piece that was evaluated before."""
    piece, model = images.first(2 * BATCH), built.ingredients.scored
    precision, mirrored = recipe.precision, recipe.mirrored_scoring
    assert precision != "auto", "the precision is resolved when the study begins"
    for _ in range(2):
        seconds = _seconds(lambda: evaluate(model, piece, built.data.seen, precision, mirrored=mirrored))
    return seconds * len(images) / len(piece)


def _seconds(call: Callable[[], object]) -> float:
    """How long a call took, a training that diverged in it included."""
    started = time.perf_counter()
    with contextlib.suppress(DivergedError):
        call()
    return time.perf_counter() - started
