"""Which contrasts a design is asked for: the one family that intervals and verdicts are corrected for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablation.analysis.contrasts import Analysed, Contrast, Levels, against_baseline
from ablation.analysis.factorial import is_full_factorial, main_and_interactions
from ablation.analysis.fractional import fraction_in, main_and_chains


def analysed_as(kind: str, arms: Sequence[Levels], factors: Mapping[str, Sequence[str]]) -> Analysed:
    """What is asked of a design's arms. Where arms are missing from a factorial or a fraction: each by itself."""
    if kind == "search":
        return "search"
    if kind in ("factorial", "fractional") and is_full_factorial(arms, factors):
        return "factorial"
    return "fractional" if kind == "fractional" and fraction_in(arms, factors) else "contrasts"


def family(
    design: Analysed, arms: Mapping[str, Levels], baseline: str, factors: Mapping[str, Sequence[str]]
) -> list[Contrast]:
    """The contrasts, each with a weight for every arm; none of a search."""
    levels = list(arms.values())
    fraction = fraction_in(levels, factors) if design == "fractional" else None
    if fraction:
        return main_and_chains(levels, factors, fraction)
    match design:
        case "factorial":
            return main_and_interactions(levels, factors)
        case "search":
            return []
        case _:
            return against_baseline(arms, baseline, factors)
