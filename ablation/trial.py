"""Arms, trials and their outcomes: the values that travel between driver, worker, stores and report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ablation.settings import Frozen, MetricPart, Settings
from ablation.visible import visible

_LONGEST_SAID = 4000


def _shown(text: object) -> object:
    """Text that can be stored and shown; what an exception says may hold anything, and megabytes of it."""
    if not isinstance(text, str):
        return text
    shown = visible(text[: _LONGEST_SAID + 1], keep="\n\t")
    return shown if len(shown) <= _LONGEST_SAID else f"{shown[: _LONGEST_SAID - 2]} …"


Said = Annotated[str, BeforeValidator(_shown)]
"""Text that came from somebody's code or files: nothing unseen in it, and no more than a person reads."""

ATTEMPT_MARK = "--- attempt"
"""Begins what each attempt at a trial writes to its log."""

Level = str | int | float
"""A level by its name, or the number drawn from a range."""

Split = Literal["train", "validation", "test"]
Status = Literal["complete", "diverged", "pruned", "failed"]
Answer = Literal["proceed", "prune", "stop"]
Cause = Literal["input", "data", "device", "device memory", "host memory", "timeout", "hang", "killed", "disk", "bug"]
"""Why an attempt at a trial failed. Bugs and bad input or data fail again; the others are accidents."""

ACCIDENTS: frozenset[Cause] = frozenset({"device", "device memory", "host memory", "timeout", "hang", "killed", "disk"})


class Arm(Frozen):
    """One level for every factor. A factor whose condition does not hold has no level in the arm."""

    name: str
    levels: dict[str, Level]
    settings: Settings
    baseline: bool = False


class Trial(Frozen):
    """One arm trained once in one seed block."""

    id: str
    arm: Arm
    block: int
    evaluate_on: Literal["validation", "test"] = "test"
    metrics: tuple[MetricPart, ...] = Field(default=(), exclude_if=lambda metrics: not metrics)
    """What is measured beside accuracy and loss."""
    number: int | None = None
    """The number of the Optuna trial."""


class Scores(Frozen):
    """Mean cross-entropy in nats and accuracy as a fraction, over one split, and what else the study measures."""

    loss: float
    accuracy: float
    others: dict[str, float] = Field(default_factory=dict, exclude_if=lambda others: not others)
    """By the names of the study's `metrics`; of training there are none."""

    def on(self, metric: str) -> float:
        """The score on accuracy, loss, or one of the study's metrics."""
        known = {"accuracy": self.accuracy, "loss": self.loss}
        return known[metric] if metric in known else self.others[metric]


class Epoch(Frozen):
    """One pass over the training split, counted from 1. Training scores are means over its augmented batches."""

    epoch: int
    train: Scores
    validation: Scores
    learning_rate: float
    seconds: float
    images_per_second: float
    gradient_norms: tuple[float | None, ...] = ()
    """Of the weight of each of the outcome's `layers`, at the epoch's last step; None where it is not finite."""


class Cost(Frozen):
    """What a trial took. Memory is the device's peak, or the process's on a CPU."""

    seconds: float
    """From the first step to the last score: reading data and building the model are left out."""
    images_per_second: float
    parameters: int
    peak_memory_bytes: int


class Stamp(Frozen):
    """Where and with what a trial ran."""

    versions: dict[str, str]
    code: dict[str, str] = Field(default_factory=dict)
    """The sum of the source of the package (`ablation`) and of each component that the trial is made of."""
    git_commit: str = ""
    git_dirty: bool = False
    data_fingerprint: str = ""
    device: str = ""
    host: str = ""
    """The name of the machine; empty in outcomes from before it was recorded."""
    threads: int = 1
    precision: str = ""
    pieces: int = 1
    """In how many pieces each batch was computed, for want of the device's memory."""
    compiled: bool = False
    """Whether its steps ran through `torch.compile`, which rounds otherwise."""
    slots: int | None = None
    """How many trials the driver ran side by side at most; None in outcomes from before it was recorded."""
    busy: int | None = None
    """How many of these slots were busy at most times of the training, this trial's among them: a study's last trials
    have the machine for themselves. None as above."""
    started: str = ""
    """UTC, ISO 8601."""

    @property
    def lasting(self) -> Stamp:
        """The stamp without what no two trials need to share: when it ran, and how busy the machine was."""
        return self.model_copy(update={"started": "", "busy": None})

    def same_state(self, other: Stamp) -> bool:
        """Whether both stand for the same code, versions and data."""
        return (self.versions, self.code, self.data_fingerprint) == (
            other.versions,
            other.code,
            other.data_fingerprint,
        )


class Assignment(Frozen):
    """A trial with all that a worker needs to run it. Device kind and threads are part of the result."""

    trial: Trial
    folder: Path
    """Where the trial keeps its files."""
    data_root: Path
    device: str = "cpu"
    threads: int = 1
    keep_weights: bool = True
    checkpoint_seconds: float = 60.0
    hang_seconds: float = 600.0
    """The process is ended, its stack in the log, when no step was made for so long."""
    pieces: int = 1
    """A step's batch is computed in so many pieces, where the device's memory was short."""
    slots: int = 1
    """Trials side by side, which its training time depends on and nothing else."""
    token: str = ""
    """Of this attempt: once the folder holds that of another one, nothing more is written there."""
    package_code: str = ""
    """The sum of the package's source when the driver began; its workers run that."""
    compilations: Path | None = None
    """Where the study keeps which models are compiled, and their code; None where none is."""


class Attempt(Frozen):
    """One try at a trial, one line of `attempts.jsonl` in its folder, written when it has ended."""

    ended: Literal["complete", "stopped", "failed"]
    """stopped: by the driver or from outside, to go on later."""
    cause: Cause | None = None
    reason: Said = ""
    checkpoint: str = ""
    """The newest one that it left: the epoch it stands in, and the steps made in it."""
    counts: bool = False
    """Whether it counts against the two retries: it failed by itself and left no newer checkpoint."""
    when: str = ""
    """UTC, ISO 8601."""


class Outcome(Frozen):
    """What a trial returned. Diverged trials carry the scores of the uniform guess, failed ones carry none."""

    status: Status
    cause: Cause | None = None
    """Why a failed trial failed."""
    reason: Said = ""
    train: Scores | None = None
    validation: Scores | None = None
    test: Scores | None = None
    classes: tuple[Said, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    """Of the split that the study evaluates on: rows are true classes, columns predicted ones, entries images."""
    layers: tuple[Said, ...] = ()
    """The model's layers that have weights, in the order of their declaration."""
    cost: Cost | None = None
    stamp: Stamp | None = None
    earlier_stamps: tuple[Stamp, ...] = ()
    """Of a trial that went on from the checkpoints of other code, versions or data: what those were made with."""
    files: dict[str, str] = Field(default_factory=dict)
    """The sha256 of what was written beside it: predictions, and weights where they are kept."""

    def scores(self, split: Split) -> Scores | None:
        """The scores over one split, None where it was not evaluated."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]


class Record(Frozen):
    """A trial with all that its folder holds of it."""

    trial: Trial
    outcome: Outcome | None = None
    epochs: tuple[Epoch, ...] = ()

    def sha256_of(self, name: str) -> str:
        """What the outcome says of a file beside it, empty where it says nothing."""
        return self.outcome.files.get(name, "") if self.outcome else ""


def uniform_guess(num_classes: int) -> Scores:
    """What guessing evenly scores: accuracy 1/C and loss ln C. A diverged trial counts as this."""
    return Scores(loss=math.log(num_classes), accuracy=1 / num_classes)


def trial_id(arm: Arm, block: int) -> str:
    """The name of a planned trial: equal settings in an equal seed block are one trial."""
    return f"{arm.settings.signature()}-b{block:03d}"


def arm_name(levels: Mapping[str, Level], reference: Mapping[str, Level]) -> str:
    """`baseline`, or the levels that differ from the reference: `crop=without, flip=without`."""
    changed = [f"{factor}={level}" for factor, level in levels.items() if reference.get(factor) != level]
    return ", ".join(changed) or "baseline"
