"""`--fail-on-regression`: whether B falls short of A by a threshold, with the evidence that it takes to say so.

Two trials of one seed block are judged too, over images: no word of it says more than lower or higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scipy import stats

from ablation.analysis.amounts import LARGEST, parse_amount
from ablation.analysis.compared import Compared, Regression
from ablation.analysis.estimates import LEVEL, Interval
from ablation.analysis.sentences import UNITS
from ablation.errors import InputError
from ablation.findings import ImageEffect, Metric
from ablation.wording import shown


@dataclass(frozen=True, slots=True)
class Threshold:
    """How far B may fall short of A, in the metric's own unit: accuracy as a fraction, loss in nats."""

    metric: Metric
    size: float


def parse_threshold(text: str) -> Threshold:
    """`0.5pp` of accuracy, or `0.02nats` of loss.

    Raises:
        InputError: it is no such thing.
    """
    found = parse_amount(text)
    if found is None:
        raise InputError(
            f"--fail-on-regression {shown(text)}: give a number and its unit, 0.5pp for half a percentage point of "
            "accuracy or 0.02nats for loss; 0pp is any regression that is told from zero."
        )
    if found[1] > LARGEST[found[0]]:
        raise InputError(f"--fail-on-regression {shown(text)}: no difference is that large.")
    return Threshold(*found)


def judge(compared: Compared, threshold: Threshold) -> Regression:
    """The evidence for and against a regression of this size, at 95 % confidence each way.

    Over the seed blocks; for two trials over the images, which says what these two models would do on others.

    Raises:
        InputError: there is nothing to judge it by.
    """
    measured = compared.accuracy if threshold.metric == "accuracy" else compared.loss
    evidence: Literal["seed blocks", "images"] = "seed blocks"
    effect, bounds = measured.effect, _bounds(measured.at_least, measured.at_most)
    if compared.a.trial is not None and threshold.metric == "accuracy" and compared.images is not None:
        evidence, effect, bounds = "images", compared.images.effect, _over_images(compared.images)
    if bounds is None:
        raise InputError(_nothing_to_judge_by(compared, threshold.metric))
    shortfall, at_least, at_most = -effect, -bounds.high, -bounds.low
    if UNITS[threshold.metric].good < 0:
        shortfall, at_least, at_most = effect, bounds.low, bounds.high
    falls_short = at_least > 0 and at_least >= threshold.size
    holds_up = at_most <= 0 or at_most < threshold.size
    return Regression(
        metric=threshold.metric,
        threshold=threshold.size,
        shortfall=shortfall,
        at_least=at_least,
        at_most=at_most,
        evidence=evidence,
        state="regression" if falls_short else "none" if holds_up else "undecided",
    )


def regression_text(found: Regression) -> str:
    """The judgement in words, with the numbers that it rests on."""
    unit = UNITS[found.metric]

    def amount(value: float) -> str:
        return f"{value * unit.factor:z.{unit.digits}f} {unit.name}"

    way = "lower" if unit.good > 0 else "higher"
    size, it = f"{way} by at least {amount(found.threshold)}" if found.threshold else way, f"the {found.metric} of B is"
    what = {
        "regression": f"regression: {it} {size}",
        "none": f"no regression: {it} not {size}",
        "undecided": f"undecided: these {found.evidence} neither show nor exclude that {it} {size}",
    }[found.state]
    return (
        f"{what}. It is {way} by {amount(found.shortfall)}; one-sided 95 % bounds over the {found.evidence} "
        f"{amount(found.at_least)} and {amount(found.at_most)}."
    )


def _bounds(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high)


def _over_images(images: ImageEffect) -> Interval:
    reach = float(stats.t.ppf(LEVEL, images.images - 1)) * images.standard_error
    return Interval(images.effect - reach, images.effect + reach)


def _nothing_to_judge_by(compared: Compared, metric: Metric) -> str:
    if compared.a.trial is not None:
        reason = compared.images_note or "the seed block says nothing of other seeds, and the images nothing of loss"
        return f"--fail-on-regression needs more than these two trials: {reason}. Compare their arms, or give pp."
    blocks = len(compared.b.seed_blocks)
    if compared.looked_at:
        return (
            "--fail-on-regression: seed blocks were added with scores in sight, which takes a rule that holds however "
            f"often one looks, and with {len(compared.a.seed_blocks)} of A and {blocks} of B "
            f"{'' if compared.paired else 'that are not shared '}it decides nothing yet. Give both sides more seed "
            "blocks, the same ones, or run both anew as fixed plans with --fork."
        )
    return (
        f"--fail-on-regression needs at least two seed blocks on both sides, and {metric} was measured in "
        f"{len(compared.a.seed_blocks)} of A and {blocks} of B that can be compared. Add seed blocks."
    )
