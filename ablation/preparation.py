"""All that a trial needs before its first step: data, model, optimizer, schedule and augmentations, built by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from ablation import components
from ablation.contracts import Measure
from ablation.errors import AblationError, DataError, InputError
from ablation.seeding import seed_of
from ablation.sending import send
from ablation.settings import Part, Recipe, Settings
from ablation.splits import Splits
from ablation.training.averaging import averaged_copy
from ablation.training.data import BlockData, block_data
from ablation.training.devices import best_layout, prepare, reset_peak_memory
from ablation.training.evaluation import DivergedError
from ablation.training.fit import Fitted, Trainer, Watch, fit
from ablation.training.generators import forked_generator
from ablation.training.state import Ingredients
from ablation.trial import Assignment, Trial


@dataclass(frozen=True, slots=True)
class Prepared:
    """A trial, built."""

    splits: Splits
    data: BlockData
    ingredients: Ingredients


def prepared(assignment: Assignment) -> Prepared:
    """Build what the trial names.

    Raises:
        DataError: the data set cannot be used.
        InputError: a component cannot.
    """
    trial = assignment.trial
    prepare(assignment.device, assignment.threads)
    reset_peak_memory(assignment.device)
    # Everything is built under generators of the trial's own, so that no component depends on what ran before it.
    with forked_generator(assignment.device, seed_of(trial.block, "preparation")):
        return _built(assignment)


def _built(assignment: Assignment) -> Prepared:
    trial, settings = assignment.trial, assignment.trial.arm.settings
    fits = [components.load("preprocessing", part.name)(**part.choices) for part in settings.preprocessing]
    try:
        splits = _splits(settings.dataset.model_dump_json(), assignment.data_root)
    except DataError:
        raise
    except AblationError as error:
        raise DataError(str(error)) from error
    data = block_data(splits, trial.block, fits, assignment.device, with_test=trial.evaluate_on == "test")
    model = _model(settings.model, data, trial.block)
    data = replace(data, layout=best_layout(model, assignment.device, assignment.threads))
    model.to(memory_format=data.layout)
    _check_size(model, data)
    return Prepared(
        splits, data, replace(ingredients_of(settings, model, assignment.pieces), measures=_measures(trial))
    )


def trainer_of(recipe: Recipe) -> Trainer:
    """What trains a model: `fit`, or the recipe's own function, held to what everybody expects of it."""
    part = recipe.trainer
    if part is None:
        return fit
    own: Trainer = components.load("trainer", part.name)(**part.choices)

    def train(ingredients: Ingredients, data: BlockData, recipe: Recipe, block: int, watch: Watch) -> Fitted:
        with forked_generator(data.train.labels.device.type, seed_of(block, "dropout")):
            try:
                fitted = own(ingredients, data, recipe, block, watch)
            except DivergedError:
                return Fitted("diverged", None, 0.0, 0.0)
        if not isinstance(fitted, Fitted):
            raise InputError(f"trainer {part.name} gives {type(fitted).__name__} and not a Fitted.")
        return fitted

    return train


def parameter_count(model: nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


@lru_cache(maxsize=2)
def _splits(part_json: str, root: Path) -> Splits:
    """The data set of a `Part` given as JSON; a kept worker opens it once for all its trials."""
    with forked_generator("cpu", seed_of(0, "data set")):  # equal in all trials, of which any may be the first
        return components.open_data(Part.model_validate_json(part_json), root)


def _model(part: Part, data: BlockData, block: int) -> nn.Module:
    """Build the model on the device of the data; with equal choices, weights are bit-equal in a block."""
    device = data.train.labels.device.type
    with forked_generator(device, seed_of(block, "initialisation")):
        build = components.load("model", part.name)
        model: nn.Module = build(data.num_classes, data.train.store.shape[1], **part.choices)
    return model.to(device)


def ingredients_of(settings: Settings, model: nn.Module, pieces: int) -> Ingredients:
    """Build what the recipe names beside the model."""
    return Ingredients(
        model=model,
        optimizer=_optimizer(model, settings.recipe),
        schedule=components.load("schedule", settings.recipe.schedule.name)(**settings.recipe.schedule.choices),
        augmentations={
            part.name: components.load("augmentation", part.name)(**part.choices) for part in settings.augmentations
        },
        pieces=pieces,
        averaged=averaged_copy(model) if settings.recipe.weight_average or settings.recipe.swa else None,
    )


def _measures(trial: Trial) -> dict[str, Measure]:
    return {part.name: components.load("metric", part.name)(**part.choices) for part in trial.metrics}


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    build = components.load("optimizer", recipe.optimizer.name)
    parameters = model.parameters() if recipe.decay_biases else _without_decay_of_biases(model)
    optimizer: torch.optim.Optimizer = build(parameters, recipe.learning_rate, **recipe.optimizer.choices)
    return optimizer


def _without_decay_of_biases(model: nn.Module) -> list[dict[str, object]]:
    """Groups for torch's optimizers: weight decay is for what multiplies, not for what has one number a channel.

    He et al. 2019 (arXiv 1812.01187), section 3.1.
    """
    parameters = list(model.parameters())
    groups: list[dict[str, object]] = [
        {"params": [each for each in parameters if each.ndim > 1]},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _check_size(model: nn.Module, data: BlockData) -> None:
    """Refuse a model that cannot take these images or counts other classes, before an epoch is spent on it."""
    model.eval()
    with torch.inference_mode():
        images = send(data.train.between(0, 2), data.train.labels.device)
        check_output(model(data.seen(images)), 2, data.num_classes)


def check_output(output: Tensor, images: int, num_classes: int) -> None:
    """Raise InputError where what a model gives is not one number for each image and class."""
    if tuple(output.shape) != (images, num_classes):
        raise InputError(
            f"the model gives an output of shape {tuple(output.shape)} for {images} images; the data set needs "
            f"({images}, {num_classes})."
        )
