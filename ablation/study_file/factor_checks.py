"""What must hold for factors beyond their shape: names, conditions, keys of their own, levels that are valid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain, combinations

from ablation import conditions, wording
from ablation.errors import Problem
from ablation.patches import SETTINGS_KEYS, key_path
from ablation.settings import Recipe, Settings
from ablation.study import MAX_NAME, Factor, LevelsFactor, RangeFactor
from ablation.study_file.documents import overlaid, part_of
from ablation.study_file.values import read_settings
from ablation.study_file.yaml_reader import Document
from ablation.visible import unseen
from ablation.wording import Path

MAX_LEVELS = 300
MAX_TRIED = 2_000
"""Settings of one factor that are tried: its levels in every way in which its conditions can hold."""


def factor_problems(document: Document, factors: Mapping[str, Factor]) -> list[Problem]:
    """All that is wrong with factors of the right shape."""
    if not isinstance(document.value.get("factors"), dict):
        return []
    levels = sum(len(factor.levels) for factor in factors.values() if isinstance(factor, LevelsFactor))
    if levels > MAX_LEVELS:
        message = f"the factors have {levels:,} levels; at most {MAX_LEVELS} are allowed. A search draws from ranges."
        return [document.place(("factors",), of_key=True).problem(message)]
    wrong_keys = {name: list(_patch_keys(document, {name: factor})) for name, factor in factors.items()}
    condition_problems = list(_conditions(document, factors))
    problems = [*_names(document, factors), *chain.from_iterable(wrong_keys.values()), *condition_problems]
    if not condition_problems:
        problems += _shared_keys(document, factors)
    for name, factor in factors.items():
        # What a level comes to can be said where the conditions on the way to it can be followed.
        followed = not factor.when or not (condition_problems or len(factors) < len(document.value["factors"]))
        if followed and not wrong_keys[name]:
            problems += _levels(document, factors, name)
    for name, written in document.value["factors"].items():
        if name not in factors and isinstance(written, dict) and isinstance(sets := written.get("sets"), str):
            problems += _unknown_key(document, name, sets)
    return problems


def name_refusal(name: str) -> str | None:
    """Why a name cannot be shown and stored, None where it can: any Unicode, but nothing unseen."""
    if not name.strip():
        return "is empty"
    if len(name) > MAX_NAME:
        return f"has {len(name)} characters; at most {MAX_NAME} are allowed"
    if char := unseen(name):
        return f"holds the control character U+{ord(char):04X}"
    if name != name.strip():
        return "begins or ends with a space"
    return None


def _names(document: Document, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    for name, factor in factors.items():
        if reason := name_refusal(name):
            yield document.place(("factors", name), of_key=True).problem(f"the name of this factor {reason}.")
        for level in factor.levels if isinstance(factor, LevelsFactor) else ():
            if reason := name_refusal(level):
                place = document.place(("factors", name, "levels", level), of_key=True)
                yield place.problem(f"the name of this level {reason}.")


def _patch_keys(document: Document, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    for name, key, path in _keys(factors):
        if key.partition(".")[0] not in SETTINGS_KEYS:
            allowed = [*SETTINGS_KEYS, *(f"recipe.{field}" for field in Recipe.model_fields)]
            place = document.place(path, of_key=path[-1] == key)
            yield place.problem(f"factors.{name} cannot change {wording.shown(key)}.{wording.meant(key, allowed)}")


def _conditions(document: Document, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    for name, factor in factors.items():
        for other, wanted in factor.when.items():
            path = ("factors", name, "when", other)
            known = factors.get(other)
            if known is None and other in document.value["factors"]:
                continue  # its shape is wrong, which is told already
            if other == name or known is None:
                allowed = [each for each in factors if each != name]
                message = f"the condition of {name} names no other factor: {wording.shown(other)}."
                yield document.place(path, of_key=True).problem(message + wording.meant(other, allowed))
            elif isinstance(known, RangeFactor):
                message = f"a condition names levels, and {other} is a range without any; give {other} levels."
                yield document.place(path, of_key=True).problem(message)
            else:
                for level in [wanted] if isinstance(wanted, str) else wanted:
                    if level not in known.levels:
                        message = f"{other} has no level {wording.shown(level)}.{wording.meant(level, known.levels)}"
                        yield document.place(path).problem(message)
                if not wanted:
                    yield document.place(path).problem(f"a condition needs at least one level of {other}.")
        if name in _conditioned_by(factors, name):
            message = (
                f"the conditions of {name} come back to {name} itself; a condition cannot depend on its own factor."
            )
            yield document.place(("factors", name, "when"), of_key=True).problem(message)


def _conditioned_by(factors: Mapping[str, Factor], name: str) -> set[str]:
    """Every other factor that a factor's condition depends on, at any depth; in a cycle, the factor itself too."""
    found: set[str] = set()
    waiting = [other for other in factors[name].when if other != name]
    while waiting:
        other = waiting.pop()
        if other in factors and other not in found:
            found.add(other)
            waiting += factors[other].when
    return found


def _shared_keys(document: Document, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    paths: dict[str, dict[Path, tuple[str, Path]]] = {name: {} for name in factors}
    for name, key, origin in _keys(factors):
        paths[name].setdefault(key_path(key, 0, {}), (key, origin))
    for first, second in combinations(factors, 2):
        if _ordered_by_condition(factors, first, second):
            continue
        for path, (key, origin) in paths[second].items():
            shared = [other for other in paths[first] if path[: len(other)] == other or other[: len(path)] == path]
            if shared:
                message = (
                    f"factors.{second} and factors.{first} both change {key}: their effects could not be told apart. "
                    "Make them one factor, or let one depend on the other by `when`."
                )
                yield document.place(origin, of_key=True).problem(message)
                break


def _ordered_by_condition(factors: Mapping[str, Factor], first: str, second: str) -> bool:
    """Whether one factor depends on the other, or both on levels of a third that exclude each other."""
    if first in _conditioned_by(factors, second) or second in _conditioned_by(factors, first):
        return True
    one, two = factors[first].when, factors[second].when
    return any(set(_listed(one[third])).isdisjoint(_listed(two[third])) for third in one.keys() & two.keys())


def _listed(wanted: str | list[str]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else wanted


def _keys(factors: Mapping[str, Factor]) -> Iterator[tuple[str, str, Path]]:
    """Factor, dotted key and its path in the study file, for every key that a factor changes."""
    for name, factor in factors.items():
        if isinstance(factor, RangeFactor):
            yield name, factor.sets, ("factors", name, "sets")
            continue
        for level, patch in factor.levels.items():
            for key in patch:
                yield name, key, ("factors", name, "levels", level, key)


def _levels(document: Document, factors: Mapping[str, Factor], name: str) -> Iterator[Problem]:
    """Apply every level, in every way in which the factor can take part; too many ways to try are refused."""
    factor, bare = factors[name], _without_factors(document)
    wanted = (_listed(levels) for levels in factor.when.values())
    ways, levels = math.prod(map(len, wanted)), len(factor.levels) if isinstance(factor, LevelsFactor) else 1
    if ways * levels > MAX_TRIED:
        message = (
            f"the conditions of {name} can hold in {ways:,} ways, and each of its levels is tried in all of them; at "
            f"most {MAX_TRIED:,} such settings are allowed, not {ways * levels:,}. Name fewer levels in `when`."
        )
        yield document.place(("factors", name, "when"), of_key=True).problem(message)
        return
    for context in conditions.contexts(factors, name):
        here = bare
        for other in conditions.factor_order(factors):
            if other in context:
                here = _at_level(here, document, other, str(context[other]))
        if isinstance(factor, RangeFactor):
            yield from _range(here, name, factor)
            continue
        seen: dict[str, str] = {}
        for level in factor.levels:
            settings, problems = read_settings(_at_level(here, document, name, level))
            yield from problems
            if settings is not None:
                yield from _distinct(document, (name, level), settings, seen)


def _without_factors(document: Document) -> Document:
    """The rest of a study, which is all that a level can change, and less to copy for each; places stay known."""
    rest = {key: value for key, value in document.value.items() if key != "factors"}
    return Document(rest, document.values, document.keys)


def _at_level(here: Document, document: Document, name: str, level: str) -> Document:
    return overlaid(here, part_of(document, ("factors", name, "levels", level)))


def _distinct(document: Document, at: tuple[str, str], settings: Settings, seen: dict[str, str]) -> Iterator[Problem]:
    """Refuse a level with the settings of an earlier one: it would be the same arm twice."""
    name, level = at
    same = seen.setdefault(settings.signature(), level)
    if same != level:
        message = (
            f"the level {level} of {name} has the same settings as the level {same}. null removes a key; "
            "a step is added with its defaults by {}."
        )
        yield document.place(("factors", name, "levels", level), of_key=True).problem(message)


def _range(document: Document, name: str, factor: RangeFactor) -> Iterator[Problem]:
    low, high = factor.range
    place = document.place(("factors", name, "range"))
    if reason := _bounds_refusal(factor):
        yield place.problem(f"factors.{name}.range must {reason}.")
        yield from _unknown_key(document, name, factor.sets)
        return
    if (
        not factor.integer
        and _at_number(document, name, factor.sets, low)
        and not _at_number(document, name, factor.sets, int(low))
    ):
        yield place.problem(f"factors.{name} sets whole numbers; write integer: true.")
        return
    for bound in (low, high):
        yield from _at_number(document, name, factor.sets, int(bound) if factor.integer else bound)


def _bounds_refusal(factor: RangeFactor) -> str | None:
    """What a range must do that it does not."""
    low, high = factor.range
    if low >= high:
        return f"go from the lower bound to the higher one, not [{low:g}, {high:g}]"
    if factor.scale == "log" and low <= 0:
        return f"lie above 0 on a log scale, not begin at {low:g}"
    if factor.integer and not (low.is_integer() and high.is_integer()):
        return f"have whole bounds with integer: true, not [{low:g}, {high:g}]"
    return None


def _unknown_key(document: Document, name: str, sets: str) -> list[Problem]:
    """That a range sets what is not there; its numbers are told of elsewhere."""
    key = document.place(("factors", name, "sets"))
    return [problem for problem in _at_number(document, name, sets, 1) if key.is_that_of(problem)]


def _at_number(document: Document, name: str, sets: str, number: float) -> list[Problem]:
    """What is wrong with the settings where a range gives this number."""
    where, key = document.place(("factors", name, "range")), document.place(("factors", name, "sets"))
    overlay = Document({sets: number}, {(): where, (sets,): where}, {(sets,): key})
    return read_settings(overlaid(document, overlay))[1]
