"""A finding in words. Every sentence carries its interval and its n; a verdict word stands only where one was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ablation.analysis.beside import Beside
from ablation.analysis.contrasts import Contrast
from ablation.analysis.estimates import Estimate, Interval
from ablation.analysis.power import MOST_BLOCKS
from ablation.findings import Metric, Parameters, Ratio, Verdict, reservation

if TYPE_CHECKING:
    from ablation.analysis.results import ResultsTable


@dataclass(frozen=True, slots=True)
class Unit:
    """How differences of a metric are written, and which sign of them is good."""

    factor: float
    name: str
    digits: int
    good: int


class Units(dict[str, Unit]):
    """Those of accuracy and loss; another metric is told as it is, and its table says which sign is good."""

    def __missing__(self, metric: Metric) -> Unit:
        """The unit of a metric that only its table knows."""
        return Unit(1, "units", 4, 0)


UNITS: Mapping[Metric, Unit] = Units({"accuracy": Unit(100, "pp", 2, +1), "loss": Unit(1, "nats", 3, -1)})


def good_sign(table: ResultsTable) -> int:
    """The sign of a change for the better."""
    if table.higher_is_better is None:
        return UNITS[table.metric].good
    return +1 if table.higher_is_better else -1


@dataclass(frozen=True, slots=True)
class Scene:
    """What all sentences of one analysis share."""

    metric: Metric
    margin: float
    planned_blocks: int
    correction: str
    growing: bool = False
    """Whether seed blocks are added until all is decided, up to those that are planned."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A contrast with its estimate and what may be said of it."""

    contrast: Contrast
    estimate: Estimate
    verdict: Verdict
    more_blocks: int | None = None
    new_plan_blocks: int | None = None
    beside: Beside = field(default_factory=Beside)
    diverged: int = 0
    """Diverged trials among those that the contrast reads."""
    withheld_for: tuple[str, ...] = ()
    """Of a main effect: the factors that it depends on."""
    may_depend_on: tuple[str, ...] = ()
    """Of a main effect in a screen: factors that it depends on unless they depend on others."""
    p_sign_flip: float | None = None


def sentence(judged: Judged, scene: Scene) -> str:
    """The finding as `{factor}: {level} instead of {reference} changes {metric} by ... Verdict.`."""
    about = subject(judged.contrast) + ("," if judged.contrast.aliases and judged.contrast.level else "")
    if judged.estimate.effect is None:
        return f"{about}: no seed block has a score of every arm it reads. Not tested."
    if judged.verdict == "withheld":
        return f"{about}: {_verdict_words(judged, scene)}"
    return f"{about} {_change(judged, scene)} ({_evidence(judged, scene)}){_cost(judged)}. {_closing(judged, scene)}"


def subject(contrast: Contrast) -> str:
    """What is changed; of an effect that a fraction mixes with others, all of it."""
    if not contrast.level:
        return contrast.factor
    changed = f"{contrast.factor}: {contrast.level} instead of {contrast.reference}"
    return changed + reservation(contrast.aliases)


def _cost(judged: Judged) -> str:
    """`, at -4 % training time and +12 % parameters`; parameters only where they differ.

    That training time is not known is said, too: of a table without it, and of fewer than two seed blocks; and where
    trials ran under other circumstances, why it is not comparable. An interaction has no two sides.
    """
    beside = judged.beside
    parts = [
        *([] if beside.seconds is None else [time_text(beside.seconds)]),
        *([] if beside.parameters is None else parameters_text(beside.parameters)),
    ]
    known = f", at {' and '.join(parts)}" if parts else ""
    if beside.time_note:
        return f"{known}, training time not comparable: {beside.time_note}"
    silent = beside.seconds is None and judged.contrast.kind != "interaction"
    return known + (", training time not compared" if silent else "")


def time_text(seconds: Ratio) -> str:
    """`-4 % training time`, or that there is no clear difference."""
    return ratio_text(seconds, "training time")


def ratio_text(ratio: Ratio, cost: str, digits: int = 0) -> str:
    """The same of any cost."""
    if ratio.low <= 1 <= ratio.high:
        return f"no clear difference in {cost}"
    return f"{100 * (ratio.value - 1):+z.{digits}f} % {cost}"


def parameters_text(parameters: Parameters) -> list[str]:
    """`+12 % parameters`, in full where that rounds to nothing; empty where the counts are equal."""
    more = parameters.level - parameters.reference
    if not more:
        return []
    share = 100 * more / parameters.reference if parameters.reference else 0.0
    return [f"{share:+.0f} % parameters" if abs(share) >= 1 else f"{more:+,.0f} parameters"]


def difference(value: float, metric: Metric, *, digits: int | None = None) -> str:
    """`+0.31`, in the metric's unit for reading, without the unit."""
    unit = UNITS[metric]
    return f"{value * unit.factor:+z.{unit.digits if digits is None else digits}f}"


def bounds(interval: Interval, metric: Metric) -> str:
    """`[+0.10, +0.52]`, with as many digits as it takes to tell either end from zero."""
    unit, digits = UNITS[metric], UNITS[metric].digits
    ends = [abs(end) * unit.factor for end in (interval.low, interval.high) if end]
    while digits < 6 and any(end < 0.5 * 10**-digits for end in ends):
        digits += 1
    return f"[{', '.join(difference(end, metric, digits=digits) for end in (interval.low, interval.high))}]"


def counted(count: int, noun: str = "seed block") -> str:
    """`1 seed block`, `5 seed blocks`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def margin_text(scene: Scene) -> str:
    """`0.20 pp`."""
    unit = UNITS[scene.metric]
    return f"{scene.margin * unit.factor:.{unit.digits}f} {unit.name}"


def _change(judged: Judged, scene: Scene) -> str:
    amount = f"{difference(judged.estimate.effect or 0.0, scene.metric)} {UNITS[scene.metric].name}"
    if judged.contrast.kind == "interaction":
        alone = "the changes" if judged.contrast.aliases else "the two changes"
        return f"changes {scene.metric} by {amount} beyond the sum of {alone} alone"
    return f"changes {scene.metric} by {amount}"


def _evidence(judged: Judged, scene: Scene) -> str:
    """What stands in brackets: interval, n, p, method, each where there is one."""
    estimate, number = judged.estimate, counted(judged.estimate.blocks)
    if judged.verdict == "provisional":
        so_far = (
            "" if estimate.interval is None else f"95 % interval so far {bounds(estimate.interval, scene.metric)}, "
        )
        return f"provisional, {so_far}{number} of {'at most ' * scene.growing}{scene.planned_blocks} planned"
    if estimate.interval is None or estimate.p is None:
        return f"no interval, {number}"
    p = "p < 0.001" if estimate.p < 0.001 else f"p = {estimate.p:.3g}"
    return f"95 % interval {bounds(estimate.interval, scene.metric)}, {number}, adjusted {p}, {scene.correction}"


def _closing(judged: Judged, scene: Scene) -> str:
    rests = (
        f" Rests on {counted(judged.diverged, 'diverged trial')}, counted as the uniform guess."
        if judged.diverged
        else ""
    )
    screen = "Screen only, since the design cannot tell these effects apart. " if judged.contrast.aliases else ""
    average = (
        f" On average: it may depend on {' or '.join(judged.may_depend_on)}, which the design cannot single out."
        if judged.may_depend_on
        else ""
    )
    return f"{screen}{_verdict_words(judged, scene)}{average}{rests}"


def _verdict_words(judged: Judged, scene: Scene) -> str:
    estimate = judged.estimate
    match judged.verdict:
        case "above the sum" | "below the sum":
            more = "more" if judged.verdict == "above the sum" else "less"
            return f"The changes together give {more} {scene.metric} than the sum of each."
        case "helps" | "hurts":
            small = estimate.equivalence is not None and estimate.equivalence.within(scene.margin)
            return (
                f"{judged.verdict.capitalize()}{f', by less than the margin of {margin_text(scene)}' if small else ''}."
            )
        case "equivalent":
            assert estimate.equivalence is not None, "it is what the verdict rests on"
            inside = f"90 % interval {bounds(estimate.equivalence, scene.metric)} inside"
            return f"Equivalent: {inside} the margin of {margin_text(scene)}."
        case "inconclusive":
            return f"Inconclusive: {_wanted(judged, scene)}."
        case "provisional":
            return "No verdict before the plan is complete."
        case "withheld":
            others = " and ".join(judged.withheld_for)
            return f"the main effect is withheld, since it depends on {others}; read the simple effects."
        case "not tested" if estimate.blocks < 2:
            return "Not tested: one seed block cannot tell an effect from chance."
        case "not tested" if estimate.block_sd is not None:
            return "Not tested: so few seed blocks decide nothing under a rule that holds however often one looks."
        case "not tested":
            return "Not tested: the difference is the same in every seed block, so there is no spread to judge it by."


def _wanted(judged: Judged, scene: Scene) -> str:
    small = abs(judged.estimate.effect or 0.0) < scene.margin
    effect = (
        f"an effect as large as the margin of {margin_text(scene)}" if small else "an effect as large as the one seen"
    )
    if judged.new_plan_blocks is not None:
        fresh = counted(judged.new_plan_blocks, "fresh seed block")
        return f"the plan grows no further; 80 % power for {effect} takes a new plan, fixed at about {fresh}"
    if judged.more_blocks is None:
        return f"80 % power for {effect} would take more than {counted(MOST_BLOCKS)}"
    return f"about {counted(judged.more_blocks, 'more seed block')} for 80 % power for {effect}"
