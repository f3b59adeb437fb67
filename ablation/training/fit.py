"""The one trainer of all trials. Knows no study, no store and no seeds but those of its block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ablation.seeding import seed_of
from ablation.settings import Recipe
from ablation.training.augmenting import augmented
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, batches, picked, steps_per_epoch
from ablation.training.evaluation import DivergedError
from ablation.training.generators import forked_generator
from ablation.training.state import Ingredients, Training
from ablation.trial import Answer, Epoch, Scores

End = Literal["complete", "diverged", "pruned", "stopped"]


Take = Callable[[], Checkpoint | None]
"""Makes a checkpoint of this moment; None where a training makes none, and so starts over when it is cut short."""


class Watch(Protocol):
    """Whoever looks after a training. `take` costs nothing until it is called."""

    def begin(self) -> Checkpoint | None:
        """The checkpoint to go on from, None to start."""
        ...

    def stepped(self, take: Take) -> bool:
        """A step was made; whether to stop here."""
        ...

    def ended_epoch(self, epoch: Epoch, take: Take) -> Answer:
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


Trainer = Callable[[Ingredients, BlockData, Recipe, int, Watch], Fitted]
"""Trains a model in a seed block: `fit`, or a function of somebody's own."""


def fit(ingredients: Ingredients, data: BlockData, recipe: Recipe, block: int, watch: Watch) -> Fitted:
    """Train for the recipe's epochs, from the watch's checkpoint or from the start, to the end or as the watch says."""
    return fit_by(usual_step, Training(ingredients, data, recipe, block), watch)


def fit_by(step: Step, training: Training, watch: Watch) -> Fitted:
    """The same by another step than the usual one.

    Loss and accuracy of training stay on the device within an epoch; it ends with the first number that the host reads.
    A loss that is not finite ends the training as diverged. A training that went on from a checkpoint ends with the
    same bits as one that was never cut short.
    """
    with forked_generator(training.device, seed_of(training.block, "dropout")):
        checkpoint = watch.begin()
        if checkpoint is not None:
            training.restore(checkpoint)
        try:
            ended = _all_epochs(training, watch, step)
        except DivergedError:
            ended = "diverged"
    epochs = training.epochs
    seconds = sum(epoch.seconds for epoch in epochs)
    rate = len(epochs) * len(training.data.train) / seconds if epochs else 0.0
    return Fitted(ended, epochs[-1].train if epochs else None, rate, seconds)


def _all_epochs(training: Training, watch: Watch, step: Step) -> End:
    if training.epochs and not training.step:
        answer = watch.went_on(training.epochs[-1])
        if answer != "proceed":
            return "pruned" if answer == "prune" else "stopped"
    while training.epoch <= training.recipe.epochs:
        if not _one_epoch(training, watch, step):
            return "stopped"
        epoch = training.end_epoch()
        answer = watch.ended_epoch(epoch, training.take)
        if answer != "proceed":
            return "pruned" if answer == "prune" else "stopped"
    return "complete"


Gradients = Callable[[], None]
"""Puts the gradients of a step's batch, at the weights as they are, in the place of those before."""

Step = Callable[[Training, Gradients], None]
"""Takes the gradients, once or more often, and changes the weights once."""


def usual_step(training: Training, gradients: Gradients) -> None:
    """Follow the gradients at the weights as they are."""
    gradients()
    training.change_weights()


def _one_epoch(training: Training, watch: Watch, step: Step) -> bool:
    """The steps of one epoch that are not made yet. Whether all were made."""
    recipe, ingredients = training.recipe, training.ingredients
    when = (training.block, training.epoch)
    images, targets = augmented(training.data, ingredients.augmentations, *when)
    steps = steps_per_epoch(len(images), recipe.batch_size)
    before, total = (training.epoch - 1) * steps, steps * recipe.epochs
    ingredients.model.train()

    def pick(rows: Tensor) -> tuple[Tensor, Tensor]:
        return images.pick(rows, training.device), picked(targets, rows, training.device)

    for number, chosen in enumerate(batches(len(images), recipe.batch_size, *when)):
        if number < training.step:
            continue
        rate = recipe.learning_rate * ingredients.schedule((before + number) / total)
        _set_learning_rate(ingredients.optimizer, rate)
        step(training, _gradients(training, chosen, pick))
        training.step += 1
        training.seen += len(chosen)
        if watch.stepped(training.take):
            return False
    return True


def _gradients(training: Training, chosen: Tensor, pick: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Gradients:
    """Forward and backward over the pieces of a batch; its scores are those at the weights that a step begins with."""
    ingredients, scored = training.ingredients, False

    def put() -> None:
        nonlocal scored
        ingredients.optimizer.zero_grad(set_to_none=True)
        for rows in chosen.chunk(ingredients.pieces):
            images, wanted = pick(rows)
            loss, logits = batch_loss(ingredients, images, wanted, training.data, training.recipe)
            share = len(rows) / len(chosen)  # the mean loss of a piece counts by its share of the batch
            (loss if share == 1 else loss * share).backward()
            if not scored:
                training.loss_sum += loss.detach() * len(images)
                training.correct += (logits.detach().argmax(1) == wanted.argmax(1)).sum()
        scored = True

    return put


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
