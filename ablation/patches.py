"""Changes to a study by dotted keys, and the form of settings that they change.

The form is that of a study file: `{"model": {"name": "vgg", "depth": 16}, "augmentations": {"crop": {}}, ...}`.
Scales, `--set` and the levels of factors all change it by the same rules:

- a mapping is merged, any other value replaces what was there, null removes it;
- a component that is given with its name is replaced as a whole, and so are a factor and a design with its kind;
- an augmentation or a preprocessing step that is not there yet comes last.

Knows nothing of files or places, and checks nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ablation.settings import Part, Recipe, Settings
from ablation.wording import Path

Form = dict[str, Any]

PARTS: tuple[Path, ...] = (
    ("dataset",),
    ("model",),
    ("recipe", "optimizer"),
    ("recipe", "schedule"),
    ("recipe", "trainer"),
)
"""Where a component stands under a fixed key; a bare name stands for `{name: ...}`."""

STEPS = ("preprocessing", "augmentations")
"""Where components stand by their names, in order."""

SETTINGS_KEYS = ("dataset", "model", *STEPS, "recipe")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value to be put at a path; `origin` is where in the overlay it came from."""

    path: Path
    value: Any
    origin: Path


def assignments(overlay: Mapping[str, Any], form: Form) -> list[Assignment]:
    """An overlay as single assignments, in the order to be applied: the whole before its parts."""
    found = [
        assignment
        for key, value in overlay.items()
        for assignment in _leaves(key_path(key, value, form), value, (key,))
    ]
    return sorted(found, key=lambda assignment: len(assignment.path))


def key_path(key: str, value: object, form: Form) -> Path:
    """The path that a dotted key names.

    The name of a component may itself have dots: a step that is there already is found by its name; of a new one, all
    that follows is the name, save the last word where the value can only be that of a choice.
    """
    head, dot, rest = key.partition(".")
    if not dot or head not in STEPS:
        return tuple(key.split("."))
    steps = form.get(head)
    for name in sorted(steps, key=len, reverse=True) if isinstance(steps, dict) else ():
        if rest == name:
            return (head, name)
        if rest.startswith(f"{name}."):
            return (head, name, *rest.removeprefix(f"{name}.").split("."))
    name, dot, choice = rest.rpartition(".")
    return (head, name, choice) if dot and not isinstance(value, Mapping | None) else (head, rest)


def assign(form: Form, assignment: Assignment) -> None:
    """Put one value into a form, in place."""
    *parents, last = assignment.path
    inner = form
    for key in parents:
        if not isinstance(inner.get(str(key)), dict):
            inner[str(key)] = {}
        inner = inner[str(key)]
    if assignment.value is None:
        inner.pop(str(last), None)
    elif assignment.value != {} or not isinstance(inner.get(str(last)), dict):
        inner[str(last)] = copy.deepcopy(assignment.value)


def change(form: Form, overlay: Mapping[str, Any]) -> None:
    """Apply an overlay to a form, in place."""
    for assignment in assignments(overlay, form):
        assign(form, assignment)


def normalised(raw: Mapping[str, Any]) -> Form:
    """What a study file says, short forms written out, with the optimizer and schedule that it may leave out."""
    form = copy.deepcopy(dict(raw))
    if form.get("recipe") is None:
        form["recipe"] = {}
    if isinstance(recipe := form["recipe"], dict):
        recipe.setdefault("optimizer", Recipe().optimizer.name)
        recipe.setdefault("schedule", Recipe().schedule.name)
    for *parents, last in PARTS:
        inner = form.get(str(parents[0])) if parents else form
        if isinstance(inner, dict) and isinstance(inner.get(str(last)), str):
            inner[str(last)] = {"name": inner[str(last)]}
    for key in STEPS:
        if key in form and form[key] is None:
            form[key] = {}
        if isinstance(steps := form.get(key), dict):
            form[key] = {name: {} if choices is None else choices for name, choices in steps.items()}
    if isinstance(form.get("design"), str):
        form["design"] = {"kind": form["design"]}
    return form


def form_of(settings: Settings) -> Form:
    """Settings in the form of a study file."""

    def written(part: Part) -> Form:
        return {"name": part.name, **part.choices}

    recipe = settings.recipe.model_dump(mode="json")
    recipe |= {"optimizer": written(settings.recipe.optimizer), "schedule": written(settings.recipe.schedule)}
    recipe |= {} if settings.recipe.trainer is None else {"trainer": written(settings.recipe.trainer)}
    return {
        "dataset": written(settings.dataset),
        "model": written(settings.model),
        "preprocessing": {part.name: dict(part.choices) for part in settings.preprocessing},
        "augmentations": {part.name: dict(part.choices) for part in settings.augmentations},
        "recipe": recipe,
    }


def settings_data(form: Mapping[str, Any]) -> Form:
    """What `Settings.model_validate` takes, made from a form. What has not the shape of a component passes as it is."""

    def part(written: object) -> object:
        if not isinstance(written, dict):
            return written
        named = {"name": written["name"]} if "name" in written else {}
        return {**named, "choices": {key: value for key, value in written.items() if key != "name"}}

    data = {key: form[key] for key in SETTINGS_KEYS if key in form}
    for key in ("dataset", "model"):
        if key in data:
            data[key] = part(data[key])
    for key in STEPS:
        if isinstance(data.get(key), dict):
            data[key] = tuple({"name": name, "choices": choices} for name, choices in data[key].items())
    if isinstance(recipe := data.get("recipe"), dict):
        components = {key: part(recipe[key]) for key in ("optimizer", "schedule", "trainer") if key in recipe}
        data["recipe"] = {**recipe, **components}
    return data


def _leaves(path: Path, value: Any, origin: Path) -> Iterator[Assignment]:
    if isinstance(value, str) and path in (*PARTS, ("design",)):
        yield Assignment(path, {"kind" if path == ("design",) else "name": value}, origin)
    elif value is not None and (path[:-1] in PARTS and path[-1] == "name"):
        yield Assignment(path[:-1], {"name": value}, origin)
    elif path == ("design", "kind"):
        yield Assignment(path[:-1], {"kind": value}, origin)
    elif not isinstance(value, dict) or _whole(path, value):
        yield Assignment(path, value, origin)
    else:
        yield Assignment(path, {}, origin)
        for key, inner in value.items():
            yield from _leaves((*path, key), inner, (*origin, key))


def _whole(path: Path, value: Mapping[str, Any]) -> bool:
    """Whether a mapping replaces what was there."""
    if path == ("design",):
        return "kind" in value
    return (path in PARTS and "name" in value) or (len(path) == 2 and path[0] == "factors")
