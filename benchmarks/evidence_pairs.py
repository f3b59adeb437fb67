"""What is counted over designs that hold every arm against one baseline."""

from __future__ import annotations

import itertools

from evidence_page import Row, Table, share
from simulated import NOISY, Errors, Rates, World, found_by_model, power, rates

from ablation.analysis.power import detectable_effect

ARMS, BLOCKS = (2, 3, 5, 9), (3, 5, 10, 20)
SIZES = tuple(itertools.product(ARMS, BLOCKS))
MANY_ARMS = tuple(itertools.product(ARMS[1:], BLOCKS))

Size = tuple[int, int]
"""Arms, the baseline included, and seed blocks."""


def equal_arms(size: Size, studies: int) -> Row:
    """Nothing has an effect; and one arm has one that theory finds with 80 % power."""
    arms, blocks = size
    effect = _detectable(size)
    world = World(arms, blocks, effects=(effect,))
    nothing, planted = rates(World(arms, blocks), studies), rates(world, studies, stream=1)
    alone = found_by_model(world, studies, stream=1)
    theory = power(world.contrasts, arms, blocks, effect)
    return [
        *_size(size), share(nothing.false, studies), share(planted.covered, studies), f"{effect:.2f}",
        share(planted.found, studies), share(alone, studies), f"{100 * theory:.1f}",
    ]  # fmt: skip


def one_noisy_arm(size: Size, studies: int) -> Row:
    """Nothing has an effect, and one arm is noisier: the last one, or the baseline."""
    arms, blocks = size
    last, baseline = (rates(World(arms, blocks, noisy_arm=noisy), studies) for noisy in (arms - 1, 0))
    return [*_size(size), share(last.false, studies), _ways(last), share(baseline.false, studies), _ways(baseline)]


def lost_trials(size: Size, studies: int) -> Row:
    """Nothing has an effect, and trials have no score, by chance."""
    arms, blocks = size
    return [*_size(size), *(share(rates(World(arms, blocks, missing=lost), studies).false, studies) for lost in LOST)]


def other_errors(size: Size, studies: int) -> Row:
    """Nothing has an effect, and errors are not normal."""
    arms, blocks = size
    return [*_size(size), *(share(rates(World(arms, blocks, errors=each), studies).false, studies) for each in ERRORS)]


def equivalence(size: Size, studies: int) -> Row:
    """All effects lie at the margin, the least that is not inside of it; every other one at its other end; all zero."""
    arms, blocks = size
    margin = 1.5 * _detectable(size)
    at_margin = rates(World(arms, blocks, effects=(margin,) * (arms - 1)), studies, margin=margin)
    signs = tuple(margin if index % 2 else -margin for index in range(arms - 1))
    both = rates(World(arms, blocks, effects=signs), studies, margin=margin)
    zero = rates(World(arms, blocks), studies, margin=margin)
    return [*_size(size), f"{margin:.2f}", *(share(one.inside, studies) for one in (at_margin, both, zero))]


def _detectable(size: Size) -> float:
    arms, blocks = size
    effect = detectable_effect(arms - 1, blocks, 1.0)
    assert effect is not None, "three seed blocks and more leave degrees of freedom"
    return effect


def _size(size: Size) -> list[str]:
    return [str(number) for number in size]


def _ways(rate: Rates) -> str:
    """`80 / 18 / 2`."""
    return " / ".join(f"{100 * each:.0f}" for each in (rate.pooled, 1 - rate.pooled - rate.paired, rate.paired))


LOST = (0.05, 0.1, 0.25)
ERRORS: tuple[Errors, ...] = ("t3", "skewed")
_SIZE = ("arms", "seed blocks")
TABLES = (
    Table(
        "Arms that vary alike",
        "False finding: of studies in which nothing has an effect, those with at least one. The other columns "
        "come from studies in which one arm has the effect that theory finds in 80 % of them. Model alone: what the "
        "blocked linear model would find without the tests for unequal noise that come before it; the difference is "
        "what they cost.",
        (*_SIZE, "false finding", "all intervals hold", "effect", "found", "model alone", "theory"),
        SIZES,
        equal_arms,
    ),
    Table(
        f"One arm with {NOISY**2:.1f} times the variance",
        "Nothing has an effect, so all intervals of a study hold where it has no false finding. The ways are "
        "shares of the studies: one error for all arms / one of its own for a noisy arm / one for each contrast.",
        (*_SIZE, "false finding, noisy arm", "ways", "false finding, noisy baseline", "ways"),
        SIZES,
        one_noisy_arm,
    ),
    Table(
        "Trials without a score",
        "Nothing has an effect. False findings where each trial is lost with a chance of 5, 10 or 25 %, whatever "
        "its score would have been.",
        (*_SIZE, *(f"{100 * lost:.0f} % lost" for lost in LOST)),
        MANY_ARMS,
        lost_trials,
        part=2,
    ),
    Table(
        "Errors that are not normal",
        "Nothing has an effect. False findings where errors have long tails (Student's t with three degrees of "
        "freedom), and where they are skewed (exponential, the long tail towards bad scores).",
        (*_SIZE, "long tails", "skewed"),
        SIZES,
        other_errors,
        part=2,
    ),
    Table(
        "Equivalence",
        "The margin is 1.5 times the effect that is found with 80 % power. Studies in which at least one arm is "
        "told to lie inside the margin: wrongly where every effect is as large as the margin, or every other one lies "
        "at its other end, rightly where all are zero.",
        (*_SIZE, "margin", "wrongly inside", "wrongly, at both ends", "rightly inside"),
        SIZES,
        equivalence,
        part=2,
    ),
)
