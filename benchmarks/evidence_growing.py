"""What growing plans save, and how often they are wrong: studies replayed by the code that grows real ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from evidence_page import Row, Table, share
from simulated import Floats, World, power

from ablation.analysis.growing import Grown, Plan, replay
from ablation.analysis.routes import Rule, choose_route

EFFECTS = (0.0, 0.5, 1.0, 2.0, 3.0)
MARGIN = 1.0
"""In standard deviations of the error: the default of 0.2 pp for runs that vary by as much."""
SAVING = (3, 20)
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
    """Trials of a growing plan by the effect that all its arms have, against the smallest fixed plan of equal power."""
    start, most = SAVING
    trials, found = np.zeros(len(EFFECTS)), np.zeros(len(EFFECTS))
    for index, effect in enumerate(EFFECTS):
        world = replace(World(arms, most), effects=(effect,) * (arms - 1))
        for scores in world.studies(studies):
            grown = _grown(scores, world, start)
            trials[index] += _trials(grown) / studies
            found[index] += np.mean(_found(grown)) / studies
    fixed = arms * _fixed_blocks(arms, float(found[1:].mean()))
    ratios = f"{trials.mean() / fixed:.2f}", f"{trials[-1] / fixed:.2f}"
    return [
        str(arms),
        *(f"{mean:.1f} ({100 * rate:.0f})" for mean, rate in zip(trials, found, strict=True)),
        str(fixed),
        *ratios,
    ]


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


def _fixed_blocks(arms: int, mean_power: float) -> int:
    """The fewest seed blocks of a fixed plan whose power in theory, over the effects that are not zero, is as large."""
    contrasts = World(arms, 2).contrasts
    blocks = 2
    while np.mean([power(contrasts, arms, blocks, effect) for effect in EFFECTS[1:]]) < mean_power:
        blocks += 1
    return blocks


TABLES = (
    Table(
        "What growing saves",
        f"Plans with `seeds: {{start: {SAVING[0]}, max: {SAVING[1]}, until: decided}}` and a margin of one standard "
        "deviation, where all arms but the baseline have the effect. Trials a study, and in brackets the percentage of "
        "effects that were found; then the trials of the smallest fixed plan whose mean power in theory over 0.5, 1, 2 "
        "and 3 is as large, and what of them growing takes: over all five effects, and at 3.",
        ("arms", *(f"effect {effect:g}" for effect in EFFECTS), "fixed plan", "part of it", "at 3"),
        (2, 3, 5),
        saved,
        part=5,
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
    ),
)
