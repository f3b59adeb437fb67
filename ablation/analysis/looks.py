"""How much evidence it takes when a study is looked at again and again. Knows only numbers.

A growing plan declares its looks beforehand, and spends its error rate over them: by look k of n seed blocks a part
(n / max)^2.5 of it may have been spent (the power family of Kim and DeMets 1987, doi.org/10.1093/biomet/74.1.149). An
extended plan declared none, so its verdicts come from a sequence that holds however often one looks.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from ablation.analysis.multiplicity import INTEGRATION_SEED

Floats = NDArray[np.float64]

SPENDING = 2.5
"""Of 0.5 to 3, the exponent that took the fewest trials over effects of 0 to 3 standard deviations."""
_KEPT = 0.8
"""Part of the error rate that the looks may spend. The rest is for choosing the route anew at each of them: by
simulation, see docs/explanation/evidence.md."""
_GRID = 301
_PATHS = 200_000


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of a growing plan: after `start` seed blocks, then after each further one, every tenth part from 20 on.

    `components`: degrees of freedom that a seed block adds to the error, one where each contrast has its own.
    """

    start: int
    max: int
    components: int

    def numbers(self) -> tuple[int, ...]:
        """After how many seed blocks the study is looked at."""
        return _numbers(self.start, self.max)

    def level(self, blocks: int, error_rate: float) -> float:
        """The two-sided p below which a look rejects, where so much may be spent by the last look."""
        nodes, levels = _levels(self)
        return float(np.exp(np.interp(math.log(error_rate), nodes, levels[self._index(blocks)])))

    def error_rate(self, blocks: int, p: float) -> float:
        """The smallest error rate at which a look with this two-sided p rejects: its p for all looks together."""
        nodes, levels = _levels(self)
        own = levels[self._index(blocks)]
        if p <= 0 or math.log(p) < own[0]:
            return float(np.exp(nodes[0]))
        return 1.0 if math.log(p) > own[-1] else float(np.exp(np.interp(math.log(p), own, nodes)))

    def _index(self, blocks: int) -> int:
        """The last look with no more seed blocks than these."""
        return max(0, bisect_right(self.numbers(), blocks) - 1)


@lru_cache(maxsize=64)
def _numbers(start: int, most: int) -> tuple[int, ...]:
    return tuple(look_numbers(start, most))


def look_numbers(start: int, most: int) -> Iterator[int]:
    """Ascending from `start` to `most`."""
    blocks = start
    while blocks < most:
        yield blocks
        blocks = min(most, blocks + max(1, blocks // 10))
    yield most


def anytime_bound(error_rate: float, blocks: int, freedom: float) -> float | None:
    """What |t| must reach at whatever time one looks; None where no t is enough so early.

    The t at which a mixture of effects, normal with the standard deviation that a contrast has in one seed block, is
    1 / error_rate times as likely as no effect, the error's size being unknown (Lindon et al. 2022, arXiv 2210.08589;
    Wang and Ramdas 2025, arXiv 2310.03722).
    """
    gain = (math.sqrt(1 + blocks) / error_rate) ** (2 / (freedom + 1))
    if gain >= 1 + blocks:
        return None
    return math.sqrt(freedom * (gain - 1) / (1 - gain / (1 + blocks)))


def anytime_p(t: float, blocks: int, freedom: float) -> float:
    """One over the evidence against no effect, at most 1: valid at whatever time one looks."""
    share = t * t / freedom
    gain = (1 + share) / (1 + share / (1 + blocks))
    return min(1.0, math.sqrt(1 + blocks) * math.exp(-(freedom + 1) / 2 * math.log(gain)))


@lru_cache(maxsize=64)
def _levels(looks: Looks) -> tuple[Floats, Floats]:
    """The logarithms of error rates, and for each look those of the two-sided p that it rejects below."""
    # Between these rates the levels are interpolated, so that p and interval agree to the last digit.
    rates = np.array([*np.logspace(-8, -0.5, 16), 0.6, 0.9])
    shrink = _crossed(looks) / 0.05 / _KEPT
    levels = [_spent(looks, float(rate) / shrink) for rate in rates]
    return np.log(rates), np.log(levels).T


def _spent(looks: Looks, error_rate: float) -> list[float]:
    """The two-sided p that each look rejects below, for a known variance.

    Recursive integration of the sums that no look has rejected (Armitage, McPherson and Rowe 1969,
    doi.org/10.2307/2343787).
    """
    numbers, before, spent = looks.numbers(), 0, 0.0
    sums, mass = np.zeros(1), np.ones(1)
    levels = []
    for number in numbers:
        step = math.sqrt(number - before)
        target = error_rate * (number / looks.max) ** SPENDING
        bound = _bound(sums, mass, step, target - spent)
        grid = np.linspace(-bound, bound, _GRID)
        weights = np.full(_GRID, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        moved = np.exp(-0.5 * ((grid[:, None] - sums) / step) ** 2) / (step * math.sqrt(2 * math.pi))
        sums, mass = grid, moved @ mass * weights
        levels.append(2 * float(special.ndtr(-bound / math.sqrt(number))))
        before, spent = number, target
    return levels


def _bound(sums: Floats, mass: Floats, step: float, wanted: float) -> float:
    """The sum that the next look is beyond with this probability."""

    def beyond(bound: float) -> float:
        tails: Floats = special.ndtr((sums - bound) / step) + special.ndtr((-bound - sums) / step)
        return float(mass @ tails) - wanted

    reach = float(np.abs(sums).max()) + 12 * step
    return float(optimize.brentq(beyond, 0.0, reach, xtol=1e-10))


@lru_cache(maxsize=64)
def _crossed(looks: Looks) -> float:
    """How often those bounds are crossed at 5 % where the variance is estimated, as t is: always more often.

    Simulated with a fixed seed, plus two standard errors.
    """
    generator = np.random.default_rng([INTEGRATION_SEED, looks.start, looks.max, looks.components])
    mean, squares, before = np.zeros(_PATHS), np.zeros(_PATHS), 0
    crossed = np.zeros(_PATHS, dtype=bool)
    for number, level in zip(looks.numbers(), _spent(looks, 0.05), strict=True):
        more = number - before
        new = generator.standard_normal(_PATHS) / math.sqrt(more)
        within = (more - 1) + (looks.components - 1) * (more if before else more - 1)
        squares += (before * more / number) * (new - mean) ** 2
        squares += generator.chisquare(within, _PATHS) if within else 0.0
        mean += (new - mean) * more / number
        freedom = looks.components * (number - 1)
        t = np.abs(mean) * np.sqrt(number * freedom / squares)
        crossed |= t > special.stdtrit(freedom, 1 - level / 2)
        before = number
    rate = float(crossed.mean())
    return rate + 2 * math.sqrt(rate * (1 - rate) / _PATHS)
