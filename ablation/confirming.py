"""From a search to the planned study that confirms it: its best arms and the baseline, on fresh seed blocks.

Every number that the search drew from a range becomes a level, named by its digits; what no chosen arm changes is left
out. An arm has the very settings that it had in the search.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from ablation import designs
from ablation.errors import InputError
from ablation.hypotheses import Candidate
from ablation.patches import Form, form_of
from ablation.study import Explicit, Factor, LevelsFactor, Patch, Study
from ablation.trial import Level, Record

_SHORT = 4
"""Significant digits of a level's name, where they tell it from the others."""


def candidates(search: Study, records: Sequence[Record], top: int) -> tuple[Candidate, ...]:
    """The best arms of a search by validation score, the mean over the seed blocks in which each ran.

    An arm with a pruned or a diverged trial is no candidate, nor is the baseline. Of arms with equal scores the one
    that ran in more seed blocks comes first, then the one that was drawn first. Raises InputError where there is none.
    """
    baseline = designs.arms(search)[0].settings.signature()
    arms = {name: found for name, found in _by_settings(records).items() if name != baseline and _is_sound(found)}
    sign = -1 if search.higher_is_better else 1
    scored = [(_mean(search, complete), complete) for found in arms.values() if (complete := _complete(found))]
    scored.sort(key=lambda pair: (sign * pair[0], -len(_blocks(pair[1])), pair[1][0].trial.id))
    if not scored:
        raise InputError(
            "no arm of the search but the baseline has a complete trial and none that was pruned or diverged: there is "
            "nothing to confirm. Run more trials: raise `design.trials`, or lower the learning rates that it may draw."
        )
    return tuple(_candidate(score, complete) for score, complete in scored[:top])


def baseline_score(search: Study, records: Sequence[Record]) -> float | None:
    """What the baseline had on validation, where the search drew it."""
    complete = _complete(_by_settings(records).get(designs.arms(search)[0].settings.signature(), ()))
    return _mean(search, complete) if complete else None


def _candidate(score: float, complete: Sequence[Record]) -> Candidate:
    first = complete[0].trial
    return Candidate(
        name=f"trial {int(first.id)}",
        search_arm=first.arm.name,
        levels=first.arm.levels,
        settings=first.arm.settings.signature(),
        trials=tuple(record.trial.id for record in complete),
        validation=score,
    )


def _by_settings(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The trials of each arm that have ended, in the order of drawing."""
    found: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.trial.id):
        if record.outcome is not None:
            found.setdefault(record.trial.arm.settings.signature(), []).append(record)
    return found


def _is_sound(records: Iterable[Record]) -> bool:
    return not any(record.outcome and record.outcome.status in ("pruned", "diverged") for record in records)


def _complete(records: Iterable[Record]) -> list[Record]:
    """The complete trials, one for each seed block: a repetition was told the score of the first."""
    found: dict[int, Record] = {}
    for record in records:
        if record.outcome and record.outcome.status == "complete" and record.outcome.validation:
            found.setdefault(record.trial.block, record)
    return list(found.values())


def _blocks(records: Iterable[Record]) -> set[int]:
    return {record.trial.block for record in records}


def _mean(search: Study, complete: Iterable[Record]) -> float:
    outcomes = [record.outcome for record in complete]
    scores = [outcome.validation for outcome in outcomes if outcome and outcome.validation]
    return statistics.fmean(score.on(search.metric) for score in scores)


def confirmation_of(search: Study, chosen: Sequence[Candidate], seeds: int, name: str) -> Study:
    """The planned study of the chosen arms, on the test images, its seed blocks after the last of the search."""
    form = form_of(search.baseline)
    renamed: dict[str, dict[Level, str]] = {}
    factors: dict[str, Factor] = {}
    for factor_name in search.factors:
        drawn = [candidate.levels[factor_name] for candidate in chosen if factor_name in candidate.levels]
        levels, names = _levels(search.factors[factor_name], form, drawn)
        if len(levels) > 1:
            factors[factor_name] = LevelsFactor(levels=levels, when={**search.factors[factor_name].when})
            renamed[factor_name] = names
    factors = {name: factor.model_copy(update={"when": _kept(factor, factors)}) for name, factor in factors.items()}
    arms = {candidate.name: _changed(candidate, factors, renamed) for candidate in chosen}
    best = "arm" if len(chosen) == 1 else f"{len(chosen)} arms"
    study = search.model_copy(
        update={
            "name": name,
            "question": f"Confirming the best {best} of the search {search.name}: {search.question}",
            "factors": factors,
            "design": Explicit(arms=arms),
            "seeds": seeds,
            "first_block": search.seed_blocks.stop,
            "evaluate_on": "test",
        }
    )
    planned = [arm.settings.signature() for arm in designs.arms(study)[1:]]
    assert planned == [candidate.settings for candidate in chosen], "an arm has the settings that the search gave it"
    return study


def _levels(factor: Factor, form: Form, drawn: Iterable[Level]) -> tuple[dict[str, Patch], dict[Level, str]]:
    """The reference and the levels that were drawn, each with what it changes; and the name of each."""
    if isinstance(factor, LevelsFactor):
        wanted = {factor.reference, *map(str, drawn)}
        if factor.levels[factor.reference] and len(wanted) == 1:  # what the reference itself changes must not be lost
            wanted = set(factor.levels)
        return {name: patch for name, patch in factor.levels.items() if name in wanted}, {name: name for name in wanted}
    reference = designs.number_at(form, factor.sets)
    numbers = sorted({float(number) for number in drawn} - {reference})
    names = _named([*([] if reference is None else [float(reference)]), *numbers])
    first = "as in the recipe" if reference is None else names[float(reference)]
    return {first: {}, **{names[number]: designs.patch_of(factor, number) for number in numbers}}, names


def _named(numbers: Sequence[float]) -> dict[Level, str]:
    """As few digits as tell the numbers apart."""
    short: dict[Level, str] = {number: f"{number:.{_SHORT}g}" for number in numbers}
    return short if len({*short.values()}) == len(numbers) else {number: repr(number) for number in numbers}


def _kept(factor: Factor, factors: Mapping[str, Factor]) -> dict[str, str | list[str]]:
    """What is left of a condition: a factor that was left out is at its reference, where the condition holds."""
    kept: dict[str, str | list[str]] = {}
    for other, wanted in factor.when.items():
        found = factors.get(other)
        if isinstance(found, LevelsFactor):
            left = [level for level in ([wanted] if isinstance(wanted, str) else wanted) if level in found.levels]
            kept[other] = left[0] if len(left) == 1 else left
    return kept


def _changed(
    candidate: Candidate, factors: Mapping[str, Factor], renamed: Mapping[str, Mapping[Level, str]]
) -> dict[str, str]:
    """The levels of an arm that differ from the reference."""
    changed = {}
    for name, factor in factors.items():
        if name in candidate.levels and isinstance(factor, LevelsFactor):
            level = candidate.levels[name]
            new = renamed[name][level if isinstance(level, str) else float(level)]
            if new != factor.reference:
                changed[name] = new
    return changed
