"""The one trainer of all trials. Knows no study, no store and no seeds but those of its block."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablation.contracts import Augmentation
from ablation.seeding import seed_of
from ablation.settings import Recipe
from ablation.training.augmenting import augmented
from ablation.training.averaging import follow
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, batches, picked, steps_per_epoch
from ablation.training.devices import Precision, synchronize
from ablation.training.evaluation import DivergedError, evaluate, finite_scores
from ablation.training.generators import forked_generator, generator_states, restore_generators
from ablation.training.gradients import as_numbers, gradient_norms
from ablation.training.measuring import Measures, measured
from ablation.trial import Answer, Epoch, Scores

Schedule = Callable[[float], float]
"""The share of all steps done, in [0, 1], to the factor on the peak learning rate."""

End = Literal["complete", "diverged", "pruned", "stopped"]


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


class Watch(Protocol):
    """Whoever looks after a training. `take` makes a checkpoint of this moment; it costs nothing until called."""

    def begin(self) -> Checkpoint | None:
        """The checkpoint to go on from, None to start."""
        ...

    def stepped(self, take: Callable[[], Checkpoint]) -> bool:
        """A step was made; whether to stop here."""
        ...

    def ended_epoch(self, epoch: Epoch, take: Callable[[], Checkpoint]) -> Answer:
        """An epoch was trained and measured; whether to go on."""
        ...

    def went_on(self, epoch: Epoch) -> Answer:
        """The training goes on from a checkpoint at the end of this epoch, which may have got no answer before."""
        ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """How a training ended."""

    ended: End
    train: Scores | None
    """Of the last epoch that was finite."""
    images_per_second: float
    """Training images over training seconds, evaluation left out."""
    seconds: float
    """Of all epochs, of attempts before this one too; evaluation left out."""


def fit(ingredients: Ingredients, data: BlockData, recipe: Recipe, block: int, watch: Watch) -> Fitted:
    """Train for the recipe's epochs, from the watch's checkpoint or from the start, until the end or as the watch says.

    Loss and accuracy of training stay on the device within an epoch; it ends with the first number that the host reads.
    A loss that is not finite ends the training as diverged. A training that went on from a checkpoint ends with the
    same bits as one that was never cut short.
    """
    training = _Training(ingredients, data, recipe, block)
    with forked_generator(training.device, seed_of(block, "dropout")):
        checkpoint = watch.begin()
        if checkpoint is not None:
            training.restore(checkpoint)
        try:
            ended = _all_epochs(training, watch)
        except DivergedError:
            ended = "diverged"
    epochs = training.epochs
    seconds = sum(epoch.seconds for epoch in epochs)
    rate = len(epochs) * len(data.train) / seconds if epochs else 0.0
    return Fitted(ended, epochs[-1].train if epochs else None, rate, seconds)


def _all_epochs(training: _Training, watch: Watch) -> End:
    if training.epochs and not training.step:
        answer = watch.went_on(training.epochs[-1])
        if answer != "proceed":
            return "pruned" if answer == "prune" else "stopped"
    while training.epoch <= training.recipe.epochs:
        if not _one_epoch(training, watch):
            return "stopped"
        epoch = training.end_epoch()
        answer = watch.ended_epoch(epoch, training.take)
        if answer != "proceed":
            return "pruned" if answer == "prune" else "stopped"
    return "complete"


@dataclass(slots=True)
class _Training:
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
        return self.data.train.labels.device.type

    @property
    def precision(self) -> Precision:
        assert self.recipe.precision != "auto", "the precision is resolved when the study begins"
        return self.recipe.precision

    def take(self) -> Checkpoint:
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

    def _validation(self) -> Scores:
        model, data, mirrored = self.ingredients.scored, self.data, self.recipe.mirrored_scoring
        found = evaluate(model, data.validation, data.seen, self.precision, mirrored=mirrored)
        return measured(found.scores, found.probabilities, data.validation.labels, self.ingredients.measures)

    def end_epoch(self) -> Epoch:
        """Measure the epoch that all steps were made of, and stand at the beginning of the next."""
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


def _one_epoch(training: _Training, watch: Watch) -> bool:
    """The steps of one epoch that are not made yet. Whether all were made."""
    recipe, ingredients = training.recipe, training.ingredients
    when = (training.block, training.epoch)
    images, targets = augmented(training.data, ingredients.augmentations, *when)
    steps = steps_per_epoch(len(images), recipe.batch_size)
    before, total = (training.epoch - 1) * steps, steps * recipe.epochs
    ingredients.model.train()
    for step, chosen in enumerate(batches(len(images), recipe.batch_size, *when)):
        if step < training.step:
            continue
        _set_learning_rate(ingredients.optimizer, recipe.learning_rate * ingredients.schedule((before + step) / total))
        ingredients.optimizer.zero_grad(set_to_none=True)
        for rows in chosen.chunk(ingredients.pieces):
            batch, wanted = images.pick(rows, training.device), picked(targets, rows, training.device)
            _add_gradients(training, batch, wanted, len(rows) / len(chosen))
        training.step += 1
        if training.step == steps:
            training.norms = gradient_norms(ingredients.model)
        _change_weights(ingredients, recipe, before + training.step)
        training.seen += len(chosen)
        if watch.stepped(training.take):
            return False
    return True


def _change_weights(ingredients: Ingredients, recipe: Recipe, steps: int) -> None:
    """Make the step that the gradients ask for, the training's so-manieth."""
    if recipe.gradient_clip:
        nn.utils.clip_grad_norm_(ingredients.model.parameters(), recipe.gradient_clip)
    ingredients.optimizer.step()
    if ingredients.averaged is not None:
        follow(ingredients.averaged, ingredients.model, recipe.weight_average, steps)


def _add_gradients(training: _Training, images: Tensor, wanted: Tensor, share: float) -> None:
    """Forward and backward over a batch, or over its piece, whose mean loss counts by its share of the batch."""
    loss, logits = batch_loss(training.ingredients, images, wanted, training.data, training.recipe)
    (loss if share == 1 else loss * share).backward()
    training.loss_sum += loss.detach() * len(images)
    training.correct += (logits.detach().argmax(1) == wanted.argmax(1)).sum()


def batch_loss(
    ingredients: Ingredients, images: Tensor, wanted: Tensor, data: BlockData, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """Mean loss in nats over uint8 images N x C x H x W with class probabilities N x K, and the logits N x K."""
    compiled = ingredients.compiled if len(images) == ingredients.whole else None
    forward = ingredients.model if compiled is None else compiled
    with torch.autocast(wanted.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        logits = forward(data.seen(images))
    return functional.cross_entropy(logits.float(), wanted, label_smoothing=recipe.label_smoothing), logits


def _set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
