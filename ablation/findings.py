"""What an analysis says: effects with intervals, and the verdicts that may be drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ablation.settings import Frozen

Metric = str
"""`accuracy`, `loss`, or of a table the name of a column."""

FromZero = Literal["helps", "hurts", "above the sum", "below the sum"]
"""The interval excludes zero. An interaction is then above or below the sum of its changes: neither good nor bad."""

Verdict = Literal[FromZero, "equivalent", "inconclusive", "provisional", "withheld", "not tested"]
"""provisional: the plan is not complete yet; withheld: a main effect depends on another factor; not tested: fewer than
two shared seed blocks, or no spread between them, allow no verdict."""

Kind = Literal["main", "interaction", "simple"]

_ROMAN = ("0", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
_MOST_WORDS = 7


class Ratio(Frozen):
    """A ratio with its own 95 % interval, not adjusted for the other contrasts."""

    value: float
    low: float
    high: float


class Parameters(Frozen):
    """The model's parameters at the level and at the reference: counted, not estimated.

    Where a contrast reads several arms, their mean.
    """

    level: float
    reference: float


class OtherEffect(Frozen):
    """The same contrast on the metric that the study was not declared for, with no verdict of its own.

    Units and bounds are those of a finding. The contrasts on this metric are a family of their own, estimated by the
    same rule.
    """

    metric: str
    effect: float
    low: float | None = None
    high: float | None = None
    p_adjusted: float | None = None
    seed_blocks: int
    method: str
    """How it was corrected, empty without an interval."""


class MeanScore(Frozen):
    """Over the seed blocks of an arm; a single one has no standard deviation."""

    mean: float | None
    sd: float | None


class ClassEffect(Frozen):
    """The same contrast on the recall of one class, over the seed blocks; complete trials only.

    `low` and `high` bound its 95 % interval and `p_adjusted` is its p, both from a paired t with Bonferroni's
    correction over the classes of this contrast.
    """

    name: str
    effect: float | None
    """A fraction of the images of the class; None where no shared seed block has an image of it."""
    low: float | None = None
    high: float | None = None
    p_adjusted: float | None = None
    seed_blocks: int

    @property
    def survives(self) -> bool:
        """Whether the corrected interval excludes zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


class ImageEffect(Frozen):
    """The same contrast over the test images, with the trained models held fixed: the images are the sample.

    Each image has one value, the difference of mean correctness over the shared seed blocks.
    """

    images: int
    seed_blocks: int
    """Blocks in which every arm that is read has predictions."""
    effect: float
    """The mean over images: a difference of accuracy, as a fraction, whatever the study's metric is."""
    standard_error: float
    """Over images."""
    low: float
    """Of the 95 % interval over images, not adjusted for other contrasts."""
    high: float
    gained: int
    """Images with a value above zero: right more often at the level."""
    lost: int


class Aliasing(Frozen):
    """What a fraction of the two-level factorial cannot tell apart; interactions of three or more factors are left out.

    Signs hold where a factor counts -1 at its reference and +1 at its other level.
    """

    resolution: int
    arms: int
    combinations: int
    """Arms of the full factorial."""
    defining_relation: tuple[str, ...]
    """Effects that are constant over the arms, the shortest first: `-crop × flip × normalize`."""
    aliases: tuple[tuple[str, ...], ...]
    """Effects that agree in every arm: `crop` and `-flip × normalize`."""

    @property
    def summary(self) -> str:
        """How much of the factorial is run: `16 of 64 combinations, resolution IV.`."""
        return f"{self.arms} of {self.combinations:,} combinations, resolution {_ROMAN[self.resolution]}."

    @property
    def relation(self) -> str:
        """The defining relation, `I = ...`, its longer words counted where they are many."""
        listed, left = self.defining_relation[:_MOST_WORDS], len(self.defining_relation) - _MOST_WORDS
        return " = ".join(["I", *listed]) + (f", and {left:,} more" if left > 0 else "")


def reservation(aliases: Sequence[str]) -> str:
    """What a main effect is less by, in a fraction that mixes it with interactions: `, less half of crop × flip`."""
    return f", less half of {' and of '.join(aliases)}" if aliases else ""


class Finding(Frozen):
    """One contrast of a level against its reference, or one interaction.

    `effect` is level minus reference in the metric's own unit (accuracy as a fraction, loss in nats), None where no
    seed block has both; `low` and `high` bound its simultaneous 95 % interval; `p_adjusted` comes from the same
    distribution as the interval, `p_holm` is printed as an extra.
    """

    kind: Kind
    factor: str
    level: str
    reference: str
    metric: str
    effect: float | None
    low: float | None = None
    high: float | None = None
    equivalence_low: float | None = None
    """Of the 90 % interval that decides `equivalent`, corrected one-sidedly; `equivalence_high` is its other end."""
    equivalence_high: float | None = None
    p_adjusted: float | None = None
    p_holm: float | None = None
    p_sign_flip: float | None = None
    """A check without a model, not adjusted: how often random signs of the blocks' differences give such a mean."""
    seed_blocks: int
    """Blocks that have both arms."""
    verdict: Verdict
    sentence: str
    aliases: tuple[str, ...] = ()
    """Interactions that the arms of a fraction cannot tell from this effect: a main effect is less half of each, a sum
    of interactions, named so by `factor`, has no level of its own."""
    arm: str = ""
    """The arm that the contrast reads, empty where it reads several (a factorial's effects)."""
    reference_arm: str = ""
    seconds: Ratio | None = None
    """Training time at the level over that at the reference, within seed blocks whose trials ran alike."""
    time_note: str = ""
    """What the trials did not share, so that their times are not comparable."""
    parameters: Parameters | None = None
    """None of an interaction, and where they were not counted."""
    other: OtherEffect | None = None
    """The effect on loss where the metric is accuracy, else on accuracy."""
    others: tuple[OtherEffect, ...] = Field(default=(), exclude_if=lambda others: not others)
    """The effects on all else that a study with `metrics` measures."""
    images: ImageEffect | None = None
    """None where no seed block has predictions of all arms on the same images."""
    classes: tuple[ClassEffect, ...] = ()
    """In the order of the class numbers; empty without confusion matrices, and of a main effect that is withheld."""
    more_blocks: int | None = None
    """Of an inconclusive finding: about how many more seed blocks give 80 % power for the effect seen, or for a
    margin above it, judged as an extended plan is; None if that is more than anyone would train, and of a growing
    plan, which goes no further."""
    new_plan_blocks: int | None = None
    """Of an inconclusive finding at the end of a growing plan: of how many seed blocks a new, fixed plan would be."""
    rests_on_diverged: bool = False

    @property
    def label(self) -> str:
        """The whole contrast: `crop: without instead of with`; of a sum of interactions, all of them."""
        return f"{self.factor}: {self.level} instead of {self.against}" if self.level else self.factor

    @property
    def against(self) -> str:
        """The reference, and the interactions that a fraction mixes with a main effect."""
        return self.reference + reservation(self.aliases) if self.level else ""


class ArmSummary(Frozen):
    """One row of the arms table: means over the seed blocks, each with its n."""

    arm: str
    levels: dict[str, str]
    baseline: bool
    seed_blocks: int
    accuracy: float | None
    accuracy_sd: float | None
    loss: float | None
    loss_sd: float | None
    seconds: float | None
    """The median, since the first trial of a worker also warms it up; as the memory, of comparable trials alone."""
    parameters: int | None
    outcomes: dict[str, int]
    """How many trials of each status."""
    peak_memory: float | None = None
    """Bytes of the device, or of the process on a CPU; the median."""
    score: float | None = None
    """Of the metric where that is neither accuracy nor loss."""
    score_sd: float | None = None
    others: dict[str, MeanScore] = Field(default_factory=dict, exclude_if=lambda others: not others)
    """On the other metrics that a study with `metrics` measures."""

    def on(self, metric: str) -> tuple[float | None, float | None]:
        """Mean and standard deviation of a metric: accuracy, loss, another one, or else the one that was analysed."""
        known = {"accuracy": (self.accuracy, self.accuracy_sd), "loss": (self.loss, self.loss_sd)}
        known |= {name: (score.mean, score.sd) for name, score in self.others.items()}
        return known.get(metric, (self.score, self.score_sd))


class LevelOutcomes(Frozen):
    """How the trials at one level of a factor ended; a range of a search counts in two halves."""

    factor: str
    level: str
    outcomes: dict[str, int]
    """How many trials of each status."""

    @property
    def ended(self) -> int:
        """Trials with an outcome."""
        return sum(self.outcomes.values())


INCOMPLETE = ("pruned", "failed", "diverged")
"""Outcomes that are listed by level, where there are any."""


class Analysis(Frozen):
    """All that the report says in numbers and sentences."""

    metric: str
    """accuracy or loss; of anybody's table the name of any column."""
    margin: float
    provisional: bool
    planned_blocks: int
    findings: tuple[Finding, ...]
    arms: tuple[ArmSummary, ...]
    levels: tuple[LevelOutcomes, ...] = ()
    """For each factor its levels: how often trials end without a score, or diverge, must not depend on them."""
    cost_note: str = ""
    """Whose times and memory are not comparable with those of the other arms and trials, and why."""
    method: str
    """In words: which model, which error, which correction, and why this way was taken."""
    notes: tuple[str, ...] = ()
    """Warnings a reader must see: too few blocks for significance, diverged trials, arms of unlike initialisation."""
    aliasing: Aliasing | None = None
    """Of a fraction: what its arms cannot tell apart."""
    correlation: float | None = None
    """Estimated correlation between arms over seed blocks: what pairing gained."""
    variance_ratio: float | None = None
    """Largest over smallest variance of the arms' block-centred residuals."""
    residual_sd: float | None = None
    higher_is_better: bool | None = None
    """Of a metric that is neither accuracy nor loss; the good of those is known."""

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """What pairing gained and how unlike the arms' errors are, in words, as far as it is known."""
        known = {
            "Estimated correlation between arms over seed blocks": self.correlation,
            "Largest over smallest residual variance of the arms": self.variance_ratio,
        }
        return tuple(f"{name}: {value:.2f}." for name, value in known.items() if value is not None)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The outcomes other than complete that any trial had."""
        return tuple(status for status in INCOMPLETE if any(one.outcomes.get(status) for one in self.levels))
