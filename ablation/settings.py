"""What one trial is trained with: the components by name, and the recipe. Knows no component and loads no torch."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Choice = None | bool | int | float | str | list[Any] | dict[str, Any]
"""A value as JSON knows it; what a component's own signature makes of it, `ablation.components` checks."""

Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Portion = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Pixels = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]
Byte = Annotated[int, Field(ge=0, le=255)]
HalfTurn = Annotated[float, Field(ge=0, le=0.5, description="share of a full turn of the colour circle")]

Interpolation = Literal["nearest", "bilinear"]


class Frozen(BaseModel):
    """A value that cannot change and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Part(Frozen):
    """One component by its name, with its choices: `{name: resnet, depth: 18}` in a study file."""

    name: str
    choices: dict[str, Choice] = {}


class MetricPart(Part):
    """A metric beside accuracy and loss, with what its component says of it."""

    higher_is_better: bool


def _is_off(value: object) -> bool:
    return not value


def _is_on(value: object) -> bool:
    return bool(value)


class Recipe(Frozen):
    """How the model is trained.

    Keys with `exclude_if` came later: at their defaults no study or trial is another.
    """

    epochs: Annotated[int, Field(ge=1, description="passes over the training split")] = 16
    batch_size: Annotated[int, Field(ge=2, description="images a step")] = 128
    optimizer: Annotated[Part, Field(description="with its own choices, such as momentum and weight decay")] = Part(
        name="sgd"
    )
    learning_rate: Annotated[Positive, Field(description="the peak of the schedule")] = 0.1
    schedule: Annotated[Part, Field(description="the factor on the learning rate at each step")] = Part(
        name="one_cycle"
    )
    label_smoothing: Annotated[Fraction, Field(description="share of the target that is spread over all classes")] = 0.0
    decay_biases: Annotated[
        bool,
        Field(
            exclude_if=_is_on, description="whether weight decay also shrinks biases and the scales of normalisation"
        ),
    ] = True
    gradient_clip: Annotated[
        NotNegative,
        Field(
            exclude_if=_is_off,
            description="greatest Euclidean norm of a step's gradient, all parameters together; 0 clips nothing",
        ),
    ] = 0.0
    weight_average: Annotated[
        Fraction,
        Field(
            exclude_if=_is_off,
            description="an exponential average of the weights is scored in their place, which keeps this share of "
            "itself at a step, less in the first; 0: none",
        ),
    ] = 0.0
    swa: Annotated[
        Fraction,
        Field(
            exclude_if=_is_off,
            description="stochastic weight averaging: the average of the weights after each of the last epochs, this "
            "share of all, is scored in their place; 0: none",
        ),
    ] = 0.0
    mirrored_scoring: Annotated[
        bool,
        Field(
            exclude_if=_is_off,
            description="validation and test scores are of the mean of the logits of an image and its mirror image",
        ),
    ] = False
    trainer: Annotated[
        Part | None,
        Field(exclude_if=_is_off, description="a training function of your own in the place of the shared one"),
    ] = None
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Field(
            description="`auto`: bfloat16 where the hardware multiplies in it by itself, decided when the study begins"
        ),
    ] = "auto"

    @model_validator(mode="after")
    def _one_average(self) -> Self:
        if self.weight_average and self.swa:
            raise PydanticCustomError("two_averages", "weight_average and swa both average the weights; keep one")
        return self


class Settings(Frozen):
    """One arm, resolved: everything about a trial but its seed block and the machine."""

    dataset: Annotated[Part, Field(description="the images")]
    model: Annotated[Part, Field(description="the net")]
    preprocessing: Annotated[tuple[Part, ...], Field(description="what is done to every image, in this order")] = ()
    augmentations: Annotated[tuple[Part, ...], Field(description="what is done to training images, in this order")] = ()
    recipe: Annotated[Recipe, Field(description="how the model is trained")] = Recipe()

    def parts(self) -> tuple[Part, ...]:
        """Every component that is named."""
        recipe = (self.recipe.optimizer, self.recipe.schedule, self.recipe.trainer)
        steps = (*self.preprocessing, *self.augmentations)
        return (self.dataset, self.model, *steps, *(part for part in recipe if part is not None))

    def signature(self) -> str:
        """Twelve hexadecimal digits that are equal exactly when the settings are."""
        return digest(self.model_dump(mode="json"))[:12]


def digest(value: object) -> str:
    """The sha256 of a JSON value in one canonical form, so that it is the same on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
