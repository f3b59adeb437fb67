"""What a plan can see, from what is known of a study before it runs, or so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ablation.analysis import power
from ablation.analysis.amounts import LARGEST, parse_amount
from ablation.analysis.families import analysed_as, family
from ablation.analysis.fractional import aliasing, fraction_in
from ablation.analysis.planning import MOST_CONTRASTS, Foreseen, can_be_foreseen, foresee
from ablation.analysis.sentences import UNITS
from ablation.errors import InputError
from ablation.findings import Aliasing, Analysis, Metric
from ablation.study import LevelsFactor, Search, Study
from ablation.trial import Arm, Record
from ablation.wording import shown

CIFAR_TEST_IMAGES = 10_000
"""Assumed of a data set from outside the package, which a plan does not load: that of the published figures."""

_ENOUGH_BLOCKS = 3
"""Seed blocks from which on a study's own spread is taken."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """The contrasts of a plan, with the spread that they are judged by; no contrast where that is not known."""

    source: str
    """Where the spread comes from, or why nothing can be said."""
    sd: float | None = None
    """Of a score within its seed block, in the metric's own unit."""
    contrasts: tuple[Foreseen, ...] = ()
    effect: float | None = None
    """What was asked for with `--detect`, in the metric's own unit."""
    blocks: int = 0
    """Seed blocks that are planned."""

    @property
    def loses_power(self) -> bool:
        """Whether the real route, by simulation, finds clearly less than theory has it: `power.POWER_LEFT`."""
        against_one = [one for one in self.contrasts if one.contrast.reference_arm]
        return len(against_one) > 1 and self.blocks <= max(power.POWER_LEFT)

    @property
    def detectable(self) -> float | None:
        """The smallest effect that every main contrast is found with; None where nothing can be."""
        mains = [one.detectable for one in self.contrasts if one.contrast.kind == "main" and one.detectable is not None]
        return max(mains, default=None)


def foresight(
    study: Study, arms: Sequence[Arm], records: Sequence[Record], images: int | None, effect: float | None = None
) -> Foresight:
    """What the study can see; `images` that an outcome is read on, `effect` that was asked for.

    Raises InputError where an effect was asked for and nothing is known to tell the seed blocks from.
    """
    if isinstance(study.design, Search):
        return _unknown("a search gives no findings", effect)
    levels = {arm.name: {name: str(level) for name, level in arm.levels.items()} for arm in arms}
    factors = {name: tuple(one.levels) for name, one in study.factors.items() if isinstance(one, LevelsFactor)}
    design = analysed_as(study.design.kind, list(levels.values()), factors)
    if not can_be_foreseen(design, len(arms), factors):
        return _unknown(f"more than {MOST_CONTRASTS} contrasts, or thousands of arms, are not worked out", effect)
    spread = _spread(study, arms, records, images)
    if spread is None:
        metric = "the loss" if study.metric == "loss" else study.metric
        why = f"no spread of {metric} was published; it is known once {_ENOUGH_BLOCKS} seed blocks have run"
        return _unknown(why, effect)
    contrasts = family(design, levels, arms[0].name, factors)
    seen = foresee(contrasts, spread.sd, len(study.seed_blocks), effect)
    return Foresight(spread.source, spread.sd, seen, effect, len(study.seed_blocks))


def aliasing_of(study: Study, arms: Sequence[Arm]) -> Aliasing | None:
    """What the arms of a fractional design cannot tell apart; None of another design, and where all arms are run."""
    if study.design.kind != "fractional":
        return None
    levels = [{name: str(level) for name, level in arm.levels.items()} for arm in arms]
    names = {name: tuple(one.levels) for name, one in study.factors.items() if isinstance(one, LevelsFactor)}
    fraction = fraction_in(levels, names)
    return aliasing(fraction, list(names)) if fraction else None


def asked_effect(text: str, metric: Metric) -> float:
    """The effect of `--detect`, in the metric's own unit. Raises InputError where it is none."""
    found, unit = parse_amount(text, metric), UNITS[metric].name
    example = "0.3pp" if metric == "accuracy" else f"0.02{unit}"
    if found is None:
        raise InputError(f"--detect {shown(text)}: give a number and its unit, such as {example} of {metric}.")
    if found[0] != metric:
        raise InputError(f"--detect {shown(text)}: the study's metric is {metric}; give {unit}, such as {example}.")
    if not 0 < found[1] <= LARGEST.get(metric, math.inf):
        raise InputError(f"--detect {shown(text)}: no effect has this size; give something like {example}.")
    return found[1]


def _unknown(why: str, effect: float | None) -> Foresight:
    if effect is not None:
        raise InputError(f"--detect: {why}. Leave the option out.")
    return Foresight(why)


def _spread(study: Study, arms: Sequence[Arm], records: Sequence[Record], images: int | None) -> power.Spread | None:
    """The study's own where enough has run, else what was published of accuracy."""
    found = _analysed(study, arms, records) if records else None
    blocks = max((arm.seed_blocks for arm in found.arms), default=0) if found else 0
    if found and found.residual_sd and blocks >= _ENOUGH_BLOCKS:
        return power.measured_spread(found.residual_sd, blocks, "this study", correlation=found.correlation)
    if study.metric != "accuracy":
        return None
    return power.published_spread(study.baseline.recipe.epochs, images or CIFAR_TEST_IMAGES)


def _analysed(study: Study, arms: Sequence[Arm], records: Sequence[Record]) -> Analysis:
    """What has run so far; a plan of something new need not load what that takes."""
    from ablation.analysis.analyse import analyse
    from ablation.analysis.results import from_records

    return analyse(from_records(study, arms, records))
