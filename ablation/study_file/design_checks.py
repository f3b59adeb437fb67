"""What must hold between a design and its factors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ablation import designs, wording
from ablation.errors import InputError, Problem
from ablation.fractions import MOST_FACTORS
from ablation.study import (
    Explicit,
    Fractional,
    Growing,
    LeaveOneOut,
    LevelsFactor,
    OneFactor,
    RangeFactor,
    Search,
    Study,
)
from ablation.study_file.factor_checks import name_refusal
from ablation.study_file.yaml_reader import Document

_REMOVALS = (None, "none")
SAMPLERS = ("tpe", "random")


def design_problems(document: Document, study: Study, *, sound: bool) -> Iterator[Problem]:
    """All that is wrong with the design of a study.

    Not `sound`: settings or factors are not valid by themselves, and what would need them is not looked at.
    """
    yield from _growing(document, study)
    if isinstance(study.design, Search):
        yield from _search(document, study, study.design)
        return
    ranges = [name for name, factor in study.factors.items() if isinstance(factor, RangeFactor)]
    for name in ranges:
        message = (
            f"factors.{name} is a range, which only `design: {{kind: search}}` can draw from; list its levels instead."
        )
        yield document.place(("factors", name), of_key=True).problem(message)
    if ranges:
        return
    if sound and isinstance(study.design, OneFactor | LeaveOneOut):
        yield from _takes_part(document, study)
    if isinstance(study.design, LeaveOneOut):
        yield from _removals(document, study)
    problems: list[Problem] = []
    if isinstance(study.design, Explicit):
        problems += _explicit_names(document, study, study.design)
        problems += _equal_arms(document, study, study.design) if sound else []
    if isinstance(study.design, Fractional):
        problems += _two_levels(document, study)
    yield from problems
    if not problems:
        try:
            designs.check_count(study)
        except InputError as error:
            yield document.place(("design",)).problem(str(error))


def _growing(document: Document, study: Study) -> Iterator[Problem]:
    seeds = study.seeds
    if not isinstance(seeds, Growing):
        return
    if isinstance(study.design, Search):
        message = "a search has nothing to decide, so it cannot grow; write the number of seed blocks: `seeds: 3`."
        yield document.place(("seeds",)).problem(message)
    elif seeds.start >= seeds.max:
        message = (
            f"seeds.max must be more than seeds.start, which is {seeds.start}; `seeds: {seeds.start}` is a fixed plan."
        )
        yield document.place(("seeds", "max")).problem(message)


def _search(document: Document, study: Study, design: Search) -> Iterator[Problem]:
    if study.evaluate_on == "test":
        message = "a search reads validation scores only: test scores cannot judge what they chose. Leave this out."
        yield document.place(("evaluate_on",)).problem(message)
    if "." not in design.sampler and design.sampler not in SAMPLERS:
        message = f"design.sampler cannot be {wording.shown(design.sampler)}.{wording.meant(design.sampler, SAMPLERS)}"
        hint = " A sampler class of Optuna is named in full: optuna.samplers.QMCSampler."
        yield document.place(("design", "sampler")).problem(message + hint)


def _takes_part(document: Document, study: Study) -> Iterator[Problem]:
    held = designs.reference_levels(study)
    for name in study.factors:
        if name not in held:
            message = (
                f"{name} never takes part: its condition does not hold in the baseline, and this design changes one "
                "factor at a time. Let the levels that it needs be the first ones, or write `design: factorial`."
            )
            yield document.place(("factors", name, "when"), of_key=True).problem(message)


def _removals(document: Document, study: Study) -> Iterator[Problem]:
    for name, factor in study.factors.items():
        assert isinstance(factor, LevelsFactor)
        for level, patch in list(factor.levels.items())[1:]:
            if not patch or any(value not in _REMOVALS for value in patch.values()):
                message = (
                    "leave-one-out takes only levels that remove something (null, or a choice set to none), and the "
                    f"level {level} of {name} sets something else. Write `design: one-factor`, or let the baseline "
                    "have it and this level remove it."
                )
                yield document.place(("factors", name, "levels", level), of_key=True).problem(message)


def _two_levels(document: Document, study: Study) -> Iterator[Problem]:
    instead = "write `design: factorial` or `design: one-factor`."
    if len(study.factors) > MOST_FACTORS:
        message = (
            f"a fraction takes at most {MOST_FACTORS} factors, not {len(study.factors)}. Leave out those that matter "
            "least, or write `design: one-factor`."
        )
        yield document.place(("factors",), of_key=True).problem(message)
    for name, factor in study.factors.items():
        place = document.place(("factors", name), of_key=True)
        if isinstance(factor, LevelsFactor) and len(factor.levels) != 2:
            found = f"{name} has {len(factor.levels)} levels, and a fraction takes two of each factor."
            yield place.problem(f"{found} Leave out levels, or {instead}")
        if factor.when:
            found = f"{name} has a condition, and in a fraction every factor takes part in every arm."
            yield place.problem(f"{found} Leave it out, or {instead}")


def _explicit_names(document: Document, study: Study, design: Explicit) -> Iterator[Problem]:
    written = document.value["factors"]
    for arm, levels in design.arms.items():
        place = document.place(("design", "arms", arm), of_key=True)
        if (reason := name_refusal(arm)) or arm == "baseline":
            yield place.problem(f"the name of this arm {reason or 'is that of the baseline, which is always there'}.")
        for name, level in levels.items():
            path = ("design", "arms", arm, name)
            factor = study.factors.get(name)
            if isinstance(factor, LevelsFactor):
                if level not in factor.levels:
                    message = f"{name} has no level {wording.shown(level)}.{wording.meant(level, factor.levels)}"
                    yield document.place(path).problem(message)
            elif factor is not None or name not in written:  # else its shape is wrong, which is told already
                message = f"there is no factor {wording.shown(name)}.{wording.meant(name, study.factors)}"
                yield document.place(path, of_key=True).problem(message)


def _equal_arms(document: Document, study: Study, design: Explicit) -> Iterator[Problem]:
    seen = {designs.arm_of(study, {}).settings.signature(): "baseline"}
    for arm, levels in design.arms.items():
        if arm == "baseline" or any(level not in _levels_of(study, name) for name, level in levels.items()):
            continue
        same = seen.setdefault(designs.arm_of(study, levels).settings.signature(), arm)
        if same != arm:
            place = document.place(("design", "arms", arm), of_key=True)
            yield place.problem(f"the arm {arm} has the same settings as {same}; leave one out.")


def _levels_of(study: Study, name: str) -> Iterable[str]:
    factor = study.factors.get(name)
    return factor.levels if isinstance(factor, LevelsFactor) else ()
