"""Which questions a design asks, as weights over its arms: every other arm against the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ablation.findings import Kind

Analysed = Literal["contrasts", "factorial", "fractional", "search"]
"""What is asked of the arms: each against the baseline, a factorial's effects, a fraction's, or nothing (a search)."""

Levels = Mapping[str, str]
Place = tuple[str, str]
"""A factor and one of its levels."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of arm means that is zero where nothing has an effect."""

    kind: Kind
    factor: str
    level: str
    reference: str
    weights: tuple[float, ...]
    """One for each arm, in the order of the arms; they add up to zero."""
    arm: str = ""
    reference_arm: str = ""
    changes: tuple[Place, ...] = ()
    """Of a factorial's effects: what is changed, one place for a main or simple effect, two for an interaction, and two
    in turn for each of a sum of interactions."""
    where: Place | None = None
    """Of a simple effect: the level that the other factor is held at."""
    aliases: tuple[str, ...] = ()
    """In a fraction: the interactions that the arms cannot tell from this effect."""


def against_baseline(arms: Mapping[str, Levels], baseline: str, factors: Mapping[str, Sequence[str]]) -> list[Contrast]:
    """One contrast for each other arm, in the order of the arms."""
    return [
        _contrast(name, list(arms), baseline, _changed(levels, factors))
        for name, levels in arms.items()
        if name != baseline
    ]


def _changed(levels: Levels, factors: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    """The factors that are not at their reference: level and reference of each."""
    return {
        factor: (levels[factor], names[0])
        for factor, names in factors.items()
        if factor in levels and levels[factor] != names[0]
    }


def _contrast(arm: str, arms: Sequence[str], baseline: str, changed: Mapping[str, tuple[str, str]]) -> Contrast:
    """An arm that changes one factor is told by its level, one that changes several by its name."""
    level, reference = next(iter(changed.values())) if len(changed) == 1 else (arm, baseline)
    weights = tuple(float((name == arm) - (name == baseline)) for name in arms)
    return Contrast("main", " + ".join(changed) or "arm", level, reference, weights, arm=arm, reference_arm=baseline)
