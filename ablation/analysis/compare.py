"""Two arms, two trials, or an arm in two studies: what B changes against A, and how sure that is.

One comparison, not corrected for others: the findings of a study's report are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ablation.analysis.compared import Compared, ComparedSide, MetricDifference
from ablation.analysis.compared_costs import ComparedCosts, compared_costs, side_costs
from ablation.analysis.estimates import Anytime, Estimate, Interval, held_to, paired
from ablation.analysis.moments import Floats, paired_differences
from ablation.analysis.sentences import UNITS, bounds, counted, difference, parameters_text, time_text
from ablation.analysis.side_images import class_effects, side_images
from ablation.analysis.sides import Pair, Side
from ablation.analysis.unpaired import welch
from ablation.findings import Metric
from ablation.study import Search

_ONE_OF_MANY = (
    "This is one comparison, with an interval of its own. Who makes several finds too much: the findings of a study's "
    "report are corrected for that."
)
_SEARCH = "A search chooses its arms by their scores, so the best of these are optimistic: confirm in a planned study."

_LOOKED_AT = (
    "Seed blocks were added with scores in sight (a growing or an extended plan), so the interval is anytime-valid: "
    "it holds however often one looks, and is wider than that of a fixed plan. Classes have estimates alone."
)
_NONE_SHARED = " That takes shared seed blocks, and there is none: no interval."


def compare(pair: Pair, differences: Sequence[str]) -> Compared:
    """Everything that is said of the pair; `differences` are the settings in which its sides differ.

    Raises:
        DamagedFileError: predictions cannot be read.
    """
    costs, images = compared_costs(pair), side_images(pair)
    metric = pair.a.study.metric
    measured = {each: _difference(pair, each) for each in dict.fromkeys((*UNITS, metric))}
    return Compared(
        a=_side(pair.a, pair.blocks_a),
        b=_side(pair.b, pair.blocks_b),
        split=pair.a.split,
        metric=metric,
        paired=pair.paired,
        method=_method(pair),
        sentence=_sentence(pair, measured[metric], _spent(costs)),
        accuracy=measured["accuracy"],
        loss=measured["loss"],
        score=None if metric in UNITS else measured[metric],
        seconds=costs.seconds,
        images_per_second=costs.images_per_second,
        peak_memory=costs.peak_memory,
        cost_note=costs.note,
        parameters=costs.parameters,
        looked_at=pair.looked_at,
        classes=class_effects(pair),
        images=images.effect,
        images_note=images.note,
        mcnemar=images.mcnemar,
        disagreements=images.disagreements,
        both_wrong=images.both_wrong,
        differences=tuple(differences),
        notes=tuple(_notes(pair)),
    )


def _spent(costs: ComparedCosts) -> list[str]:
    """What a sentence says of the cost."""
    return [
        *([time_text(costs.seconds)] if costs.seconds else []),
        *(parameters_text(costs.parameters) if costs.parameters else []),
    ]


def _difference(pair: Pair, metric: Metric) -> MetricDifference:
    """With one comparison the ends of the 90 % interval are one-sided 95 % bounds.

    Where several seed blocks show no spread, the difference is the same in each of them, and so are the bounds.
    """
    a, b = pair.a.scores(pair.blocks_a, metric), pair.b.scores(pair.blocks_b, metric)
    estimate, effect = _estimate(pair, a, b), float(b.mean() - a.mean())
    interval, one_sided = estimate.interval, estimate.equivalence
    if one_sided is None and min(len(a), len(b)) > 1 and not pair.looked_at:
        one_sided = Interval(effect, effect)
    return MetricDifference(
        effect=effect,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p=estimate.p,
        at_least=one_sided.low if one_sided else None,
        at_most=one_sided.high if one_sided else None,
    )


def _estimate(pair: Pair, a: Floats, b: Floats) -> Estimate:
    """By a t for one look, or where the scores may have been looked at before, by what holds however often one looks.

    There is no such sequence here for sides that share no seed block.
    """
    if not pair.paired:
        return Estimate(None, 0) if pair.looked_at else welch(a[None], b[None])[0]
    scores, weights = np.array([a, b]), np.array([[-1.0, 1.0]])
    if pair.looked_at:
        return held_to(Anytime(1), paired_differences(scores, weights), once=False)[0]
    return paired(scores, weights)[0]


def _method(pair: Pair) -> str:
    if pair.paired and pair.looked_at:
        return f"anytime-valid over {counted(len(pair.blocks_a), 'shared seed block')}"
    if pair.paired:
        return f"paired t over {counted(len(pair.blocks_a), 'shared seed block')}"
    sizes = f"{counted(len(pair.blocks_b))} of B and {len(pair.blocks_a)} of A"
    return f"Welch's t of {sizes}, since they share none"


def _sentence(pair: Pair, measured: MetricDifference, cost: Sequence[str]) -> str:
    """As a finding is told, without a verdict."""
    metric = pair.a.study.metric
    amount = f"{difference(measured.effect, metric)} {UNITS[metric].name}"
    if measured.low is None or measured.high is None or measured.p is None:
        evidence = f"no interval, {_why_no_interval(pair)}"
    else:
        p = "p < 0.001" if measured.p < 0.001 else f"p = {measured.p:.3g}"
        evidence = f"95 % interval {bounds(Interval(measured.low, measured.high), metric)}, {p}, {_method(pair)}"
    spent = f", at {' and '.join(cost)}" if cost else ""
    return f"{pair.b.label} instead of {pair.a.label} changes {metric} by {amount} ({evidence}){spent}."


def _why_no_interval(pair: Pair) -> str:
    least = min(len(pair.blocks_a), len(pair.blocks_b))
    if pair.looked_at and least > 1:
        return f"{counted(least)} decide nothing under a rule that holds however often one looks"
    if least > 1:
        return f"the same in each of {counted(least)}"
    if pair.paired:
        return "1 shared seed block"
    return f"no shared seed block, {len(pair.blocks_a)} of A and {len(pair.blocks_b)} of B"


def _side(side: Side, blocks: Sequence[int]) -> ComparedSide:
    costs = side_costs(side, blocks)
    return ComparedSide(
        label=side.label,
        study=side.study.name,
        folder=str(side.folder.path),
        arm=side.arm.name,
        trial=side.trial,
        seed_blocks=tuple(blocks),
        accuracy=float(side.scores(blocks, "accuracy").mean()),
        loss=float(side.scores(blocks, "loss").mean()),
        seconds=costs.seconds,
        images_per_second=costs.images_per_second,
        peak_memory=costs.peak_memory,
        parameters=costs.parameters,
        circumstances=costs.circumstances,
    )


def _notes(pair: Pair) -> list[str]:
    notes = [] if pair.are_trials else [_ONE_OF_MANY]
    if pair.looked_at:
        notes.append(_LOOKED_AT + ("" if pair.paired else _NONE_SHARED))
    if any(isinstance(side.study.design, Search) for side in (pair.a, pair.b)):
        notes.append(_SEARCH)
    for name, side, blocks in (("A", pair.a, pair.blocks_a), ("B", pair.b, pair.blocks_b)):
        if side.missing:
            notes.append(f"Provisional: {counted(side.missing, 'trial')} of {name} without an outcome yet.")
        notes += _lost(name, side, blocks)
    return notes


def _lost(name: str, side: Side, blocks: Sequence[int]) -> list[str]:
    """Trials of a side that have no score, diverged, or stand in seed blocks that the other side lacks."""
    statuses = [one.outcome.status for one in side.records if one.outcome]
    told = {
        "without a score: failed or pruned": statuses.count("failed") + statuses.count("pruned"),
        "diverged, counted as the uniform guess": len(blocks) - len(side.complete(blocks)),
        "in seed blocks that the other side lacks, not read": len(side.scored) - len(blocks),
    }
    return [f"{counted(number, 'trial')} of {name} {what}." for what, number in told.items() if number]
