"""What a study is: the values a checked study file gives. Reading and checking the file is `ablation.study_file`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag

from ablation.settings import Frozen, MetricPart, Positive, Settings, digest

Patch = dict[str, Any]
"""What a level changes: dotted keys of the study file (`augmentations.crop`) to their new values; null removes."""

Condition = dict[str, str | list[str]]
"""For each named factor, the level or levels at which the factor with this condition takes part."""

When = Annotated[
    Condition,
    Field(
        default_factory=dict,
        description="other factors with the level, or list of levels, at which this one takes part",
    ),
]

MAX_NAME = 80
FOLDER_RULE = f"at most {MAX_NAME} letters, digits, `_`, `-` and `.`, a letter or digit first and no `.` last"

_FOLDER_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}(?<!\.)")


def names_folder(name: str) -> bool:
    """Whether a study or a scale may be called this: its name becomes that of a folder, on any system."""
    return _FOLDER_NAME.fullmatch(name) is not None


class LevelsFactor(Frozen):
    """A factor with named levels; the first one is the reference."""

    levels: Annotated[dict[str, Patch], Field(min_length=2, description="levels by name, the first the reference")]
    when: When

    @property
    def reference(self) -> str:
        """The name of the first level."""
        return next(iter(self.levels))


class RangeFactor(Frozen):
    """A number that a search draws between two bounds, both included."""

    sets: Annotated[str, Field(description="the dotted key that the number is put at")]
    range: Annotated[list[float], Field(min_length=2, max_length=2, description="its two bounds, both included")]
    scale: Annotated[Literal["linear", "log"], Field(description="how it is drawn")] = "linear"
    integer: Annotated[bool, Field(description="whether it is a whole number")] = False
    when: When


Factor = LevelsFactor | RangeFactor


class OneFactor(Frozen):
    """The baseline, and for each other level of each factor the baseline with that level."""

    kind: Literal["one-factor"] = "one-factor"


class LeaveOneOut(Frozen):
    """One-factor where every other level removes something: what does the recipe lose without it?"""

    kind: Literal["leave-one-out"] = "leave-one-out"


class Factorial(Frozen):
    """Every combination of levels: main effects and interactions."""

    kind: Literal["factorial"] = "factorial"


class Fractional(Frozen):
    """A part of the two-level factorial: at resolution 5 main effects and two-way interactions, below that a screen."""

    kind: Literal["fractional"] = "fractional"
    resolution: Annotated[
        Literal[3, 4, 5],
        Field(
            description="5: main effects and two-way interactions are all told apart; 4: two-way interactions are not, "
            "from each other; 3: nor are main effects, from two-way interactions"
        ),
    ] = 5


class Explicit(Frozen):
    """The baseline and the arms named here, each with the levels that differ from the reference."""

    kind: Literal["explicit"] = "explicit"
    arms: Annotated[dict[str, dict[str, str]], Field(min_length=1)]


class Search(Frozen):
    """Optuna draws the arms; validation scores only, and no findings: a short list to be confirmed."""

    kind: Literal["search"] = "search"
    trials: Annotated[int, Field(ge=1, description="how many")] = 50
    sampler: Annotated[
        str, Field(description="`tpe`, `random`, or the dotted name of an Optuna sampler class that takes a seed")
    ] = "tpe"
    pruner: Annotated[
        Literal["none", "median", "successive-halving", "hyperband"],
        Field(description="ends trials early by their validation scores"),
    ] = "none"


Design = Annotated[OneFactor | LeaveOneOut | Factorial | Fractional | Explicit | Search, Field(discriminator="kind")]


class Growing(Frozen):
    """Seed blocks are added one at a time for the contrasts that are still open, under an error rate for all looks."""

    start: Annotated[int, Field(ge=2, le=10_000, description="seed blocks that every arm runs before the first look")]
    max: Annotated[int, Field(ge=3, le=10_000, description="seed blocks that no arm goes beyond")]
    until: Annotated[Literal["decided"], Field(description="blocks are added until each contrast is decided")] = (
        "decided"
    )


def _form_of_seeds(value: object) -> str:
    return "growing" if isinstance(value, dict | Growing) else "number"


Seeds = Annotated[
    Annotated[int, Field(ge=1, le=10_000), Tag("number")] | Annotated[Growing, Tag("growing")],
    Discriminator(_form_of_seeds),
]
"""A number of seed blocks that is fixed beforehand, or a rule that adds them."""


DeviceKind = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceKind, ...] = get_args(DeviceKind)


class ExecutionPlan(Frozen):
    """How trials run.

    The device kind, the precision and the threads are fixed when the study begins.
    """

    device: Annotated[DeviceKind, Field(description="resolved when the study begins")] = "auto"
    threads: Annotated[int, Field(ge=1, description="CPU threads a trial; part of the result")] = 1
    checkpoint_seconds: Annotated[
        Positive,
        Field(
            description="a checkpoint is written so often within an epoch, and at the end of each epoch that ends a "
            "second or more after the last one"
        ),
    ] = 60.0
    hang_seconds: Annotated[
        Positive,
        Field(description="a trial that makes no step for so long is ended, its stack in `log.txt`, and tried again"),
    ] = 600.0
    keep: Annotated[
        Literal["best-per-arm", "all", "none"], Field(description="whose final weights stay, by validation accuracy")
    ] = "best-per-arm"


DECIDING_EXECUTION = ("device", "threads")
"""The keys of `execution` that are part of a result."""


class Tracking(Frozen):
    """What goes to MLflow beside parameters, metrics and small artifacts."""

    models: Annotated[
        Literal["best", "all", "none"], Field(description="whose models are logged once the study is complete")
    ] = "none"


class Study(Frozen):
    """One question, resolved: scale and overrides applied, defaults filled in."""

    name: str
    scale: str
    question: Annotated[str, Field(min_length=1, pattern=r"\S", description="what the study asks")]
    baseline: Settings
    factors: Annotated[
        dict[str, Factor],
        Field(description="what is varied on purpose: each factor with its levels, the first the reference"),
    ]
    design: Annotated[Design, Field(description="the rule that lists the arms")]
    seeds: Annotated[Seeds, Field(description="how many seed blocks; a search takes them in turn")]
    first_block: int = 0
    """Where the seed blocks begin: a confirmation takes none that its search has seen. Not a key of the study file."""
    metric: Annotated[str, Field(description="what is compared: `accuracy`, `loss` or one of `metrics`")] = "accuracy"
    metrics: tuple[MetricPart, ...] = Field(
        default=(), exclude_if=lambda metrics: not metrics, description="what is measured beside accuracy and loss"
    )
    evaluate_on: Annotated[
        Literal["validation", "test"],
        Field(description="which images the outcome is read on; a search always reads `validation`"),
    ] = "test"
    margin: Annotated[
        Positive,
        Field(
            description="effects inside it count as equivalent, in the metric's own unit; required where `metric` is "
            "one of `metrics`"
        ),
    ]
    execution: Annotated[ExecutionPlan, Field(description="how trials run")] = ExecutionPlan()
    tracking: Annotated[
        Tracking, Field(description="what goes to MLflow beside parameters, metrics and small files")
    ] = Tracking()

    @property
    def higher_is_better(self) -> bool:
        """What is good of the study's metric."""
        known = {"accuracy": True, "loss": False} | {part.name: part.higher_is_better for part in self.metrics}
        return known[self.metric]

    @property
    def folder_name(self) -> str:
        """The run folder under `runs/`: the study's name, and the scale unless it is full."""
        return self.name if self.scale == "full" else f"{self.name}-{self.scale}"

    @property
    def seed_blocks(self) -> range:
        """The planned seed blocks; of a growing plan those that it may come to."""
        count = self.seeds.max if isinstance(self.seeds, Growing) else self.seeds
        return range(self.first_block, self.first_block + count)

    def digest(self) -> str:
        """The sha256 of all that decides results: not the name, the question, slots, paths, tracking or what is kept.

        The order of factors and levels counts: the first level is the reference, and patches are applied in turn.
        """
        data = self.model_dump(mode="json", exclude={"name", "question", "tracking"})
        data["execution"] = {key: data["execution"][key] for key in DECIDING_EXECUTION}
        if not self.first_block:
            del data["first_block"]
        for factor in data["factors"].values():
            if "levels" in factor:
                factor["levels"] = list(factor["levels"].items())
        data["factors"] = list(data["factors"].items())
        return digest(data)


class Change(Frozen):
    """A change that was made to a study after it had begun, as its run folder keeps it."""

    when: str
    """UTC, ISO 8601."""
    declared: str
    """The digest before, over the study as declared."""
    resolved: str
    """The digest before, over the study with what `auto` came to."""
    extended: tuple[str, ...] = ()
    """What was planned in addition, in words."""
    cosmetic: tuple[str, ...] = ()
    """What decides no result, in words."""
    ended: int
    """Trials that had an outcome by then."""
    planned: int
    """Trials of the plan before."""
    seed_blocks: int = 0
    """How many were added."""
    command: str = ""
    """What made the change, where it was not the study file: `extend --seeds +5`."""


def was_extended(changes: Iterable[Change]) -> bool:
    """Whether seed blocks were added after trials had ended, so that their scores may have been the reason."""
    return any(change.seed_blocks and change.ended for change in changes)
