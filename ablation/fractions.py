"""Fractions of the two-level factorial: which combinations are run, and which effects that makes one. Knows no study.

A factor is 0 at its reference and 1 at its other level. Each of the first m factors is free; each further one is the
sum, modulo 2, of those that its generator names, so that a fraction holds the arm with every factor at its reference.
Sets of factors are bit masks, factor i being bit i.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_FACTORS = 16

_GENERATORS: Mapping[int, tuple[str, ...]] = {
    3: ("AB",),
    4: ("ABC",),
    5: ("AB AC", "ABCD"),
    6: ("AB AC BC", "ABC ABD", "ABCDE"),
    7: ("AB AC BC ABC", "ABC ABD ACD", "ABCDEF"),
    8: ("ABC ABD ACD BCD", "ABCD ABEF"),
    9: ("AB AC AD BCD ABCD", "ABCD ABE ACE ADE", "ABCDE ABCFG"),
    10: ("AB AC BC AD BCD ABCD", "ABCD ABE ACE ADE BCDE", "ABCD ABEF ACEG"),
    11: ("AB AC BC AD BD ACD ABCD", "ABC ABD ACD ABE ACE ADE", "ABCD ABEF ACEG BDFG"),
    12: ("AB AC BC AD BD ACD BCD ABCD", "ABC ABD ACD BCD ABE ACE ADE", "ABCDE ABCFG ABDFH ACEGH"),
    13: (
        "AB AC BC ABC AD BD ABD CD ACD",
        "ABC ABD ACD BCD ABE ACE BCE ADE",
        "ABCD ABCDEFG ABEFH ACEGH ADFGH",
    ),
    14: (
        "AB AC BC ABC AD BD ABD CD ACD BCD",
        "ABC ABD ACD BCD ABE ACE BCE ADE BDE",
        "ABCD ABEF ACEG BDEH ABFGH ABCDEFGH",
    ),
    15: (
        "AB AC BC ABC AD BD ABD CD ACD BCD ABCD",
        "ABC ABD ACD BCD ABE ACE BCE ADE BDE CDE",
        "ABCD ABEF ACEG BDFG BCDEH ADEFH ABCDEFGH",
    ),
    16: ("ABC ABD ACD BCD ABE ACE BCE ADE BDE CDE ABCDE", "ABCD ABEF ACEG BDFG BCEH CDFH DEGH AFGH"),
}
"""By the number of factors: the generators of the smallest fractions of resolution III, IV and V, each of minimum
aberration (Fries and Hunter 1980, doi.org/10.1080/00401706.1980.10486210): of all fractions of its size and
resolution, one with the fewest shortest words. Found by exhaustive search, which the tests repeat up to 128 arms;
catalogues are Chen, Sun and Wu (1993, doi.org/10.2307/1403599) up to 64 arms, and Xu (2009,
doi.org/10.1198/TECH.2009.07120). Where there are fewer than three entries, one of them serves two resolutions, or the
full factorial is the smallest."""


@dataclass(frozen=True, slots=True)
class Fraction:
    """A regular fraction with 2^m arms; `columns` has for each factor the mask of the free choices that it adds up."""

    columns: tuple[int, ...]
    num_free: int

    @property
    def num_arms(self) -> int:
        """How many combinations are run."""
        return 1 << self.num_free

    @property
    def num_combinations(self) -> int:
        """How many the full factorial has."""
        return 1 << len(self.columns)

    @property
    def resolution(self) -> int | None:
        """The length of the shortest word of the defining relation, None of the full factorial."""
        return min(map(int.bit_count, self.words()), default=None)

    def runs(self) -> Iterator[int]:
        """For each arm the mask of the factors that are not at their reference, the baseline first."""
        for free in range(self.num_arms):
            yield sum((column & free).bit_count() % 2 << factor for factor, column in enumerate(self.columns))

    def words(self) -> list[int]:
        """The defining relation: every set of factors whose effects multiply to a constant, the shortest first."""
        found, basis = [0], dict[int, int]()
        for factor, column in enumerate(self.columns):
            left, word = column, 1 << factor
            for known in sorted(basis, reverse=True):
                if left ^ known < left:
                    left, word = left ^ known, word ^ basis[known]
            if left:
                basis[left] = word
            else:
                found += [word ^ other for other in found]
        return sorted(found[1:], key=lambda word: (word.bit_count(), word))

    def aliases(self) -> list[tuple[int, ...]]:
        """Main effects and two-way interactions in chains that the fraction cannot tell apart, main effects first."""
        singles = [1 << factor for factor in range(len(self.columns))]
        pairs = [one | other for one, other in itertools.combinations(singles, 2)]
        chains: dict[int, list[int]] = {}
        for effect in (*singles, *pairs):
            chains.setdefault(self._column(effect), []).append(effect)
        return [tuple(chain) for chain in chains.values()]

    def _column(self, effect: int) -> int:
        column = 0
        for factor in factors_in(effect):
            column ^= self.columns[factor]
        return column


def smallest_fraction(num_factors: int, resolution: int) -> Fraction:
    """The smallest fraction of at least this resolution, 3 to 5; the full factorial where no part of it has that."""
    if num_factors > MOST_FACTORS:
        raise ValueError(f"fractions are listed for at most {MOST_FACTORS} factors")
    for generators in _GENERATORS.get(num_factors, ()):
        fraction = _generated(num_factors, generators.split())
        if (fraction.resolution or 0) >= resolution:
            return fraction
    return _generated(num_factors, ())


def fraction_of(runs: Iterable[int], num_factors: int) -> Fraction | None:
    """The regular fraction that these arms are, the baseline among them; None where they are none."""
    given = list(runs)
    arms, basis = set(given), list[int]()
    spanned = [0]
    for run in sorted(arms):
        if run not in set(spanned):
            basis.append(run)
            spanned += [run ^ other for other in spanned]
        if len(spanned) > len(arms):
            return None
    if set(spanned) != arms or len(given) != len(arms):
        return None
    columns = (sum((run >> factor & 1) << at for at, run in enumerate(basis)) for factor in range(num_factors))
    return Fraction(tuple(columns), len(basis))


def factors_in(effect: int) -> Iterator[int]:
    """The factors of a set, in their order."""
    return (factor for factor in range(effect.bit_length()) if effect >> factor & 1)


def sign_of(word: int) -> int:
    """What a word's effects multiply to, where a factor counts -1 at its reference and +1 at its other level."""
    return -1 if word.bit_count() % 2 else 1


def _generated(num_factors: int, generators: Sequence[str]) -> Fraction:
    num_free = num_factors - len(generators)
    further = (sum(1 << ord(letter) - ord("A") for letter in generator) for generator in generators)
    return Fraction((*(1 << factor for factor in range(num_free)), *further), num_free)
