"""What `ablate compare` says of two arms or trials, A and B. Every difference is B minus A."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ablation.analysis.images import McNemar
from ablation.findings import ClassEffect, ImageEffect, Parameters, Ratio
from ablation.settings import Frozen


class ComparedSide(Frozen):
    """One of the two."""

    label: str
    """What tells it from the other: an arm, a study with an arm, or a trial."""
    study: str
    folder: str
    arm: str
    trial: str | None
    seed_blocks: tuple[int, ...]
    """Those that the comparison reads."""
    accuracy: float
    """Mean over these seed blocks, as is the loss."""
    loss: float
    seconds: float | None
    """The median of the complete trials among them, as are the next two."""
    images_per_second: float | None = None
    peak_memory: float | None = None
    """Bytes of the device, or of the process on a CPU."""
    parameters: int | None
    circumstances: tuple[str, ...] = ()
    """What these trials ran under: all that their cost hangs on beside the arm."""


class MetricDifference(Frozen):
    """B minus A: a fraction of accuracy, or nats. Without `low` there are too few seed blocks, or no spread."""

    effect: float
    low: float | None = None
    """Of the 95 % interval of this one comparison."""
    high: float | None = None
    p: float | None = None
    at_least: float | None = None
    """One-sided: with 95 % confidence the difference is above this. `at_most` is the same from above."""
    at_most: float | None = None


class TakenFor(Frozen):
    """What A and B take an image for: where there are several seed blocks, the classes that are the most frequent."""

    image: int
    """Its number in the test images as the data set gives them, from 0; of a validation split, the one in it."""
    true: str
    a: str
    b: str
    a_right: float
    """The share of the seed blocks in which A is right."""
    b_right: float


class Regression(Frozen):
    """Whether B falls short of A by a threshold, with one-sided 95 % bounds of how far it does."""

    metric: Literal["accuracy", "loss"]
    threshold: float
    shortfall: float
    """The estimate: positive where B has less accuracy, or more loss, in the unit of the metric."""
    at_least: float
    at_most: float
    evidence: Literal["seed blocks", "images"]
    """What the bounds are taken over: images for two trials, which share one seed block at most."""
    state: Literal["regression", "none", "undecided"]
    """regression: `at_least` reaches the threshold; none: `at_most` stays below it."""


class Compared(Frozen):
    """Everything that is said of A and B."""

    a: ComparedSide
    b: ComparedSide
    split: Literal["validation", "test"]
    metric: str
    """The one that the studies were declared for."""
    paired: bool
    """Whether both ran in the seed blocks that are read."""
    method: str
    sentence: str
    accuracy: MetricDifference
    loss: MetricDifference
    score: MetricDifference | None = Field(default=None, exclude_if=lambda score: score is None)
    """Of the metric that the studies were declared for, where that is neither."""
    seconds: Ratio | None
    """Training time of B over that of A, within the seed blocks in which both ran alike; so are the next two."""
    images_per_second: Ratio | None = None
    peak_memory: Ratio | None = None
    cost_note: str
    """Why there are no such ratios, or not of all seed blocks."""
    parameters: Parameters | None
    """`level` is that of B, `reference` that of A."""
    looked_at: bool
    """Whether seed blocks were added with scores in sight, so that the interval is anytime-valid, if there is one."""
    classes: tuple[ClassEffect, ...]
    images: ImageEffect | None
    images_note: str
    """Why there is no difference over images."""
    mcnemar: McNemar | None
    """Of two trials; `first` is A."""
    disagreements: tuple[TakenFor, ...]
    """Those first whose shares differ most."""
    both_wrong: tuple[TakenFor, ...] = ()
    """Images that no trial of either side gets right, those first whose trials agree most in what they say instead."""
    differences: tuple[str, ...]
    """Settings and circumstances that are not the same, before and after."""
    notes: tuple[str, ...]
    regression: Regression | None = None
