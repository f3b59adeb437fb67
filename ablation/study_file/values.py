"""From the form of a study file to its values; what pydantic or a component refuses is a problem with its place."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ablation import components, wording
from ablation.components import Kind
from ablation.errors import ComponentError, InputError, Problem
from ablation.patches import SETTINGS_KEYS, STEPS, Form, settings_data
from ablation.settings import Part, Recipe, Settings
from ablation.study import (
    ExecutionPlan,
    Explicit,
    Factor,
    Factorial,
    Fractional,
    Growing,
    LeaveOneOut,
    LevelsFactor,
    OneFactor,
    RangeFactor,
    Search,
    Study,
    Tracking,
)
from ablation.study_file.yaml_reader import Document
from ablation.wording import Path

STUDY_KEYS = (
    "question",
    *SETTINGS_KEYS,
    "factors",
    "design",
    "seeds",
    "metric",
    "metrics",
    "evaluate_on",
    "margin",
    "execution",
    "tracking",
)
DESIGNS: dict[str, type[BaseModel]] = {
    "one-factor": OneFactor,
    "leave-one-out": LeaveOneOut,
    "factorial": Factorial,
    "fractional": Fractional,
    "explicit": Explicit,
    "search": Search,
}
MARGINS = {"accuracy": 0.002, "loss": 0.01}
"""Effects inside these count as equivalent unless the study file says otherwise."""

_STAND_INS = {
    "question": "?",
    "design": {"kind": "one-factor"},
    "seeds": 1,
    "evaluate_on": "validation",
    "margin": 1.0,
}
"""In the place of what is not valid: values that no other check has anything to say about."""

_MENDED_AT_MOST = 3

_LEAF_MODELS: dict[str, type[BaseModel]] = {"recipe": Recipe, "execution": ExecutionPlan, "tracking": Tracking}


def read_settings(document: Document) -> tuple[Settings | None, list[Problem]]:
    """The settings that a document describes, completed; None where there are problems."""
    settings, problems = None, []
    try:
        settings = Settings.model_validate(settings_data(document.value), strict=True)
    except ValidationError as error:
        problems += problems_of(error, document)
    for kind, path, part in _parts(document.value):
        problems += _component_problems(document, kind, path, part)
    if settings is None or problems:
        return None, problems
    return components.complete_settings(settings), []


def read_factors(document: Document) -> tuple[dict[str, Factor], list[Problem]]:
    """The factors that have the right shape, and what is wrong with the others."""
    written = document.value.get("factors")
    if not isinstance(written, dict) or not written:
        message = "factors must be a mapping of at least one name to its levels: `flip: {with: {}, without: {...}}`."
        return {}, [document.place(("factors",)).problem(message)]
    factors: dict[str, Factor] = {}
    problems: list[Problem] = []
    for name, factor in written.items():
        path = ("factors", name)
        if not isinstance(factor, dict):
            message = (
                f"{wording.told(path)} must be a mapping of levels to what they change, not {wording.shown(factor)}."
            )
            problems.append(document.place(path).problem(message))
            continue
        model = RangeFactor if {"sets", "range"} & factor.keys() else LevelsFactor
        try:
            factors[name] = model.model_validate(factor, strict=True)
        except ValidationError as error:
            problems += problems_of(error, document, path)
    return factors, problems


@dataclass(frozen=True, slots=True)
class Rest:
    """A study with what is valid of a document; None where nothing can be made of it."""

    study: Study | None
    problems: list[Problem]
    replaced: frozenset[str] = frozenset()
    """The keys whose values are not valid, and stand in the study as something else."""


def read_rest(document: Document, given: dict[str, Any]) -> Rest:
    """All that is neither settings, factors nor metrics; `given` holds those, with the study's name and scale."""
    form = document.value
    problems = [_unknown(document, (key,)) for key in form if key not in STUDY_KEYS]
    elsewhere = {*SETTINGS_KEYS, "factors", "metrics"}
    data = {key: value for key, value in form.items() if key in STUDY_KEYS and key not in elsewhere}
    data.setdefault("evaluate_on", "validation" if _is_search(form) else "test")
    data.setdefault("margin", MARGINS.get(str(form.get("metric", "accuracy")), MARGINS["accuracy"]))
    replaced: frozenset[str] = frozenset()
    for attempt in range(_MENDED_AT_MOST + 1):
        try:
            return Rest(Study.model_validate({**data, **given}, strict=True), problems, replaced)
        except ValidationError as error:
            if not attempt:
                problems += problems_of(error, document)
            data, more = _mended(data, error)
            replaced |= more
    return Rest(None, problems, replaced)


def _mended(data: dict[str, Any], error: ValidationError) -> tuple[dict[str, Any], frozenset[str]]:
    """The data without what pydantic refused, and the keys that got another value: the rest is checked all the same."""
    data, replaced = copy.deepcopy(data), set()
    for detail in error.errors():
        key, *inner = _path_in(data, detail["loc"], missing=detail["type"] == "missing")
        around: Any = data
        for segment in [key, *inner][:-1]:
            around = around.get(segment) if isinstance(around, dict) else None
        if inner and isinstance(around, dict) and inner[-1] in around:
            del around[inner[-1]]
            continue
        replaced.add(str(key))
        data.pop(str(key), None)
        if key in _STAND_INS:
            data[str(key)] = _STAND_INS[str(key)]
    return data, frozenset(replaced)


def problems_of(error: ValidationError, document: Document, prefix: Path = ()) -> list[Problem]:
    """What pydantic refused; several refusals of one value (the members of a union) are one problem."""
    grouped: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        path = _path_in(document.value, (*prefix, *detail["loc"]), missing=detail["type"] == "missing")
        grouped.setdefault(path, []).append(detail)
    return [_problem(document, path, details) for path, details in grouped.items()]


def _problem(document: Document, path: Path, details: list[ErrorDetails]) -> Problem:
    kind = details[0]["type"]
    if kind == "extra_forbidden":
        return _unknown(document, path)
    if kind == "missing" and path[-1] == "name":
        message = (
            f"{wording.told(path[:-1])} needs a name. Allowed: {wording.listed(components.names(_kind_at(path[:-1])))}."
        )
        return document.place(path).problem(message)
    if kind in {"missing", "union_tag_not_found"}:
        missing = path if kind == "missing" else (*path, "kind")
        return document.place(path).problem(f"the key {wording.told(missing)} is missing.")
    if kind == "union_tag_invalid":
        path = (*path, "kind")
    told = ", or ".join(dict.fromkeys(wording.explained(detail) for detail in details))
    hint = "; {} changes nothing" if kind == "dict_type" and path[0] == "factors" else ""
    return document.place(path).problem(f"{wording.told(path)} {told}{hint}.")


def _unknown(document: Document, path: Path) -> Problem:
    *parents, key = path
    if path == ("scales",):
        message = "scales stand at the top of a study file and nowhere else; --scale chooses one."
        return document.place(path, of_key=True).problem(message)
    allowed = list(_keys_at(document.value, tuple(parents)))
    whose = f"{wording.told(tuple(parents))} has no key" if parents else "a study file has no key"
    message = f"{whose} {wording.shown(key)}.{wording.meant(str(key), allowed)}"
    owner = _owner_of_choice(document.value, str(key)) if parents == ["recipe"] else None
    if owner:
        message = f"{whose} {wording.shown(key)}. It is a choice of the {owner}: recipe.{owner}.{key}."
    return document.place(path, of_key=True).problem(message)


def _keys_at(form: Form, parents: Path) -> Iterable[str]:
    match parents:
        case ():
            return (*STUDY_KEYS, "scales")
        case ("design",):
            return DESIGNS[form["design"]["kind"]].model_fields
        case ("seeds",):
            return Growing.model_fields
        case ("factors", name):
            model = RangeFactor if {"sets", "range"} & form["factors"][name].keys() else LevelsFactor
            return model.model_fields
        case (key, *_) if key in _LEAF_MODELS:
            return _LEAF_MODELS[str(key)].model_fields
    return ()


def _owner_of_choice(form: Form, key: str) -> str | None:
    """The component of the recipe that has a choice of this name: `recipe.momentum` is a usual slip."""
    for kind, path, part in _parts(form):
        if path[0] == "recipe" and key in _choices(kind, part):
            return str(path[-1])
    return None


def _choices(kind: Kind, part: Part) -> set[str]:
    """The names of a component's choices; none where there is no such component, which is told elsewhere."""
    try:
        return {choice.name for choice in components.describe(kind, part.name).choices}
    except InputError:
        return set()


def _parts(form: Form) -> Iterator[tuple[Kind, Path, Part]]:
    """Every component that a form names, with its path; what has not the shape of one is passed over."""
    recipe = form.get("recipe")
    recipe = recipe if isinstance(recipe, dict) else {}
    named: list[tuple[Kind, Path, object]] = [
        ("dataset", ("dataset",), form.get("dataset")),
        ("model", ("model",), form.get("model")),
        ("optimizer", ("recipe", "optimizer"), recipe.get("optimizer")),
        ("schedule", ("recipe", "schedule"), recipe.get("schedule")),
        ("trainer", ("recipe", "trainer"), recipe.get("trainer")),
    ]
    for kind, path, written in named:
        if isinstance(written, dict) and isinstance(written.get("name"), str):
            yield kind, path, Part(name=written["name"], choices={k: v for k, v in written.items() if k != "name"})
    for key in STEPS:
        steps = form.get(key)
        for name, choices in steps.items() if isinstance(steps, dict) else ():
            if isinstance(choices, dict) and isinstance(name, str):
                yield _kind_at((key,)), (key, name), Part(name=name, choices=choices)


def _component_problems(document: Document, kind: Kind, path: Path, part: Part) -> Iterator[Problem]:
    try:
        components.complete(kind, part)
    except ComponentError as error:
        for inner, message in error.problems:
            if inner == ("name",) and "name" not in part.choices:
                # The name of a step is its key; the others have a value called `name`, or are one.
                place = document.place(path, of_key=True) if path[0] in STEPS else document.place((*path, "name"))
            else:
                known = {choice.name for choice in components.describe(kind, part.name).choices}
                place = document.place((*path, *inner), of_key=inner[0] not in known)
            yield place.problem(message)
    except InputError as error:
        yield document.place(path).problem(str(error))


def _kind_at(path: Path) -> Kind:
    kinds: dict[str, Kind] = {
        "dataset": "dataset",
        "model": "model",
        "preprocessing": "preprocessing",
        "augmentations": "augmentation",
        "optimizer": "optimizer",
        "schedule": "schedule",
        "trainer": "trainer",
    }
    return kinds[str(path[-1])]


def _is_search(form: Form) -> bool:
    return isinstance(form.get("design"), dict) and form["design"].get("kind") == "search"


def _path_in(value: Any, location: Path, *, missing: bool) -> Path:
    """Where a form has what pydantic refused: it counts steps that have names, and adds `choices` and union members."""
    path: list[str | int] = []
    for index, part in enumerate(location):
        segment = list(value)[part] if isinstance(value, dict) and isinstance(part, int) else part
        if isinstance(value, dict) and segment in value:
            value = value[segment]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        elif not (missing and index == len(location) - 1):
            continue
        path.append(segment)
    return tuple(path)
