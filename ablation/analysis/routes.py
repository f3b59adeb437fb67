"""Which of several ways the contrasts of a table are estimated, and why, in words.

The blocked linear model where the table is complete and its arms look equally noisy; with an error of its own for a
baseline or another arm that looks noisier than the rest; else each contrast by its own paired t over shared blocks
(pooling with unequal n gives up to 16.9 % false findings).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ablation.analysis import diagnostics
from ablation.analysis.contrasts import Contrast
from ablation.analysis.estimates import (
    Anytime,
    Bonferroni,
    Estimate,
    Spending,
    Yardstick,
    held_to,
    single_step,
)
from ablation.analysis.looks import SPENDING, Looks
from ablation.analysis.moments import (
    Floats,
    Moments,
    fit_blocked,
    paired_differences,
    pooled,
    with_noisy_arms,
    with_noisy_baseline,
)
from ablation.analysis.verdicts import BoundAt

_REJECT = 0.05
_NOISY_BASELINE = 1.0
"""Over the number of seed blocks: a small study gives way to a hint, since it sees a noisy baseline late and every
contrast reads it. With a baseline of 3.5 times the variance this keeps false findings near 5 % from three blocks on."""
_NOISY_ARM = 0.02
"""The p at which the contrast of any other arm gets an error of its own. With one arm of 3.5 times the variance false
findings fall from up to 6.2 % to 4.7 % (3 to 9 arms, 5 to 20 blocks), with ten times from 11 % to 5.7 %, and power by
about one point."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How often the scores are looked at: once, at the looks of a growing plan, or whenever somebody likes."""

    looks: tuple[int, int] | None = None
    """First and last look of a growing plan, in seed blocks."""
    anytime: bool = False
    contrasts: int = 0
    """How many are judged together, those included that a look has decided already."""

    @property
    def once(self) -> bool:
        """Whether the error rate is spent in one look."""
        return self.looks is None and not self.anytime


ONCE = Rule()

Measure = Callable[[Floats, Floats], list[Moments]]
"""From scores and weights, of the arms that are scored."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way to estimate contrasts, its name for a sentence, and its account for the report."""

    scores: Floats
    """Arms x seed blocks, NaN in the rows of arms without any score."""
    scored: NDArray[np.bool_]
    """The arms that have a score at all."""
    measure: Measure
    correction: str
    method: str
    model: str
    """The part of it that says how contrasts are measured."""
    rule: Rule = ONCE
    shared: float = 0.0
    """The least correlation of two contrasts: 0.5 where all read one baseline, 0 between a factorial's effects."""

    def estimate(self, contrasts: Sequence[Contrast]) -> list[Estimate]:
        """In the order given; these contrasts are one family, those that read an arm without scores left out."""
        weights = self._weights(contrasts)
        possible = self._possible(weights)
        if not possible.any():
            return [Estimate(None, 0) for _ in contrasts]
        read = weights[possible][:, self.scored]
        measured = self.measure(self.scores[self.scored], read)
        tested = sum(one.error is not None for one in measured)
        found = iter(held_to(self._yardstick(read, tested), measured, once=self.rule.once))
        return [next(found) if is_possible else Estimate(None, 0) for is_possible in possible]

    def bound_at(self, contrasts: Sequence[Contrast], *, extended: bool) -> BoundAt:
        """What |t| would have to reach with more seed blocks: in a plan that is extended, or in a new fixed one."""
        weights = self._weights(contrasts)
        kept = weights[self._possible(weights)][:, self.scored]
        rule = Rule(anytime=extended, contrasts=len(kept))
        yardstick = replace(self, rule=rule)._yardstick(kept, len(kept))
        components = 1 if self.measure is paired_differences else int(self.scored.sum()) - 1

        def bound(blocks: int) -> tuple[float | None, float]:
            freedom = components * (blocks - 1)
            return yardstick.bound(Moments(0.0, blocks, 1.0, freedom)), freedom

        return bound

    def last_bounds(self, contrasts: Sequence[Contrast]) -> tuple[float, float]:
        """What |t| must reach at the last look of a growing plan, and what two one-sided tests take there."""
        assert self.rule.looks, "only a growing plan has a last look"
        yardstick = self._yardstick(self._weights(contrasts)[:, self.scored], len(contrasts))
        components, last = 1 if self.measure is not pooled else int(self.scored.sum()) - 1, self.rule.looks[1]
        at_end = Moments(0.0, last, 1.0, components * (last - 1))
        bound, equivalence = yardstick.bound(at_end), yardstick.equivalence_bound(at_end)
        assert bound is not None
        assert equivalence is not None, "the bounds of looks have an end"
        return bound, equivalence

    def _yardstick(self, weights: Floats, tested: int) -> Yardstick:
        count = max(tested, self.rule.contrasts)
        if self.rule.anytime:
            return Anytime(count)
        if self.rule.looks:
            if self.measure is not pooled:
                return Spending(count, Looks(*self.rule.looks, 1), None)
            return Spending(count, Looks(*self.rule.looks, len(self.scored) - 1), self.shared)
        return Bonferroni(count) if self.measure is paired_differences else single_step(weights)

    def _weights(self, contrasts: Sequence[Contrast]) -> Floats:
        rows = [contrast.weights for contrast in contrasts]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.scored))

    def _possible(self, weights: Floats) -> NDArray[np.bool_]:
        return np.asarray((weights[:, ~self.scored] == 0).all(axis=1))


def choose_route(scores: Floats, baseline: int | None, rule: Rule = ONCE) -> Route:
    """The way for these scores; `baseline` is the arm that every contrast reads, None in a factorial."""
    scored: NDArray[np.bool_] = np.asarray(np.isfinite(scores).any(axis=1))
    kept = scores[scored]
    if kept.shape[0] < 2 or kept.shape[1] < 2:
        method = "Means only: fewer than two arms or seed blocks have scores."
        return Route(scores, scored, paired_differences, "", method, method, rule)
    row = int(scored[:baseline].sum()) if baseline is not None and scored[baseline] else None
    route = _once(scores, scored, row)
    return route if rule.once else _repeated(replace(route, shared=0.0 if row is None else 0.5), rule)


def _once(scores: Floats, scored: NDArray[np.bool_], baseline: int | None) -> Route:
    """`baseline` is its row among the arms that are scored."""
    kept = scores[scored]
    if not np.isfinite(kept).all():
        return _paired(scores, scored, "the arms have scores in different seed blocks")
    equal = diagnostics.brown_forsythe(kept)
    if equal is not None and equal < _REJECT:
        why = f"Brown-Forsythe on the block-centred residuals rejects equal variances (p = {equal:.2g})"
        return _paired(scores, scored, why)
    noisier = None if baseline is None else diagnostics.noisier(kept)
    if baseline is not None and noisier is not None:
        if noisier[baseline] < max(_REJECT, _NOISY_BASELINE / kept.shape[1]):
            return _noisy(scores, scored, baseline, float(noisier[baseline]))
        if (noisier < _NOISY_ARM).any():
            return _noisy_arms(scores, scored, noisier)
    return _blocked(scores, scored, equal, "single-step" if baseline is None else "Dunnett")


def _repeated(route: Route, rule: Rule) -> Route:
    """The same way to measure, held to what many looks take."""
    if rule.looks:
        start, most = rule.looks
        account = (
            f"A growing plan: looked at after {start} seed blocks and after further ones up to {most}; intervals and p "
            f"hold for all looks and contrasts together, by alpha spending with (n / {most})^{SPENDING:g} spent by n "
            "seed blocks. A contrast keeps the interval of the look that decided it. At the last look:"
        )
        return replace(route, rule=rule, correction="alpha spending", method=f"{account} {route.model}")
    account = (
        "The plan was extended after trials had ended, so every verdict comes from an anytime-valid sequence (a normal "
        "mixture of effects against none), Bonferroni's share for each contrast."
    )
    return replace(route, rule=rule, correction="anytime-valid", method=f"{route.model} {account}")


def _route(scores: Floats, scored: NDArray[np.bool_], measure: Measure, told: tuple[str, str, str]) -> Route:
    """`told`: the correction's name, how contrasts are measured, and what they are held to."""
    correction, model, yardstick = told
    method = f"{model} {yardstick} Holm's p is printed as an extra."
    return Route(scores, scored, measure, correction, method, model)


def _paired(scores: Floats, scored: NDArray[np.bool_], why: str) -> Route:
    model = f"Paired t for each contrast over the seed blocks it has, because {why}."
    yardstick = "Bonferroni's correction for intervals and p."
    return _route(scores, scored, paired_differences, ("paired t, Bonferroni", model, yardstick))


def _noisy(scores: Floats, scored: NDArray[np.bool_], baseline: int, p: float) -> Route:
    def measure(complete: Floats, weights: Floats) -> list[Moments]:
        return with_noisy_baseline(complete, weights, baseline)

    model = (
        "Blocked linear model, score = arm + seed block + error, with an error variance of the baseline's own because "
        f"it may be noisier than the other arms (F test, p = {p:.2g}), and Satterthwaite's degrees of freedom."
    )
    return _route(scores, scored, measure, ("Dunnett, noisy baseline", model, _single_step_text("Dunnett")))


def _noisy_arms(scores: Floats, scored: NDArray[np.bool_], p: Floats) -> Route:
    noisy = np.flatnonzero(p < _NOISY_ARM).tolist()

    def measure(complete: Floats, weights: Floats) -> list[Moments]:
        return with_noisy_arms(complete, weights, noisy)

    arms = "one arm is" if len(noisy) == 1 else f"{len(noisy)} arms are"
    model = (
        f"Blocked linear model, score = arm + seed block + error; {arms} noisier than the others (F test, "
        f"p = {p.min():.2g}) and judged by an error of their own where that is larger, with Satterthwaite's degrees of "
        "freedom."
    )
    return _route(scores, scored, measure, ("Dunnett, noisy arm", model, _single_step_text("Dunnett")))


def _blocked(scores: Floats, scored: NDArray[np.bool_], equal: float | None, correction: str) -> Route:
    freedom = fit_blocked(scores[scored]).freedom
    checked = (
        "Too few arms or seed blocks to test for equal variances."
        if equal is None
        else f"Brown-Forsythe on the block-centred residuals does not reject equal variances (p = {equal:.2g})."
    )
    model = f"Blocked linear model, score = arm + seed block + error, {freedom} degrees of freedom. {checked}"
    return _route(scores, scored, pooled, (correction, model, _single_step_text(correction)))


def _single_step_text(correction: str) -> str:
    return f"Simultaneous 95 % intervals and adjusted p from one multivariate t distribution ({correction})."
