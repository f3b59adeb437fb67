"""What growing plans save, and how often they are wrong: studies replayed by the code that grows real ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from evidence_page import Row, Table, share
from simulated import Floats, World

from ablation.analysis.growing import Grown, Plan, replay
from ablation.analysis.routes import Rule, choose_route

EFFECTS = (0.0, 0.5, 1.0, 2.0, 3.0)
MARGIN = 1.0
"""In standard deviations of the error: the default of 0.2 pp for runs that vary by as much."""
SAVING = (3, 20)
FIXED = tuple(range(10, 23, 2))
"""Seed blocks of the fixed plans that growing ones are held against."""
LOOKS = (5, 10, 15, 20, 25)


@dataclass(frozen=True, slots=True)
class Grows:
    """A growing plan in a world."""

    arms: int
    start: int
    max: int
    noisy_arm: int | None = None

    @property
    def world(self) -> World:
        """Its studies have all the seed blocks that they may come to."""
        return World(self.arms, self.max, noisy_arm=self.noisy_arm)


def saved(arms: int, studies: int) -> Row:
    """Trials of a growing plan by the effect that all its arms have, against fixed plans of equal mean power."""
    growth = savings(arms, studies)
    return [
        str(arms),
        *(f"{mean:.1f} ({100 * rate:.0f})" for mean, rate in zip(growth.trials, growth.found, strict=True)),
        f"{growth.fixed:.1f}",
        f"{growth.part:.2f} ± {2 * growth.error:.2f}",
        f"{growth.part_at_largest:.2f}",
    ]


@dataclass(frozen=True, slots=True)
class Savings:
    """What growing takes, by the effect, and what a fixed plan that finds as much does."""

    trials: Floats
    found: Floats
    """The share of effects that were found."""
    fixed: float
    """Trials of the fixed plan of equal mean power, between two whole numbers of seed blocks where need be."""
    error: float
    """Monte-Carlo standard error of `part`."""

    @property
    def part(self) -> float:
        """Of the fixed plan's trials, over all effects in equal parts."""
        return float(self.trials.mean()) / self.fixed

    @property
    def part_at_largest(self) -> float:
        """Of the fixed plan's trials, where the effect is the largest one."""
        return float(self.trials[-1]) / self.fixed


def savings(arms: int, studies: int) -> Savings:
    """Growing and fixed plans of the same scores, both by the route that real studies take."""
    trials, found = np.zeros((len(EFFECTS), studies)), np.zeros((len(EFFECTS), studies))
    by_plan = np.zeros((len(FIXED), len(EFFECTS), studies))
    for index, effect in enumerate(EFFECTS):
        world = replace(World(arms, FIXED[-1]), effects=(effect,) * (arms - 1))
        for number, scores in enumerate(world.studies(studies)):
            grown = _grown(scores[:, : SAVING[1]], replace(world, blocks=SAVING[1]), SAVING[0])
            trials[index, number], found[index, number] = _trials(grown), np.mean(_found(grown))
            if effect:
                by_plan[:, index, number] = [_found_by_fixed(scores[:, :blocks], world) for blocks in FIXED]
    fixed = arms * _as_powerful(by_plan, found)
    tenths = [
        trials[:, part].mean() / arms / _as_powerful(by_plan[..., part], found[:, part])
        for part in np.array_split(np.arange(studies), 10)
    ]
    return Savings(trials.mean(axis=1), found.mean(axis=1), fixed, float(np.std(tenths, ddof=1) / np.sqrt(10)))


def _as_powerful(by_plan: Floats, found: Floats) -> float:
    """Seed blocks, interpolated, of the fixed plan that finds as many of the effects that are not zero."""
    power = by_plan[:, 1:].mean(axis=(1, 2))
    return float(np.interp(found[1:].mean(), np.maximum.accumulate(power), FIXED))


def _found_by_fixed(scores: Floats, world: World) -> float:
    estimates = choose_route(scores, 0).estimate(world.contrasts)
    intervals = [estimate.interval for estimate in estimates]
    return float(np.mean([one is not None and not one.low <= 0 <= one.high for one in intervals]))


def wrong(plan: Grows, studies: int) -> Row:
    """Studies in which nothing has an effect and at least one has a finding at whatever look."""
    grown = [_grown(scores, plan.world, plan.start) for scores in plan.world.studies(studies)]
    noisy = {None: "none", 0: "baseline"}.get(plan.noisy_arm, "another")
    rate = float(np.mean([any(_found(one)) for one in grown]))
    covered = float(np.mean([all(_holds_zero(one)) for one in grown]))
    return [str(plan.arms), f"{plan.start} to {plan.max}", noisy, share(rate, studies), share(covered, studies)]


def extended(arms: int, studies: int) -> Row:
    """A fixed plan that is extended four times, judged by the anytime-valid sequence after each time."""
    world, found = World(arms, LOOKS[-1]), np.zeros(len(LOOKS))
    rule = Rule(anytime=True, contrasts=arms - 1)
    for scores in world.studies(studies):
        at_look = []
        for blocks in LOOKS:
            intervals = [one.interval for one in choose_route(scores[:, :blocks], 0, rule).estimate(world.contrasts)]
            at_look.append(any(one is not None and (one.low > 0 or one.high < 0) for one in intervals))
        found += np.maximum.accumulate(at_look)
    return [str(arms), *(share(rate, studies) for rate in found / studies)]


def _grown(scores: Floats, world: World, start: int) -> Grown:
    plan = Plan(start, world.blocks, MARGIN, baseline=0)
    return replay(scores, np.ones_like(scores, dtype=bool), world.contrasts, plan)


def _trials(grown: Grown) -> int:
    """Each arm runs up to the look that decides it, the baseline up to the last of them."""
    blocks = [estimate.blocks for estimate in grown.estimates]
    return sum(blocks) + max(blocks)


def _found(grown: Grown) -> list[bool]:
    return [not holds for holds in _holds_zero(grown)]


def _holds_zero(grown: Grown) -> list[bool]:
    intervals = [estimate.interval for estimate in grown.estimates]
    return [one is None or one.low <= 0 <= one.high for one in intervals]


TABLES = (
    Table(
        "What growing saves",
        f"Plans with `seeds: {{start: {SAVING[0]}, max: {SAVING[1]}, until: decided}}` and a margin of one standard "
        "deviation, where all arms but the baseline have the effect. Trials a study, and in brackets the percentage of "
        "effects that were found; then the trials of the fixed plan (between two whole numbers of seed blocks where "
        "need be) that finds as many over 0.5, 1, 2 and 3, analysed by the same route from the same scores, and what "
        "of them growing takes: over all five effects, and at 3.",
        ("arms", *(f"effect {effect:g}" for effect in EFFECTS), "fixed plan", "part of it", "at 3"),
        (2, 3, 5),
        saved,
        part=4,
    ),
    Table(
        "How often growing plans are wrong",
        "Nothing has an effect; a finding of any look counts. The noisy arm has 3.5 times the variance. Five looks are "
        "those of 4 to 8 seed blocks.",
        ("arms", "seed blocks", "noisy arm", "false finding", "all intervals hold"),
        (
            *(Grows(arms, 4, 8) for arms in (2, 3, 5)),
            *(Grows(arms, 3, 20, noisy) for arms in (2, 3, 5) for noisy in (None, arms - 1, 0)),
        ),
        wrong,
        part=4,
    ),
    Table(
        "Looking five times at a plan that was extended",
        "Nothing has an effect; five seed blocks and four extensions by five. Once a plan is extended, verdicts come "
        "from the anytime-valid sequence. False findings by then.",
        ("arms", *(f"by {blocks} seed blocks" for blocks in LOOKS)),
        (2, 3, 5, 9),
        extended,
        part=2,
    ),
)
