"""What is counted over factorials: false findings, and an interaction that is there."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from evidence_page import Row, Table, share
from scipy import optimize
from simulated import BLOCK_SD, GOOD, SEED, Floats, power

from ablation.analysis.analyse import analyse
from ablation.analysis.contrasts import Analysed, Contrast
from ablation.analysis.factorial import simple_effects
from ablation.analysis.families import family
from ablation.analysis.power import POWER
from ablation.analysis.results import ResultsTable, framed
from ablation.analysis.routes import choose_route
from ablation.analysis.verdicts import TOLD_FROM_ZERO, verdict_of
from ablation.findings import Finding
from ablation.fractions import smallest_fraction


@dataclass(frozen=True, slots=True)
class Crossed:
    """A factorial of the factors a, b, c and so on, each with so many levels, in so many seed blocks."""

    levels: tuple[int, ...]
    blocks: int
    resolution: int | None = None
    """Of the fraction that is run; None: all of it."""

    @property
    def factors(self) -> dict[str, tuple[str, ...]]:
        """The names of the levels by factor."""
        return {"abcdefgh"[index]: tuple(map(str, range(count))) for index, count in enumerate(self.levels)}

    @property
    def arms(self) -> dict[str, dict[str, str]]:
        """The levels of each arm by its name, the baseline first."""
        combinations: Iterable[tuple[str, ...]] = itertools.product(*self.factors.values())
        if self.resolution:
            count = len(self.levels)
            runs = smallest_fraction(count, self.resolution).runs()
            combinations = (tuple(str(run >> at & 1) for at in range(count)) for run in runs)
        return {"".join(levels): dict(zip(self.factors, levels, strict=True)) for levels in combinations}

    @property
    def family(self) -> list[Contrast]:
        """What is tested."""
        design: Analysed = "fractional" if self.resolution else "factorial"
        return family(design, self.arms, next(iter(self.arms)), self.factors)

    def noise(self, generator: np.random.Generator) -> Floats:
        """Scores of arms x seed blocks without any effect."""
        shape = (len(self.arms), self.blocks)
        return generator.standard_normal(shape) + BLOCK_SD * generator.standard_normal(self.blocks)

    def together(self, effect: float) -> Floats:
        """The true mean of each arm where the last levels of a and b do something together, and nothing alone."""
        last = [str(count - 1) for count in self.levels[:2]]
        return np.array([effect * ([levels["a"], levels["b"]] == last) for levels in self.arms.values()])

    def table(self, scores: Floats) -> ResultsTable:
        """The results table of a study with these scores as accuracies."""
        rows = [
            {"trial": f"{arm}-{block}", "arm": arm, "block": block, "status": "complete", "accuracy": score}
            for arm, of_arm in zip(self.arms, scores, strict=True)
            for block, score in enumerate(of_arm.tolist())
        ]
        return ResultsTable(
            frame=framed(rows), arms=self.arms, baseline=next(iter(self.arms)), factors=self.factors,
            design="factorial", metric="accuracy", margin=0.1, planned_blocks=self.blocks,
        )  # fmt: skip


def nothing(design: Crossed, studies: int) -> Row:
    """No factor has an effect."""
    generator, contrasts = _generator(design), design.family
    false = 0
    for _ in range(studies):
        estimates = choose_route(design.noise(generator), None).estimate(contrasts)
        false += any(verdict_of(one, 0.0, GOOD) in TOLD_FROM_ZERO for one in estimates)
    return [*_design(design), str(len(contrasts)), share(false / studies, studies)]


def interaction(design: Crossed, studies: int) -> Row:
    """The last levels of a and b have an effect only together, one that theory finds with 80 % power.

    Explained: its main effects are withheld, and simple effects given in their place.
    """
    arms, generator = list(design.arms.values()), _generator(design)
    planted = next(one for one in reversed(design.family) if one.factor == "a × b")
    effect = optimize.brentq(lambda size: _power(design, planted, size) - POWER, 0.01, 100.0)
    means = design.together(effect)
    contrasts = [*design.family, *simple_effects(arms, design.factors)]
    nil = {_key(one) for one in contrasts if abs(np.dot(one.weights, means)) < 1e-9}
    counts = np.zeros(4)
    for _ in range(studies):
        findings = analyse(design.table(design.noise(generator) + means[:, None])).findings
        counts += _told(findings, _key(planted), nil)
    found, wrong, false, explained = counts / studies
    return [
        *_design(design), f"{effect:.2f}", share(found, studies), f"{100 * POWER:.1f}", share(wrong, studies),
        share(false, studies), f"{100 * explained / found:.1f}",
    ]  # fmt: skip


Key = tuple[str, str, str]


def _told(findings: Sequence[Finding], planted: Key, nil: set[Key]) -> list[bool]:
    """Whether the interaction was found; with the wrong sign; a nil effect was found; the interaction was explained."""
    verdicts = {_key(one): one.verdict for one in findings}
    found = verdicts[planted] == "above the sum"
    mains = [one.verdict for one in findings if one.kind == "main" and one.factor in ("a", "b")]
    simple = any(one.kind == "simple" for one in findings)
    withheld = mains.count("withheld") >= 2
    return [
        found,
        verdicts[planted] == "below the sum",
        any(verdict in TOLD_FROM_ZERO and key in nil for key, verdict in verdicts.items()),
        found and simple and withheld,
    ]


def _power(design: Crossed, planted: Contrast, size: float) -> float:
    """Of finding the interaction where the arm means are these."""
    others = [one for one in design.family if one is not planted and _key(one) != _key(planted)]
    return power([planted, *others], len(design.arms), design.blocks, size)


def _key(one: Contrast | Finding) -> Key:
    return one.kind, one.factor, one.level


def _generator(design: Crossed) -> np.random.Generator:
    return np.random.default_rng([SEED, *design.levels, design.blocks, design.resolution or 0])


def _design(design: Crossed) -> list[str]:
    crossed = " × ".join(map(str, design.levels))
    part = (
        f"{len(design.levels)} factors, resolution {['III', 'IV', 'V'][design.resolution - 3]}"
        if design.resolution
        else ""
    )
    return [part or crossed, str(design.blocks)]


_SIZE = ("levels", "seed blocks")
TABLES = (
    Table(
        "Factorials and fractions where nothing has an effect",
        "Main effects and two-way interactions are one family; of a fraction, what its arms can tell apart.",
        (*_SIZE, "effects tested", "false finding"),
        (
            *(Crossed(levels, blocks) for levels in ((2, 2), (3, 2), (2, 2, 2), (3, 3)) for blocks in (3, 5, 10)),
            *(
                Crossed((2,) * count, blocks, order)
                for count, order in ((5, 5), (6, 4), (7, 3))
                for blocks in (3, 5, 10)
            ),
        ),
        nothing,
        part=2,
    ),
    Table(
        "Factorials with an interaction",
        "The last levels of two factors do something together that neither does alone; its size is the one that "
        "theory finds in 80 % of studies. A false finding here is one about any effect that is zero, simple "
        "effects included. Explained: of the studies that found it, those that withheld the main effects it makes "
        "meaningless and gave simple effects in their place.",
        (*_SIZE, "interaction", "found", "theory", "wrong sign", "false finding", "explained"),
        tuple(Crossed(levels, blocks) for levels in ((2, 2), (3, 2), (2, 2, 2)) for blocks in (3, 5, 10)),
        interaction,
        part=16,
    ),
)
