"""Studies whose truth is known, analysed by the code that analyses real ones. Knows nothing of tables and pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ablation.analysis.contrasts import Contrast, against_baseline
from ablation.analysis.estimates import LEVEL, Estimate, blocked, family_of
from ablation.analysis.routes import choose_route
from ablation.analysis.verdicts import verdict_of

Floats = NDArray[np.float64]
Errors = Literal["normal", "t3", "skewed"]

SEED = 20_260
BLOCK_SD = 1.0
NOISY = math.sqrt(3.5)
"""Standard deviation of the noisy arm: removing augmentation raises the variance 3.5 times (arXiv 2304.01910)."""

GOOD = 1  # more is better, as with accuracy


@dataclass(frozen=True, slots=True)
class World:
    """What is true in simulated studies; the first arm is the baseline, and the error's standard deviation is one."""

    arms: int
    blocks: int
    effects: tuple[float, ...] = ()
    """Of the arms after the baseline, zero for those not named."""
    noisy_arm: int | None = None
    missing: float = 0.0
    """The chance that a trial has no score."""
    errors: Errors = "normal"

    @property
    def truth(self) -> Floats:
        """The effect of each arm after the baseline."""
        return np.array([*self.effects, *[0.0] * (self.arms - 1 - len(self.effects))])

    @property
    def contrasts(self) -> list[Contrast]:
        """Every other arm against the baseline."""
        names = {f"arm{index}": {"arm": f"arm{index}"} for index in range(self.arms)}
        return against_baseline(names, "arm0", {"arm": tuple(names)})

    def studies(self, number: int, stream: int = 0) -> Iterator[Floats]:
        """So many tables of arms x seed blocks, always the same ones; another stream gives others."""
        generator = np.random.default_rng([SEED, self.arms, self.blocks, stream])
        for _ in range(number):
            yield self._draw(generator)

    def _draw(self, generator: np.random.Generator) -> Floats:
        sd = np.where(np.arange(self.arms) == self.noisy_arm, NOISY, 1.0)[:, None]
        scores = sd * _ERRORS[self.errors](generator, (self.arms, self.blocks))
        scores += BLOCK_SD * generator.standard_normal(self.blocks)
        scores[1:] += self.truth[:, None]
        if self.missing:
            scores[generator.random(scores.shape) < self.missing] = np.nan
        return scores


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the studies of one world, by what its contrasts were told to be."""

    false: float
    """At least one effect that is zero has a finding."""
    covered: float
    """All intervals hold what is true."""
    found: float
    """The first arm's effect is told to help, as it does where it has one."""
    inside: float
    """At least one effect is told to lie inside the margin."""
    pooled: float
    """All arms were pooled into one error."""
    paired: float
    """Each contrast was judged by an error of its own."""


def rates(world: World, number: int, *, margin: float = 0.0, stream: int = 0) -> Rates:
    """Analyse so many studies of a world. `margin` is in standard deviations of the error."""
    contrasts, truth = world.contrasts, world.truth
    counts = np.zeros(6)
    for scores in world.studies(number, stream):
        route = choose_route(scores, 0)
        estimates = route.estimate(contrasts)
        verdicts = np.array([verdict_of(one, margin, GOOD) for one in estimates])
        decided = (verdicts == "helps") | (verdicts == "hurts")
        counts += [
            bool(decided[truth == 0].any()),
            all(_covers(one, true) for one, true in zip(estimates, truth, strict=True)),
            verdicts[0] == "helps",
            any(one.equivalence is not None and one.equivalence.within(margin) for one in estimates),
            route.correction == "Dunnett",
            route.correction.startswith("paired"),
        ]
    return Rates(*(counts / number).tolist())


def found_by_model(world: World, number: int, *, stream: int = 0) -> float:
    """The share of the studies in which the blocked linear model finds the first effect, its fit taken on trust."""
    weights = np.array([contrast.weights for contrast in world.contrasts])
    intervals = (blocked(scores, weights)[0].interval for scores in world.studies(number, stream))
    return sum(one is not None and one.low > 0 for one in intervals) / number


def power(contrasts: list[Contrast], arms: int, blocks: int, effect: float) -> float:
    """What theory gives for the first contrast's effect in the blocked linear model, all contrasts one family."""
    weights = np.array([contrast.weights for contrast in contrasts])
    freedom = (arms - 1) * (blocks - 1)
    error = math.sqrt(float((weights[0] ** 2).sum()) / blocks)
    return float(stats.nct.sf(family_of(weights, freedom).critical(LEVEL), freedom, effect / error))


def _covers(estimate: Estimate, true: float) -> bool:
    """An effect without an interval is not claimed to be anything."""
    interval = estimate.interval
    return interval is None or interval.low <= true <= interval.high


def _normal(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return generator.standard_normal(shape)


def _heavy(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.asarray(generator.standard_t(3, shape) / math.sqrt(3))


def _skewed(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.asarray(1.0 - generator.standard_exponential(shape))


_ERRORS: dict[Errors, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": _normal,
    "t3": _heavy,
    "skewed": _skewed,
}
"""All with mean zero and variance one. Scores have a longer tail below: some runs go badly."""
