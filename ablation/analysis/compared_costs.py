"""What the two sides of a comparison cost: within the seed blocks in which both ran alike, else why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablation.analysis.beside import ratio_of
from ablation.analysis.comparable import alike, circumstances, in_words
from ablation.analysis.sides import Pair, Side
from ablation.findings import Parameters, Ratio
from ablation.trial import Cost

_READ: tuple[Callable[[Cost], float], ...] = (
    lambda cost: cost.seconds,
    lambda cost: cost.images_per_second,
    lambda cost: cost.peak_memory_bytes,
)


@dataclass(frozen=True, slots=True)
class SideCosts:
    """Medians of the complete trials of one side, None where there is no such trial, and what they ran under."""

    seconds: float | None
    images_per_second: float | None
    peak_memory: float | None
    parameters: int | None
    circumstances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedCosts:
    """B over A, None where too few seed blocks can be compared, and in words why."""

    seconds: Ratio | None
    images_per_second: Ratio | None
    peak_memory: Ratio | None
    note: str
    parameters: Parameters | None


@dataclass(frozen=True, slots=True)
class _Ran:
    """One complete trial of which the cost is known."""

    cost: Cost
    circumstances: str


def compared_costs(pair: Pair) -> ComparedCosts:
    """Ratios of B over A where they may be taken; counted parameters always."""
    ran_a, ran_b = _ran(pair.a, pair.blocks_a), _ran(pair.b, pair.blocks_b)
    both = sorted(ran_a.keys() & ran_b.keys()) if pair.paired else []
    like = [block for block in both if alike((ran_a[block].circumstances, ran_b[block].circumstances))]
    costs = [(ran_a[block].cost, ran_b[block].cost) for block in like]
    seconds, rate, memory = (_ratio(costs, read) for read in _READ)
    a, b = _parameters(ran_a), _parameters(ran_b)
    return ComparedCosts(
        seconds=seconds,
        images_per_second=rate,
        peak_memory=memory,
        note=_note((ran_a, ran_b), pair, both, like),
        parameters=None if a is None or b is None else Parameters(level=b, reference=a),
    )


def side_costs(side: Side, blocks: Sequence[int]) -> SideCosts:
    """What one side took in these seed blocks."""
    ran = _ran(side, blocks)
    values = [[read(one.cost) for one in ran.values()] for read in _READ]
    seconds, rate, memory = (float(np.median(each)) if each else None for each in values)
    under = sorted({in_words(one.circumstances) for one in ran.values()})
    return SideCosts(seconds, rate, memory, _parameters(ran), tuple(under))


def _ran(side: Side, blocks: Sequence[int]) -> dict[int, _Ran]:
    outcomes = {block: one.outcome for block, one in side.complete(blocks).items() if one.outcome}
    return {block: _Ran(one.cost, circumstances(one.stamp)) for block, one in outcomes.items() if one.cost is not None}


def _parameters(ran: Mapping[int, _Ran]) -> int | None:
    return max((one.cost.parameters for one in ran.values()), default=None)


def _ratio(costs: Sequence[tuple[Cost, Cost]], read: Callable[[Cost], float]) -> Ratio | None:
    """None of fewer than two seed blocks, and of a cost that was not measured."""
    known = [(read(a), read(b)) for a, b in costs]
    return ratio_of(np.log([b / a for a, b in known])) if all(min(pair) > 0 for pair in known) else None


def _note(ran: tuple[Mapping[int, _Ran], ...], pair: Pair, both: Sequence[int], like: Sequence[int]) -> str:
    """Why costs are not compared, or not in all seed blocks; empty where they are."""
    read = [[side[block] for block in both] if pair.paired else list(side.values()) for side in ran]
    if not all(read):
        return "Costs are not compared: they are known of complete trials alone."
    found = [sorted({one.circumstances for one in side}) for side in read]
    if not all(map(all, found)):
        return "Costs are not comparable: it is not known what the trials ran on."
    told_a, told_b = (" or ".join(map(in_words, texts)) for texts in found)
    told = f"A ran on {told_a}; B ran on {told_b}"
    unlike = len(like) < min(2, len(both)) if pair.paired else not alike([*found[0], *found[1]])
    if unlike:
        return f"Costs are not comparable: {told}."
    if not pair.paired:
        return "Costs are compared within seed blocks, and none is shared."
    if len(both) < 2:
        return "It takes two seed blocks to compare costs."
    if len(like) < len(both):
        of = f"{len(like)} of {len(both)} seed blocks"
        return f"Costs are compared in {of}; in the others they are not comparable: {told}."
    return ""
