"""Before a study is begun: each component that an arm names is built once and given a few images.

A choice that its component or these images cannot take would fail trial after trial; here it is told at once. Each
thing is tried once, however many arms have it.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ablation import components
from ablation.components import Kind
from ablation.contracts import Fit, Following
from ablation.errors import AblationError, InputError
from ablation.failures import failure_of
from ablation.preparation import check_output, ingredients_of, trainer_of
from ablation.seeding import seed_of
from ablation.settings import Frozen, Part, Recipe
from ablation.splits import Splits
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, DeviceImages, chained, fitted, to_float
from ablation.training.devices import prepare
from ablation.training.fit import Take
from ablation.training.generators import forked_generator
from ablation.training.measuring import measured, measured_guess
from ablation.trial import Answer, Arm, Epoch, Level, Said, uniform_guess

IMAGES = 64
"""Of each data set: what preprocessing is fitted to and augmentations change. A model sees two of them."""

_DRAWS = 4
"""How often an augmentation is tried before it is said to change nothing."""

_TRAINED, _BATCH = 16, 8
"""Images that a trainer of somebody's own trains on, and how many of them a step."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sample:
    """The first training images of a data set."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    num_classes: int


class Remark(Frozen):
    """What is told of the component at a path of a study file's form, as an arm of these levels has it."""

    levels: dict[str, Level]
    path: tuple[str | int, ...]
    message: Said
    refuses: bool = True
    """Whether no trial of the arm could run; otherwise it is a warning."""


def sample_of(splits: Splits) -> Sample:
    """The few images of a data set that components are tried on."""
    return Sample(np.array(splits.train.images[:IMAGES]), np.array(splits.train.labels[:IMAGES]), len(splits.classes))


def new_parts(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms that have something that none before them has, in their order."""
    kept, seen = [], set[tuple[str, ...]]()
    for arm in arms:
        settings, recipe = arm.settings, arm.settings.recipe
        data, *before = (part.model_dump_json() for part in (settings.dataset, *settings.preprocessing))
        keys = {("model", data, *before, settings.model.model_dump_json())}
        keys |= {("augmentation", data, part.model_dump_json()) for part in settings.augmentations}
        keys |= {("optimizer", recipe.optimizer.model_dump_json()), ("schedule", recipe.schedule.model_dump_json())}
        if recipe.trainer is not None:
            keys.add(("trainer", recipe.trainer.model_dump_json()))
        if not keys <= seen:
            kept.append(arm)
            seen |= keys
    return tuple(kept)


def rehearse(
    arms: Sequence[Arm],
    samples: Mapping[str, Sample],
    device: str,
    threads: int,
    link: object = None,  # noqa: ARG001 - an executor gives every call a link
) -> tuple[Remark, ...]:
    """What is wrong with the components of the arms; `samples` stand by their data sets as JSON."""
    prepare(device, threads)
    stage = _Stage(device)
    for arm in arms:
        _try_arm(stage, arm, samples[arm.settings.dataset.model_dump_json()])
    return tuple(stage.remarks)


def rehearse_metrics(
    metrics: Sequence[Part],
    numbers_of_classes: Sequence[int],
    link: object = None,  # noqa: ARG001 - an executor gives every call a link
) -> tuple[Remark, ...]:
    """What is wrong with the metrics, on probabilities that are drawn and on the uniform guess."""
    remarks = []
    for at, part in enumerate(metrics):
        try:
            for num_classes in numbers_of_classes:
                _measured(part, num_classes)
        except Exception as error:  # noqa: BLE001 - whatever it is, each trial would end by it
            if not failure_of(error).is_accident:
                remarks.append(Remark(levels={}, path=("metrics", at), message=_reason("metric", part, error)))
    return tuple(remarks)


def _measured(part: Part, num_classes: int) -> None:
    measures = {part.name: components.load("metric", part.name)(**part.choices)}
    labels = torch.arange(max(IMAGES, 4 * num_classes)) % num_classes
    stream = torch.Generator().manual_seed(seed_of(0, "rehearsal"))
    drawn = torch.randn(len(labels), num_classes, generator=stream).softmax(1)
    measured(uniform_guess(num_classes), drawn, labels, measures)
    measured_guess(labels, num_classes, measures)


@dataclass(frozen=True, slots=True)
class _Named:
    """A component where an arm names it."""

    arm: Arm
    kind: Kind
    path: tuple[str, ...]
    part: Part

    def remark(self, message: str, *, refuses: bool = True) -> Remark:
        return Remark(levels=self.arm.levels, path=self.path, message=message, refuses=refuses)


@dataclass(slots=True)
class _Stage:
    """What was tried so far, with what came of it: None where it failed."""

    device: str
    tried: dict[tuple[object, ...], object] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def once(self, named: _Named, given: tuple[object, ...], call: Callable[[], Result]) -> Result | None:
        """What the call gives, made once for each component and what it is `given`."""
        key = (named.kind, named.part.model_dump_json(), *given)
        if key not in self.tried:
            self.tried[key] = None
            try:
                self.tried[key] = call()
            except Exception as error:  # noqa: BLE001 - whatever it is, each trial of the arm would end by it
                if not failure_of(error).is_accident:
                    self.remarks.append(named.remark(_reason(named.kind, named.part, error)))
        return self.tried[key]  # type: ignore[return-value]  # what was kept under this key came from such a call


def _reason(kind: Kind, part: Part, error: Exception) -> str:
    if isinstance(error, AblationError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = components.own_place(error, [part]) or f"{last.filename}:{last.lineno}"
    what = f"{type(error).__name__}: {error} ({place})"
    return f"the {kind} {part.name} fails on the first images: {what}"


def _try_arm(stage: _Stage, arm: Arm, sample: Sample) -> None:
    settings, recipe, data = arm.settings, arm.settings.recipe, arm.settings.dataset.model_dump_json()
    images = torch.from_numpy(sample.images).to(stage.device)
    labels = torch.from_numpy(sample.labels).to(stage.device).long()
    targets = functional.one_hot(labels, sample.num_classes).float()
    seen, before = to_float(images), [data]
    for part in settings.preprocessing:
        named = _Named(arm, "preprocessing", ("preprocessing", part.name), part)
        after = stage.once(named, tuple(before), partial(_fitted, part, images, seen))
        if after is not None:  # else the model is tried without this step
            seen = after
            before.append(part.model_dump_json())
    for part in settings.augmentations:
        named = _Named(arm, "augmentation", ("augmentations", part.name), part)
        stage.once(named, (data,), partial(_augmented, stage, named, images, targets))
    named = _Named(arm, "model", ("model",), settings.model)
    given = (tuple(seen.shape[1:]), sample.num_classes)
    sound = stage.once(named, given, partial(_classified, settings.model, seen[:2], sample.num_classes))
    named = _Named(arm, "optimizer", ("recipe", "optimizer"), recipe.optimizer)
    sound = stage.once(named, (), partial(_stepped, recipe, stage.device)) and sound
    named = _Named(arm, "schedule", ("recipe", "schedule"), recipe.schedule)
    sound = stage.once(named, (), partial(_followed, recipe.schedule)) and sound
    if recipe.trainer is not None and sound and len(before) == 1 + len(settings.preprocessing):
        named = _Named(arm, "trainer", ("recipe", "trainer"), recipe.trainer)
        stage.once(named, (), partial(_trained, stage, named, images, sample))


def _fitted(part: Part, images: Tensor, seen: Tensor) -> Tensor:
    """What a step makes of floats, fitted to the images, or to these floats."""
    step: Fit = components.load("preprocessing", part.name)(**part.choices)
    return (step.fit([seen]) if isinstance(step, Following) else step(images))(seen)


def _augmented(stage: _Stage, named: _Named, images: Tensor, targets: Tensor) -> None:
    augment = components.load("augmentation", named.part.name)(**named.part.choices)
    changed = False
    for draw in range(_DRAWS):
        stream = torch.Generator().manual_seed(seed_of(0, "rehearsal", draw))
        after, wanted = augment(images, targets, stream)
        changed = changed or not (torch.equal(after, images) and torch.equal(wanted, targets))
    if not changed:
        message = f"{named.part.name} changed none of the first {len(images)} images: so it may not matter."
        stage.remarks.append(named.remark(message, refuses=False))


def _classified(part: Part, seen: Tensor, num_classes: int) -> bool:
    device = seen.device.type
    with forked_generator(device, seed_of(0, "rehearsal")):
        model: nn.Module = components.load("model", part.name)(num_classes, seen.shape[1], **part.choices)
        model.to(device).to(memory_format=torch.channels_last).eval()
        with torch.inference_mode():
            check_output(model(seen), len(seen), num_classes)
    return True


def _stepped(recipe: Recipe, device: str) -> bool:
    """Make one step with the optimizer, on a layer of its own."""
    with forked_generator(device, seed_of(0, "rehearsal")):
        layer = nn.Linear(2, 2).to(device)
        build = components.load("optimizer", recipe.optimizer.name)
        optimizer: torch.optim.Optimizer = build(layer.parameters(), recipe.learning_rate, **recipe.optimizer.choices)
        layer(torch.ones(2, 2, device=device)).sum().backward()
        optimizer.step()
    return True


def _followed(part: Part) -> bool:
    """Ask a schedule for the beginning, the middle and the end."""
    factor = components.load("schedule", part.name)(**part.choices)
    for progress in (0.0, 0.5, 1.0):
        if not math.isfinite(factor(progress)):
            raise InputError(f"the schedule {part.name} gives no finite factor after {progress:.0%} of all steps.")
    return True


@dataclass(slots=True)
class _Follower:
    """Watches a training of one epoch, and counts what it is told."""

    epochs: int = 0

    def begin(self) -> Checkpoint | None:
        return None

    def stepped(self, take: Take) -> bool:  # noqa: ARG002 - no checkpoint is wanted within an epoch
        return False

    def ended_epoch(self, epoch: Epoch, take: Take) -> Answer:  # noqa: ARG002 - that there was one is all
        self.epochs += 1
        take()
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:  # noqa: ARG002 - nothing went before
        return "proceed"


def _trained(stage: _Stage, named: _Named, images: Tensor, sample: Sample) -> None:
    """Train for an epoch of a few images by a trainer of somebody's own."""
    settings = named.arm.settings
    recipe = settings.recipe.model_copy(update={"epochs": 1, "batch_size": _BATCH, "precision": "float32"})
    labels = torch.from_numpy(sample.labels[:_TRAINED]).to(stage.device).long()
    few = DeviceImages(labels, images[:_TRAINED])
    with forked_generator(stage.device, seed_of(0, "rehearsal")):
        fits = [components.load("preprocessing", part.name)(**part.choices) for part in settings.preprocessing]
        transform = chained(fitted(fits, few, stage.device))
        model: nn.Module = components.load("model", settings.model.name)(
            sample.num_classes, images.shape[1], **settings.model.choices
        )
        model.to(stage.device).to(memory_format=torch.channels_last)
        data, watch = BlockData(few, few, None, sample.num_classes, transform), _Follower()
        trainer_of(recipe)(ingredients_of(settings, model, 1), data, recipe, 0, watch)
    if watch.epochs != 1:
        message = (
            f"the trainer {named.part.name} told its watch of {watch.epochs} epochs where one was trained: curves, "
            "pruning, and stops between epochs need `watch.ended_epoch` after each."
        )
        stage.remarks.append(named.remark(message, refuses=False))
