"""Which levels go together: the conditions of factors, and every combination that they allow. Knows no study."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping

from ablation.study import Factor, LevelsFactor
from ablation.trial import Level

Levels = dict[str, Level]
"""The level of each factor that takes part."""

_MANY_STATES = 1000


def active(factors: Mapping[str, Factor], levels: Mapping[str, Level]) -> Levels:
    """The levels of those factors whose conditions hold, in the order of the factors."""
    held: Levels = {}
    for name in factor_order(factors):
        if name in levels and holds(factors[name], held):
            held[name] = levels[name]
    return {name: held[name] for name in factors if name in held}


def holds(factor: Factor, levels: Mapping[str, Level]) -> bool:
    """Whether a factor takes part at these levels of the others."""
    return all(
        levels.get(other) in ([wanted] if isinstance(wanted, str) else wanted) for other, wanted in factor.when.items()
    )


def factor_order(factors: Mapping[str, Factor]) -> tuple[str, ...]:
    """The factors in file order, but each after those that its condition names. A cycle is cut where it is met."""
    ordered: dict[str, None] = {}
    met: set[str] = set()

    def visit(name: str) -> None:
        if name in met:
            return
        met.add(name)
        for other in factors[name].when:
            if other in factors:
                visit(other)
        ordered[name] = None

    for name in factors:
        visit(name)
    return tuple(ordered)


def contexts(factors: Mapping[str, Factor], name: str) -> Iterator[Levels]:
    """The levels of other factors at which a factor takes part, for each way in which its conditions can hold."""
    conditions = factors[name].when
    wanted = [[levels] if isinstance(levels, str) else levels for levels in conditions.values()]
    for chosen in itertools.product(*wanted):
        levels: Levels = {}
        for other in conditions:
            levels |= next(contexts(factors, other), {})
        yield {**levels, **dict(zip(conditions, chosen, strict=True))}


def combinations(factors: Mapping[str, Factor]) -> Iterator[Levels]:
    """Every combination of levels in file order, each active factor once over its levels."""
    ordered = factor_order(factors)

    def extend(levels: Levels, rest: tuple[str, ...]) -> Iterator[Levels]:
        if not rest:
            yield {name: levels[name] for name in factors if name in levels}
            return
        factor = factors[rest[0]]
        if not isinstance(factor, LevelsFactor) or not holds(factor, levels):
            yield from extend(levels, rest[1:])
            return
        for level in factor.levels:
            yield from extend({**levels, rest[0]: level}, rest[1:])

    return extend({}, ordered)


def count_combinations(factors: Mapping[str, Factor], enough: int) -> int:
    """How many combinations there are, counted by the levels that later conditions name; listing them takes minutes.

    Where those alone are more than a few, the count ends once it is beyond `enough`.
    """
    ordered = factor_order(factors)
    last = {other: at for at, name in enumerate(ordered) for other in factors[name].when}
    live: list[str] = []
    counts = Counter[tuple[str | None, ...]]({(): 1})
    for at, name in enumerate(ordered):
        factor, grown = factors[name], Counter[tuple[str | None, ...]]()
        kept = [place for place, other in enumerate([*live, name]) if last.get(other, -1) > at]
        for state, count in counts.items():
            held: Levels = {other: level for other, level in zip(live, state, strict=True) if level is not None}
            taken = factor.levels if isinstance(factor, LevelsFactor) and holds(factor, held) else (None,)
            for level in taken:
                extended = (*state, level)
                grown[tuple([extended[place] for place in kept])] += count
        live = [[*live, name][place] for place in kept]
        counts = grown
        if len(counts) > _MANY_STATES and counts.total() > enough:
            break
    return counts.total()
