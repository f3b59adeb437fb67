"""The effects of a regular two-level fraction: each contrast of its arms with all that it stands for.

Main effects and two-way interactions whose columns agree are one contrast (Box and Hunter 1961,
doi.org/10.1080/00401706.1961.10489951); interactions of three or more factors are taken as nil. In the units of a
factorial's effects a main effect is mixed with halves of interactions, since an interaction is a difference of two
differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablation.analysis.contrasts import Contrast
from ablation.analysis.factorial import Arms, Factors, interaction, level_effect, varied
from ablation.findings import Aliasing
from ablation.fractions import MOST_FACTORS, Fraction, factors_in, fraction_of, sign_of

_LEAST_RESOLUTION = 3


def fraction_in(arms: Arms, factors: Factors) -> Fraction | None:
    """The regular fraction of resolution III or more that these arms are, None where they are none or the whole."""
    names = varied(factors)
    if len(names) > MOST_FACTORS or any(len(levels) != 2 for levels in names.values()):
        return None
    if any(levels.get(factor) is None for levels in arms for factor in names):
        return None
    runs = [sum((arm[factor] == both[1]) << at for at, (factor, both) in enumerate(names.items())) for arm in arms]
    found = fraction_of(runs, len(names))
    return found if found and (found.resolution or 0) >= _LEAST_RESOLUTION else None


def main_and_chains(arms: Arms, factors: Factors, fraction: Fraction) -> list[Contrast]:
    """The family that is tested: each main effect, and each chain of two-way interactions that holds no main effect."""
    names = varied(factors)
    return [_contrast(arms, names, chain) for chain in fraction.aliases()]


def aliasing(fraction: Fraction, factors: Sequence[str]) -> Aliasing:
    """What a fraction cannot tell apart, by the names of its factors."""
    resolution = fraction.resolution
    assert resolution is not None, "the full factorial has no aliases"
    return Aliasing(
        resolution=resolution,
        arms=fraction.num_arms,
        combinations=fraction.num_combinations,
        defining_relation=tuple(_signed(word, sign_of(word), factors) for word in fraction.words()),
        aliases=tuple(
            tuple(_signed(effect, sign_of(chain[0] ^ effect), factors) for effect in chain)
            for chain in fraction.aliases()
            if len(chain) > 1
        ),
    )


def _contrast(arms: Arms, names: Mapping[str, Sequence[str]], chain: Sequence[int]) -> Contrast:
    """A main effect comes first in its chain, less half of each interaction: a word of three has the sign -."""
    listed, (first, *others) = list(names), chain
    places = [((factor, names[factor][1]), names[factor][0]) for factor in (listed[at] for at in factors_in(first))]
    if len(places) == 1:
        (place, reference) = places[0]
        contrast = level_effect("main", arms, place, reference, None)
        return replace(contrast, aliases=tuple(_term(other, listed) for other in others))
    contrast = interaction(arms, places[0], places[1])
    if not others:
        return contrast
    terms = [_term(effect, listed) for effect in chain]
    changes = tuple((listed[at], names[listed[at]][1]) for effect in chain for at in factors_in(effect))
    return replace(
        contrast,
        factor=" + ".join(terms),
        level="",
        reference="",
        changes=changes,
        aliases=tuple(terms[1:]),
    )


def _term(effect: int, names: Sequence[str]) -> str:
    return " × ".join(names[at] for at in factors_in(effect))


def _signed(effect: int, sign: int, names: Sequence[str]) -> str:
    return f"{'-' if sign < 0 else ''}{_term(effect, names)}"
