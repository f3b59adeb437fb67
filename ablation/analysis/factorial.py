"""The effects of a full factorial: main effects, all two-way interactions, and simple effects behind an interaction.

Effect coding of a complete factorial comes down to differences of arm means: a main effect averages the level's
difference from its reference over all other factors, an interaction is the difference of two such differences.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from ablation.analysis.contrasts import Contrast, Levels, Place
from ablation.findings import Kind

Factors = Mapping[str, Sequence[str]]
Arms = Sequence[Levels]


def varied(factors: Factors) -> dict[str, Sequence[str]]:
    """The factors with more than one level."""
    return {factor: names for factor, names in factors.items() if len(names) > 1}


def is_full_factorial(arms: Arms, factors: Factors) -> bool:
    """Whether two or more factors are varied and every combination of their levels is an arm, once."""
    names = varied(factors)
    combinations = {tuple(levels.get(factor) for factor in names) for levels in arms}
    size = math.prod(map(len, names.values()))
    return len(names) >= 2 and len(combinations) == len(arms) == size and not any(None in c for c in combinations)


def main_and_interactions(arms: Arms, factors: Factors) -> list[Contrast]:
    """The family that is tested: each level against its reference, and each pair of levels of each pair of factors."""
    mains = [
        level_effect("main", arms, (factor, level), names[0], None)
        for factor, names in varied(factors).items()
        for level in names[1:]
    ]
    pairs = itertools.combinations(varied(factors).items(), 2)
    return mains + [
        interaction(arms, ((a, level_a), names_a[0]), ((b, level_b), names_b[0]))
        for (a, names_a), (b, names_b) in pairs
        for level_a, level_b in itertools.product(names_a[1:], names_b[1:])
    ]


def simple_effects(arms: Arms, factors: Factors) -> list[Contrast]:
    """Each level against its reference at each level of each other factor."""
    return [
        level_effect("simple", arms, (factor, level), names[0], (other, at))
        for (factor, names), (other, levels) in itertools.permutations(varied(factors).items(), 2)
        for level in names[1:]
        for at in levels
    ]


def behind(interaction: Contrast, simple: Contrast, factors: Factors) -> bool:
    """Whether an interaction is the difference of this simple effect and another one."""
    if simple.where is None or simple.changes[0] not in interaction.changes:
        return False
    other = next(place for place in interaction.changes if place != simple.changes[0])
    return simple.where in {other, (other[0], factors[other[0]][0])}


def level_effect(kind: Kind, arms: Arms, place: Place, reference: str, where: Place | None) -> Contrast:
    """A level against its reference, averaged over the other factors, or where one of them is held at a level."""
    factor, level = place
    held = [where] if where else []
    weights = _mean(arms, [place, *held], 1.0, _mean(arms, [(factor, reference), *held], -1.0))
    title = f"{factor} where {where[0]} is {where[1]}" if where else factor
    return Contrast(kind, title, level, reference, weights, changes=(place,), where=where)


def interaction(arms: Arms, first: tuple[Place, str], second: tuple[Place, str]) -> Contrast:
    """Two places, each with its reference: what both changes together do beyond the sum of each."""
    (a, level_a), reference_a = first
    (b, level_b), reference_b = second
    weights: tuple[float, ...] = (0.0,) * len(arms)
    for at_a, at_b in itertools.product((level_a, reference_a), (level_b, reference_b)):
        sign = 1.0 if (at_a == level_a) == (at_b == level_b) else -1.0
        weights = _mean(arms, [(a, at_a), (b, at_b)], sign, weights)
    level, reference = f"{level_a} × {level_b}", f"{reference_a} × {reference_b}"
    return Contrast("interaction", f"{a} × {b}", level, reference, weights, changes=((a, level_a), (b, level_b)))


def _mean(arms: Arms, places: Iterable[Place], sign: float, add_to: Sequence[float] = ()) -> tuple[float, ...]:
    """Weights of `sign` times the mean over the arms at these places, added to other weights."""
    chosen: Sequence[int] = range(len(arms))
    for factor, level in places:
        chosen = [at for at in chosen if arms[at][factor] == level]
    weights = list(add_to or (0.0,) * len(arms))
    for at in chosen:
        weights[at] += sign / len(chosen)
    return tuple(weights)
