"""A growing plan replayed from its scores: what each look decided, and which trials the next one needs.

Nothing is stored but the trials: the looks follow from them, whoever asks and however often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablation.analysis.contrasts import Contrast
from ablation.analysis.estimates import Estimate
from ablation.analysis.looks import look_numbers
from ablation.analysis.moments import Floats
from ablation.analysis.routes import Route, Rule, choose_route

_HOPELESS = 0.1
"""The chance of a decision by the last look below which a contrast is given up. A larger one saves little more against
fixed plans of equal power, and leaves more undecided that would have come out equivalent."""

Cell = tuple[int, int]
"""An arm and a seed block, by their rows and columns."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a growing study declared: it is looked at from `start` seed blocks on, `max` at the most."""

    start: int
    max: int
    margin: float
    baseline: int | None
    """The arm that every contrast reads, None in a factorial."""

    def rule(self, contrasts: int) -> Rule:
        """What its error rate is shared out over."""
        return Rule(looks=(self.start, self.max), contrasts=contrasts)


@dataclass(frozen=True, slots=True)
class Grown:
    """How far a growing study has come."""

    estimates: tuple[Estimate, ...]
    """Of each contrast at the look that decided it, or at the last one there was."""
    decided: tuple[bool, ...]
    route: Route
    """That of the last look."""
    wanted: tuple[Cell, ...]
    """Trials without an outcome that the next look needs, block by block; none once all is decided, or at `max`."""


def replay(scores: Floats, ended: NDArray[np.bool_], contrasts: Sequence[Contrast], plan: Plan) -> Grown:
    """Look after `start` seed blocks, and so on, at arms that an open contrast reads.

    `scores` and `ended` have a row for each arm and a column for each of `max` seed blocks; a trial has ended once it
    has an outcome, with a score or without. A contrast is decided when its interval leaves zero out or lies within the
    margin. One of an arm without any score by then is given up, and so is one that further blocks would hardly decide:
    that makes no finding more likely, so it costs nothing of the error rate.
    """
    rule = plan.rule(len(contrasts))
    reads = np.array([[weight != 0 for weight in contrast.weights] for contrast in contrasts], dtype=bool)
    open_, decided = set(range(len(contrasts))), set[int]()
    estimates = [Estimate(None, 0) for _ in contrasts]
    route = choose_route(np.where(ended, scores, np.nan), plan.baseline, rule)
    for number in look_numbers(plan.start, plan.max):
        needed = np.ones(len(scores), dtype=bool)
        if number > plan.start:
            needed = np.asarray(reads[sorted(open_)].any(axis=0))
        wanted = [
            (arm, block) for block in range(number) for arm in np.flatnonzero(needed).tolist() if not ended[arm, block]
        ]
        if wanted:
            return Grown(tuple(estimates), _marks(decided, contrasts), route, tuple(wanted))
        route = choose_route(np.where(needed[:, None], scores, np.nan)[:, :number], plan.baseline, rule)
        looked = sorted(open_)
        asked = [contrasts[at] for at in looked]
        bounds = route.last_bounds(asked)
        for index, estimate in zip(looked, route.estimate(asked), strict=True):
            estimates[index] = estimate
            if _decides(estimate, plan.margin):
                decided.add(index)
            if index in decided or estimate.effect is None or _is_hopeless(estimate, plan, bounds):
                open_.remove(index)
        if not open_:
            break
    return Grown(tuple(estimates), _marks(decided, contrasts), route, ())


def _decides(estimate: Estimate, margin: float) -> bool:
    """Whether the verdict is another one than inconclusive."""
    interval, equivalence = estimate.interval, estimate.equivalence
    if interval is None or equivalence is None:
        return False
    return interval.low > 0 or interval.high < 0 or equivalence.within(margin)


def _is_hopeless(estimate: Estimate, plan: Plan, bounds: tuple[float, float]) -> bool:
    """Whether the last look would hardly decide it: the chance for a mean that goes on as the blocks so far have it.

    The final mean is then normal around this one, with the variance that 1 / blocks - 1 / max leaves (predictive power;
    Spiegelhalter, Freedman and Blackburn 1986, doi.org/10.1016/0197-2456(86)90003-6).
    """
    if estimate.effect is None or estimate.block_sd is None or estimate.blocks >= plan.max:
        return False
    size, error = abs(estimate.effect), estimate.block_sd / math.sqrt(plan.max)
    left = estimate.block_sd * math.sqrt(1 / estimate.blocks - 1 / plan.max)
    found, inside = bounds[0] * error, max(0.0, plan.margin - bounds[1] * error)
    ends = [(size - found) / left, (-size - found) / left, (inside - size) / left, (-inside - size) / left]
    above, below, to, since = special.ndtr(ends).tolist()
    return bool(above + below + to - since < _HOPELESS)


def _marks(decided: set[int], contrasts: Sequence[Contrast]) -> tuple[bool, ...]:
    return tuple(index in decided for index in range(len(contrasts)))
