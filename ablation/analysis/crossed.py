"""What a significant interaction means for the main effects of a factorial or a fraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablation.analysis.beside import Beside
from ablation.analysis.contrasts import Analysed, Contrast
from ablation.analysis.sentences import Judged
from ablation.findings import Finding

METHODS: Mapping[Analysed, str] = {
    "factorial": " Main effects and all two-way interactions are one family, averaged over the other factors; simple "
    "effects are corrected together with that family.",
    "fractional": " Main effects and two-way interactions are one family, averaged over the other factors; simple "
    "effects are corrected together with that family. Interactions of three or more factors are taken as nil, and "
    "effects that the arms cannot tell apart are estimated together, as a screen.",
}
"""What the account of a route says of these designs in addition."""

_NUMBERS = ("effect", "low", "high", "p_adjusted", "p_holm", "p_sign_flip")


def singled_out(found: Sequence[Contrast], family: Sequence[Contrast]) -> list[Contrast]:
    """The interactions found whose simple effects can be told: neither they nor main effects are mixed with others."""
    mains_mixed = any(one.aliases for one in family if one.kind == "main")
    return [] if mains_mixed else [one for one in found if not one.aliases]


def qualified(judged: Judged, found: Sequence[Contrast], apart: Sequence[Contrast]) -> Judged:
    """A main effect beside the interactions found: withheld for those whose simple effects are told instead.

    Where an interaction cannot be singled out there is nothing to tell instead: the main effect stays, as an average.
    """
    if judged.contrast.kind != "main" or not found:
        return judged
    others = _partners(judged.contrast, apart)
    if others:
        return replace(
            judged, verdict="withheld", more_blocks=None, new_plan_blocks=None, beside=Beside(), withheld_for=others
        )
    return replace(judged, may_depend_on=_partners(judged.contrast, found))


def told(finding: Finding) -> Finding:
    """A finding as people are shown it: without the numbers of a main effect that is withheld."""
    return finding.model_copy(update=dict.fromkeys(_NUMBERS)) if finding.verdict == "withheld" else finding


def _partners(main: Contrast, interactions: Sequence[Contrast]) -> tuple[str, ...]:
    """The other factors of the interactions that a main effect's level takes part in."""
    place = main.changes[0]
    pairs = [pair for one in interactions for pair in zip(one.changes[::2], one.changes[1::2], strict=True)]
    others = (factor for pair in pairs if place in pair for factor, _ in pair if factor != place[0])
    return tuple(dict.fromkeys(others))
