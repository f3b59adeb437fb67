"""A training as it goes: what it is made of, where it stands, and all that a checkpoint of it holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ablation.contracts import Augmentation
from ablation.seeding import seed_of
from ablation.sending import send
from ablation.settings import Recipe
from ablation.training.averaging import average_epochs, first_averaged, follow, take_statistics
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, steps_per_epoch
from ablation.training.devices import Precision, synchronize
from ablation.training.evaluation import evaluate, finite_scores
from ablation.training.generators import forked_generator, generator_states, restore_generators
from ablation.training.gradients import as_numbers, gradient_norms
from ablation.training.measuring import Measures, measured
from ablation.trial import Epoch, Scores

Schedule = Callable[[float], float]
"""The share of all steps done, in [0, 1], to the factor on the peak learning rate."""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a recipe names, built."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    augmentations: dict[str, Augmentation]
    """By name, in the order in which they run."""
    pieces: int = 1
    """A step's batch is computed in so many pieces whose gradients add up, where the device's memory is short."""
    compiled: Callable[[Tensor], Tensor] | None = None
    """The model, compiled for batches of `whole` images; others go through the model itself."""
    whole: int = 0
    averaged: nn.Module | None = None
    """A copy of the model that follows its weights, where the recipe asks for their average."""
    measures: Measures = field(default_factory=dict)
    """The metrics beside accuracy and loss."""

    @property
    def scored(self) -> nn.Module:
        """The model that is measured, and whose weights are kept."""
        return self.model if self.averaged is None else self.averaged


@dataclass(slots=True)
class Training:
    """A training as it goes: what a checkpoint holds, and what it can be made of again."""

    ingredients: Ingredients
    data: BlockData
    recipe: Recipe
    block: int
    epoch: int = 1
    step: int = 0
    seconds: float = 0.0
    seen: int = 0
    loss_sum: Tensor = field(init=False)
    correct: Tensor = field(init=False)
    norms: Tensor = field(default_factory=lambda: torch.zeros(0))
    """Of the gradients at the epoch's last step."""
    epochs: list[Epoch] = field(default_factory=list)
    _since: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.loss_sum = torch.zeros((), device=self.device)
        self.correct = torch.zeros((), device=self.device)

    @property
    def device(self) -> str:
        """The kind of device that it runs on."""
        return self.data.train.labels.device.type

    @property
    def precision(self) -> Precision:
        """That of forward and backward passes."""
        assert self.recipe.precision != "auto", "the precision is resolved when the study begins"
        return self.recipe.precision

    def change_weights(self) -> None:
        """Make the optimizer's step by the gradients that are there, clipped, and move the average of the weights."""
        made, recipe, steps = self.step + 1, self.recipe, steps_per_epoch(len(self.data.train), self.recipe.batch_size)
        model, averaged = self.ingredients.model, self.ingredients.averaged
        if made == steps:
            self.norms = gradient_norms(model)
        if recipe.gradient_clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
        self.ingredients.optimizer.step()
        if averaged is not None and recipe.weight_average:
            follow(averaged, model, recipe.weight_average, (self.epoch - 1) * steps + made)

    def take(self) -> Checkpoint:
        """A checkpoint of this moment, between two steps."""
        synchronize(self.device)
        return Checkpoint(
            epoch=self.epoch,
            step=self.step,
            seconds=self.seconds + time.perf_counter() - self._since,
            seen=self.seen,
            loss_sum=self.loss_sum,
            correct=self.correct,
            norms=self.norms,
            model=self.ingredients.model.state_dict(),
            optimizer=self.ingredients.optimizer.state_dict(),
            generators=generator_states(self.device),
            epochs=tuple(self.epochs),
            averaged=self.ingredients.averaged.state_dict() if self.ingredients.averaged is not None else {},
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Stand where a checkpoint was taken."""
        self.epoch, self.step, self.seconds = checkpoint.epoch, checkpoint.step, checkpoint.seconds
        self.seen, self.epochs = checkpoint.seen, list(checkpoint.epochs)
        self.loss_sum = checkpoint.loss_sum.to(self.device)
        self.correct = checkpoint.correct.to(self.device)
        self.norms = checkpoint.norms.to(self.device)
        self.ingredients.model.load_state_dict(checkpoint.model)
        if self.ingredients.averaged is not None:
            self.ingredients.averaged.load_state_dict(checkpoint.averaged)
        self.ingredients.optimizer.load_state_dict(dict(checkpoint.optimizer))
        restore_generators(checkpoint.generators)
        self._since = time.perf_counter()

    def _average_epoch(self) -> None:
        """Let the average of the last epochs take this one in; before the first of them it is the model itself."""
        averaged, recipe = self.ingredients.averaged, self.recipe
        if averaged is None or not recipe.swa:
            return
        before = self.epoch - first_averaged(recipe.swa, recipe.epochs)
        average_epochs(averaged, self.ingredients.model, max(0, before))
        if before <= 0:  # a single epoch has the statistics that its own weights gave
            return
        train, size = self.data.train, recipe.batch_size
        starts = [at for at in range(0, len(train), size) if len(train) - at > 1]  # one image has no variance
        batches = (self.data.seen(send(train.between(at, at + size), self.device)) for at in starts)
        with (
            forked_generator(self.device, seed_of(self.block, "averaging", self.epoch)),
            torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            take_statistics(averaged, batches)

    def _validation(self) -> Scores:
        model, data, mirrored = self.ingredients.scored, self.data, self.recipe.mirrored_scoring
        found = evaluate(model, data.validation, data.seen, self.precision, mirrored=mirrored)
        return measured(found.scores, found.probabilities, data.validation.labels, self.ingredients.measures)

    def end_epoch(self) -> Epoch:
        """Measure the epoch that all steps were made of, and stand at the beginning of the next."""
        self._average_epoch()
        train = finite_scores((self.loss_sum / self.seen).item(), (self.correct / self.seen).item())
        seconds = self.seconds + time.perf_counter() - self._since
        data = self.data
        epoch = Epoch(
            epoch=self.epoch,
            train=train,
            validation=self._validation(),
            learning_rate=self.ingredients.optimizer.param_groups[0]["lr"],
            seconds=seconds,
            images_per_second=len(data.train) / seconds,
            gradient_norms=as_numbers(self.norms),
        )
        self.epochs.append(epoch)
        self.epoch, self.step, self.seconds, self.seen = self.epoch + 1, 0, 0.0, 0
        self.loss_sum, self.correct = torch.zeros_like(self.loss_sum), torch.zeros_like(self.correct)
        self._since = time.perf_counter()
        return epoch
