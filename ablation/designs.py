"""From a study to its arms and planned trials.

An arm takes one level for every factor whose condition holds. Patches are applied in the order of the factors, a factor
after those that its condition names; then every component is completed. Knows nothing of Optuna: a search asks for one
arm at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from ablation.components import complete_settings
from ablation.conditions import Levels, active, combinations, contexts, count_combinations, factor_order
from ablation.errors import InputError
from ablation.fractions import smallest_fraction
from ablation.patches import Form, change, form_of, key_path, settings_data
from ablation.seeding import seed_of
from ablation.settings import Settings
from ablation.study import (
    Explicit,
    Factor,
    Factorial,
    Fractional,
    LeaveOneOut,
    LevelsFactor,
    OneFactor,
    RangeFactor,
    Search,
    Study,
)
from ablation.trial import Arm, Level, Record, Trial, arm_name, trial_id

MAX_ARMS = 100_000
"""More than anybody trains; it keeps a slip of the pen from filling the memory."""


def arms(study: Study) -> tuple[Arm, ...]:
    """The arms of a study, the baseline first. Of a search, the baseline alone.

    Raises InputError where there are more than MAX_ARMS, and where two have the same settings by different levels.
    """
    check_count(study)
    found: dict[str, Arm] = {}
    for name, levels in _listed(study):
        arm = _arm(study, levels, name)
        same = found.setdefault(arm.settings.signature(), arm)
        if same.levels != arm.levels:
            raise InputError(
                f"the arms {same.name} and {arm.name} have the same settings, so one of them would be told for the "
                "other. Let a factor change a key that no other one changes, or leave a level out."
            )
    return tuple(found.values())


def arms_of(study: Study, records: Iterable[Record]) -> tuple[Arm, ...]:
    """The planned arms; in a search the baseline and the arms that were drawn."""
    planned = arms(study)
    if not isinstance(study.design, Search):
        return planned
    drawn = {record.trial.arm.settings.signature(): record.trial.arm for record in records}
    drawn.pop(planned[0].settings.signature(), None)
    return (planned[0], *drawn.values())


def check_count(study: Study) -> None:
    """Raise InputError where a study has more than MAX_ARMS arms."""
    if (count := count_arms(study)) > MAX_ARMS:
        raise InputError(
            f"the design lists {_counted(count)} arms; at most {MAX_ARMS:,} are allowed. Leave out factors or levels, "
            "or write `design: one-factor` or `design: {kind: search}`."
        )


def count_arms(study: Study) -> int:
    """How many arms the design lists, without listing them. Of a count beyond MAX_ARMS only that it is so is exact."""
    others = [len(factor.levels) - 1 for factor in study.factors.values() if isinstance(factor, LevelsFactor)]
    match study.design:
        case OneFactor() | LeaveOneOut():
            return 1 + sum(others)
        case Factorial():
            return count_combinations(study.factors, MAX_ARMS)
        case Fractional(resolution=resolution):
            return smallest_fraction(len(study.factors), resolution).num_arms
        case Explicit(arms=named):
            return 1 + len(named)
        case Search():
            return 1
        case _:
            assert_never(study.design)


def planned_trials(study: Study) -> tuple[Trial, ...]:
    """Every trial of a planned design in run order: block after block, in each the arms in an order of its own.

    The order is drawn for each arm from its signature: arms that are added later do not move the others. A search
    plans nothing: it returns no trial.
    """
    if isinstance(study.design, Search):
        return ()
    signed = [(arm.settings.signature(), arm) for arm in arms(study)]
    return tuple(
        Trial(id=trial_id(arm, block), arm=arm, block=block, evaluate_on=study.evaluate_on, metrics=study.metrics)
        for block in study.seed_blocks
        for _, arm in sorted(signed, key=lambda pair: seed_of(block, "run order", int(pair[0], 16)))
    )


def as_planned(study: Study, records: Iterable[Record]) -> tuple[Record, ...]:
    """Records with the arms of the study as it is now: a trial from before a factor was added is at its reference."""
    planned = {arm.settings.signature(): arm for arm in arms(study)}
    found = []
    for record in records:
        trial = record.trial
        arm = planned.get(trial.arm.settings.signature(), trial.arm)
        found.append(record.model_copy(update={"trial": trial.model_copy(update={"arm": arm})}))
    return tuple(found)


def planned_count(study: Study, listed: Sequence[Arm] = ()) -> int:
    """How many trials a study has when it is complete; `listed`: its arms, where they are known already."""
    if isinstance(study.design, Search):
        return study.design.trials
    return len(listed or arms(study)) * len(study.seed_blocks)


def arm_of(study: Study, levels: Mapping[str, Level]) -> Arm:
    """The arm with these levels, as a search draws them; a factor not named stands at its reference.

    Levels of factors whose condition does not hold are dropped. Raises ComponentError where the settings are not valid
    together.
    """
    return _arm(study, {**_reference(study), **levels})


def first_arms(study: Study) -> tuple[Arm, ...]:
    """Arms in which all that a study can come to stands at least once.

    Those of the design; of a search, which draws its arms later, the baseline and each level, and either bound of a
    range, where its conditions hold.
    """
    listed = arms(study)
    if not isinstance(study.design, Search):
        return listed
    drawn = [
        arm_of(study, {**next(contexts(study.factors, name)), name: level})
        for name, factor in study.factors.items()
        for level in (factor.levels if isinstance(factor, LevelsFactor) else factor.range)
    ]
    return (*listed, *drawn)


def reference_levels(study: Study) -> Levels:
    """The level of every factor in the baseline; of a range, the number that stands in the study file."""
    return active(study.factors, _reference(study))


def settings_at(study: Study, levels: Mapping[str, Level]) -> Settings:
    """The baseline's settings with the patches of these levels, completed."""
    form = form_of(study.baseline)
    for name in factor_order(study.factors):
        if name in levels:
            change(form, patch_of(study.factors[name], levels[name]))
    return complete_settings(Settings.model_validate(settings_data(form)))


def patch_of(factor: Factor, level: Level) -> Form:
    """What a level changes; a number drawn from a range is put where the factor sets it."""
    if isinstance(factor, RangeFactor):
        return {factor.sets: int(level) if factor.integer else float(level)}
    return factor.levels[str(level)]


def _arm(study: Study, levels: Mapping[str, Level], name: str = "") -> Arm:
    held = active(study.factors, levels)
    reference = reference_levels(study)
    return Arm(
        name=name or arm_name(held, reference),
        levels=held,
        settings=settings_at(study, held),
        baseline=held == reference,
    )


def _reference(study: Study) -> Levels:
    levels: Levels = {}
    for name, factor in study.factors.items():
        if isinstance(factor, LevelsFactor):
            levels[name] = factor.reference
        elif (number := number_at(form_of(study.baseline), factor.sets)) is not None:
            levels[name] = number
    return levels


def number_at(form: Form, key: str) -> int | float | None:
    """The number that stands at a dotted key, None where there is none."""
    value: object = form
    for segment in key_path(key, 0, form):
        value = value.get(str(segment)) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _listed(study: Study) -> Iterator[tuple[str, Levels]]:
    """Name (empty: from the levels) and levels of each arm of the design, the baseline first."""
    reference = _reference(study)
    yield "baseline", reference
    match study.design:
        case OneFactor() | LeaveOneOut():
            held = active(study.factors, reference)
            for name, level in _others(study.factors):
                if name in held:
                    yield "", {**reference, name: level}
        case Factorial():
            for combination in combinations(study.factors):
                yield "", combination
        case Fractional(resolution=resolution):
            yield from (("", levels) for levels in _fraction(study.factors, resolution))
        case Explicit(arms=named):
            for name, levels in named.items():
                yield name, {**reference, **levels}


def _others(factors: Mapping[str, Factor]) -> Iterator[tuple[str, str]]:
    for name, factor in factors.items():
        if isinstance(factor, LevelsFactor):
            for level in list(factor.levels)[1:]:
                yield name, level


def _fraction(factors: Mapping[str, Factor], resolution: int) -> Iterator[Levels]:
    """The combinations of a two-level fraction, the baseline first; the first factors of the file are the free ones."""
    levels = {name: list(factor.levels) for name, factor in factors.items() if isinstance(factor, LevelsFactor)}
    for run in smallest_fraction(len(levels), resolution).runs():
        yield {name: both[run >> at & 1] for at, (name, both) in enumerate(levels.items())}


def _counted(count: int) -> str:
    return f"{count:,}" if count < 10**12 else f"about 10^{len(str(count)) - 1}"
