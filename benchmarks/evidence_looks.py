"""What is counted over studies that are looked at more than once."""

from __future__ import annotations

import numpy as np
from evidence_page import Row, Table, share
from simulated import GOOD, World

from ablation.analysis.routes import choose_route
from ablation.analysis.verdicts import verdict_of

LOOKS = (5, 10, 15, 20, 25)


def naive(arms: int, studies: int) -> Row:
    """A fixed plan that is analysed again after every five seed blocks, as if each time were the only one."""
    world = World(arms, LOOKS[-1])
    found = np.zeros(len(LOOKS))
    for scores in world.studies(studies):
        at_look = [_any_finding(world, scores[:, :blocks]) for blocks in LOOKS]
        found += np.maximum.accumulate(at_look)
    return [str(arms), *(share(rate, studies) for rate in found / studies)]


def _any_finding(world: World, scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    estimates = choose_route(scores, 0).estimate(world.contrasts)
    return any(verdict_of(one, 0.0, GOOD) in ("helps", "hurts") for one in estimates)


TABLES = (
    Table(
        "Looking five times at a fixed plan",
        "What goes wrong without a rule for growing: nothing has an effect, and the plan's intervals, which are "
        "meant for one look, are drawn after 5, 10, 15, 20 and 25 seed blocks. False findings by then.",
        ("arms", *(f"by {blocks} seed blocks" for blocks in LOOKS)),
        (2, 3, 5, 9),
        naive,
        part=2,
    ),
)
