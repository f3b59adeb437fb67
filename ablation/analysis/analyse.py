"""From a results table to an `Analysis`: contrasts, the way to estimate them, verdicts, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ablation.analysis import crossed, diagnostics
from ablation.analysis.beside import beside, on_other_metrics
from ablation.analysis.censoring import censoring_notes, outcomes_in
from ablation.analysis.contrasts import Contrast
from ablation.analysis.estimates import Estimate
from ablation.analysis.factorial import behind, simple_effects, varied
from ablation.analysis.fractional import aliasing, fraction_in
from ablation.analysis.image_layer import ImageLayer
from ablation.analysis.moments import in_each_block
from ablation.analysis.results import ResultsTable
from ablation.analysis.routes import Route, choose_route
from ablation.analysis.sentences import Judged, Scene, good_sign, sentence
from ablation.analysis.sign_flips import sign_flip_p
from ablation.analysis.summaries import arm_summaries, comparable_costs, cost_notes, sign_flip_notes, trial_notes
from ablation.analysis.verdicts import TOLD_FROM_ZERO, blocks_wanted, verdict_of
from ablation.findings import Analysis, Finding, Verdict

_SEARCH = "A search chooses its arms by their scores, so it has no findings: only a planned study has."

_Estimated = tuple[Contrast, Estimate, bool]
"""A contrast with its estimate, and whether a look has decided it, so that its verdict stands already."""


def analyse(table: ResultsTable, layer: ImageLayer | None = None) -> Analysis:
    """Everything the report says in numbers and sentences. The same table always gives the same digits.

    `layer` is what the trials said of single images, where that is known.
    """
    if table.design == "search":
        return _analysis(table, (), "None: the trials of a search are listed, not tested.", (_SEARCH,))
    contrasts = table.contrasts()
    route = _route(table, len(contrasts))
    if table.rule.looks:
        grown = table.grown()
        looked, estimates, decided = grown.route, grown.estimates, grown.decided
    else:
        looked, estimates, decided = route, tuple(route.estimate(contrasts)), (False,) * len(contrasts)
    scene = Scene(table.metric, table.margin, table.planned_blocks, looked.correction, growing=bool(table.rule.looks))
    judged = _with_simple_effects(
        table, route, _judge(table, route, list(zip(contrasts, estimates, decided, strict=True)))
    )
    findings = [_with_images(_finding(one, scene), one, layer, once=table.rule.once) for one in judged]
    notes = [] if table.provisional else sign_flip_notes(findings)
    method = looked.method + crossed.METHODS.get(table.design, "")
    return _analysis(table, findings, method, [*notes, *(layer.notes if layer else ())])


def _route(table: ResultsTable, contrasts: int) -> Route:
    """The way for the whole table, as it would be told at its last look."""
    return choose_route(table.scores(), table.baseline_row, replace(table.rule, contrasts=contrasts))


def _analysis(table: ResultsTable, findings: Sequence[Finding], method: str, notes: Sequence[str]) -> Analysis:
    scores = table.scores()
    complete = scores[np.isfinite(scores).any(axis=1)]
    complete = complete[:, np.isfinite(complete).all(axis=0)]
    fits = table.design != "search" and complete.size > 0
    comparable = comparable_costs(table)
    arms = arm_summaries(table, comparable.circumstances)
    levels = outcomes_in(table) if table.design != "search" else ()
    fraction = fraction_in(list(table.arms.values()), table.factors) if table.design == "fractional" else None
    return Analysis(
        metric=table.metric,
        higher_is_better=table.higher_is_better,
        margin=table.margin,
        provisional=table.provisional,
        planned_blocks=table.planned_blocks,
        findings=tuple(findings),
        arms=arms,
        cost_note=comparable.note,
        levels=levels,
        aliasing=aliasing(fraction, list(varied(table.factors))) if fraction else None,
        method=method,
        notes=(*table.notes, *trial_notes(table), *cost_notes(arms, comparable), *censoring_notes(levels), *notes),
        correlation=diagnostics.correlation_between_arms(complete) if fits else None,
        variance_ratio=diagnostics.variance_ratio(complete) if fits else None,
        residual_sd=diagnostics.residual_sd(complete) if fits else None,
    )


def _with_simple_effects(table: ResultsTable, route: Route, judged: list[Judged]) -> list[Judged]:
    """Behind each interaction that has a verdict its simple effects in place of the main effects."""
    contrasts = [one.contrast for one in judged]
    found = [one.contrast for one in judged if one.contrast.kind == "interaction" and one.verdict in TOLD_FROM_ZERO]
    apart, simple = crossed.singled_out(found, contrasts), list[Judged]()
    if apart:
        wide = [*contrasts, *simple_effects(list(table.arms.values()), table.factors)]
        undecided = [(contrast, estimate, False) for contrast, estimate in zip(wide, route.estimate(wide), strict=True)]
        simple = [
            one
            for one in _judge(table, route, undecided)
            if any(behind(interaction, one.contrast, table.factors) for interaction in apart)
        ]
    return [crossed.qualified(one, found, apart) for one in judged] + simple


def _judge(table: ResultsTable, route: Route, estimates: Sequence[_Estimated]) -> list[Judged]:
    """What may be said of each contrast."""
    contrasts = [contrast for contrast, _, _ in estimates]
    grows, diverged, provisional = bool(table.rule.looks), table.diverged(), table.provisional
    bound_at = route.bound_at(contrasts, extended=not grows) if contrasts else None
    routes = {metric: _route(other, len(contrasts)) for metric, other in on_other_metrics(table).items()}
    others = beside(table, routes, contrasts)
    judged = []
    for (contrast, estimate, decided), other in zip(estimates, others, strict=True):
        good = None if contrast.kind == "interaction" else good_sign(table)
        verdict: Verdict = verdict_of(estimate, table.margin, good)
        verdict = "provisional" if provisional and not decided else verdict
        wanted = blocks_wanted(estimate, table.margin, bound_at) if verdict == "inconclusive" and bound_at else None
        more = None if grows or wanted is None else max(1, wanted - estimate.blocks)
        weights = np.array(contrast.weights)
        shared = np.isfinite(route.scores[weights != 0]).all(axis=0)
        count = int(diverged[weights != 0][:, shared].sum())
        flips = sign_flip_p(in_each_block(route.scores, weights)[: estimate.blocks])
        new_plan = wanted if grows else None
        judged.append(Judged(contrast, estimate, verdict, more, new_plan, other, count, p_sign_flip=flips))
    return judged


def _with_images(finding: Finding, judged: Judged, layer: ImageLayer | None, *, once: bool) -> Finding:
    """The finding with its second layer. A main effect that is withheld has none: it is an average of unlike things.

    The intervals of classes hold for one look: where there are several, the classes have estimates alone.
    """
    if layer is None or judged.verdict == "withheld":
        return finding
    told = once and judged.verdict != "provisional"
    update = {
        "images": layer.image_effect(judged.contrast),
        "classes": layer.class_effects(judged.contrast, told=told),
    }
    return finding.model_copy(update=update)


def _finding(judged: Judged, scene: Scene) -> Finding:
    contrast, estimate = judged.contrast, judged.estimate
    interval, told = estimate.interval, judged.verdict != "provisional"
    return Finding(
        kind=contrast.kind,
        factor=contrast.factor,
        level=contrast.level,
        reference=contrast.reference,
        metric=scene.metric,
        effect=estimate.effect,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        equivalence_low=estimate.equivalence.low if estimate.equivalence else None,
        equivalence_high=estimate.equivalence.high if estimate.equivalence else None,
        p_adjusted=estimate.p if told else None,
        p_holm=estimate.p_holm if told else None,
        p_sign_flip=judged.p_sign_flip if told else None,
        seed_blocks=estimate.blocks,
        verdict=judged.verdict,
        sentence=sentence(judged, scene),
        aliases=contrast.aliases,
        arm=contrast.arm,
        reference_arm=contrast.reference_arm,
        seconds=judged.beside.seconds,
        time_note=judged.beside.time_note,
        parameters=judged.beside.parameters,
        other=judged.beside.other,
        others=judged.beside.others,
        more_blocks=judged.more_blocks,
        new_plan_blocks=judged.new_plan_blocks,
        rests_on_diverged=judged.diverged > 0,
    )
