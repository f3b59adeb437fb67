"""The JSON schema of study files, for editors: it completes keys and names, and marks what cannot be.

Made from the same pydantic models and signatures that check a study file. It cannot say all that `ablation.study_file`
checks: that a level changes something, or that two factors do not change one key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter

from ablation import components
from ablation.components import Component, Kind
from ablation.patches import SETTINGS_KEYS
from ablation.settings import Recipe, Settings
from ablation.study import (
    ExecutionPlan,
    Explicit,
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

Schema = dict[str, Any]

FILE_NAME = "study.schema.json"
"""What a study file beside it names in its first line."""

_DOTTED = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
_DESIGNS: tuple[type[BaseModel], ...] = (OneFactor, LeaveOneOut, Factorial, Fractional, Explicit, Search)
_STEPS: dict[str, Kind] = {"preprocessing": "preprocessing", "augmentations": "augmentation"}
_PARTS: dict[str, Kind] = {
    "dataset": "dataset",
    "model": "model",
    "recipe.optimizer": "optimizer",
    "recipe.schedule": "schedule",
    "recipe.trainer": "trainer",
}


def schema() -> Schema:
    """JSON Schema 2020-12 of the YAML form of a study."""
    described = {
        kind: [components.describe(kind, name) for name in components.names(kind)] for kind in components.KINDS
    }
    own = _properties(Study)
    properties: Schema = {
        "question": own["question"],
        **{key: _said(Settings, key, _ref(key)) for key in SETTINGS_KEYS},
        "factors": _said(
            Study, "factors", {"type": "object", "minProperties": 1, "additionalProperties": _ref("factor")}
        ),
        "design": _said(Study, "design", _ref("design")),
        "seeds": own["seeds"],
        "metric": _metric(own["metric"]["description"], described["metric"]),
        "metrics": _said(Study, "metrics", {"type": "array", "items": _part("metric", described["metric"])}),
        **{key: own[key] for key in ("evaluate_on", "margin")},
        "execution": _said(Study, "execution", _closed(ExecutionPlan)),
        "tracking": _said(Study, "tracking", _closed(Tracking)),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Study",
        "description": "One question about a training recipe, for `ablate run`.",
        "type": "object",
        "required": ["question", "dataset", "model", "factors", "design", "seeds"],
        "additionalProperties": False,
        "properties": {**properties, "scales": _scales(properties)},
        "$defs": {**_settings(described), **_factors(described), "design": _design(), "Growing": _closed(Growing)},
    }


def _metric(description: str, known: list[Component]) -> Schema:
    """The name of what is compared."""
    names = ["accuracy", "loss", *(component.name for component in known)]
    return {"description": description, "default": names[0], "anyOf": [{"enum": names}, _own("metric")]}


def _settings(described: dict[Kind, list[Component]]) -> Schema:
    recipe = _closed(Recipe)
    named = {key.removeprefix("recipe."): _ref(key) for key in _PARTS if key.startswith("recipe.")}
    recipe["properties"] |= {key: _said(Recipe, key, value) for key, value in named.items()}
    changes = {
        key: _partly(value) if f"recipe.{key}" in _PARTS else _or_null(value)
        for key, value in recipe["properties"].items()
    }
    return {
        **{key: _part(kind, described[kind]) for key, kind in _PARTS.items()},
        **{key: _steps(kind, described[kind]) for key, kind in _STEPS.items()},
        "recipe": recipe,
        "recipe.changes": {**recipe, "properties": changes},
    }


def _part(kind: Kind, known: list[Component]) -> Schema:
    """A component under a fixed key: its bare name, or its name with choices."""
    with_choices = [
        {
            "description": component.description,
            "type": "object",
            "properties": {"name": {"const": component.name}, **_choices(component)},
            "required": ["name", *_required(component)],
            "additionalProperties": False,
        }
        for component in known
    ]
    own = {"type": "object", "properties": {"name": _own(kind)}, "required": ["name"]}
    names = [{"enum": [component.name for component in known]}] if known else []
    return {"anyOf": [*names, _own(kind), *with_choices, own]}


def _steps(kind: Kind, known: list[Component]) -> Schema:
    """Components by their names, in order."""
    named = {
        component.name: {
            "description": component.description,
            "type": ["object", "null"],
            "properties": _choices(component),
            "required": _required(component),
            "additionalProperties": False,
        }
        for component in known
    }
    return {
        "description": f"Each {kind} step by its name with its choices, in the order in which they are applied.",
        "type": ["object", "null"],
        "properties": named,
        "patternProperties": {_DOTTED: {"type": ["object", "null"]}},
        "additionalProperties": False,
    }


def _own(kind: Kind) -> Schema:
    return {"description": f"A {kind} of your own: mylab.module", "type": "string", "pattern": _DOTTED}


def _choices(component: Component) -> Schema:
    choices = {}
    for choice in component.choices:
        choices[choice.name] = _untitled(TypeAdapter(choice.type).json_schema())
        if not choice.required:
            choices[choice.name]["default"] = choice.default
    return choices


def _required(component: Component) -> list[str]:
    return [choice.name for choice in component.choices if choice.required]


def _factors(described: dict[Kind, list[Component]]) -> Schema:
    levels = {"type": "object", "minProperties": 2, "additionalProperties": _ref("patch")}
    range_keys = _properties(RangeFactor) | {"when": _ref("when")}
    long_form = [{"required": [key]} for key in ("levels", "sets", "range")]
    return {
        "factor": {
            "anyOf": [
                {"description": "Levels by name; the first is the reference.", **levels, "not": {"anyOf": long_form}},
                {
                    "description": "Levels with a condition.",
                    "type": "object",
                    "properties": {"levels": _said(LevelsFactor, "levels", levels), "when": _ref("when")},
                    "required": ["levels"],
                    "additionalProperties": False,
                },
                {
                    "description": "A number that a search draws.",
                    "type": "object",
                    "properties": range_keys,
                    "required": ["sets", "range"],
                    "additionalProperties": False,
                },
            ]
        },
        "when": {
            "description": LevelsFactor.model_fields["when"].description,
            "type": "object",
            "additionalProperties": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
            },
        },
        "patch": {
            "description": "Dotted keys with their new values; null removes, {} changes nothing.",
            "type": "object",
            "properties": {**_settings_changes(), **_dotted(described)},
            "patternProperties": {rf"^({'|'.join(SETTINGS_KEYS)})\.": {}},
            "additionalProperties": False,
        },
    }


def _dotted(described: dict[Kind, list[Component]]) -> Schema:
    """The dotted keys of all that comes with the package, so that an editor completes them."""
    keys: dict[str, list[Schema]] = {}
    for field, value in _properties(Recipe).items():
        keys[f"recipe.{field}"] = [_ref(f"recipe.{field}") if f"recipe.{field}" in _PARTS else value]
    for prefix, kind in _PARTS.items():
        for component in described[kind]:
            for name, value in _choices(component).items():
                keys.setdefault(f"{prefix}.{name}", []).append(value)
    for prefix, kind in _STEPS.items():
        for component in described[kind]:
            keys[f"{prefix}.{component.name}"] = [{"type": "object", "description": component.description}]
            for name, value in _choices(component).items():
                keys[f"{prefix}.{component.name}.{name}"] = [value]
    return {key: _or_null(*_once(values)) for key, values in keys.items()}


def _settings_changes() -> Schema:
    changes = {key: _partly(_ref(key)) if key in _PARTS else _or_null(_ref(key)) for key in SETTINGS_KEYS}
    return {**changes, "recipe": _or_null(_ref("recipe.changes"))}


def _design() -> Schema:
    bare = [str(design.model_fields["kind"].default) for design in _DESIGNS if design is not Explicit]
    forms = []
    for design in _DESIGNS:
        form = _closed(design)
        form["properties"]["kind"] = {"const": design.model_fields["kind"].default}
        form["required"] = ["kind", *form.get("required", [])]
        forms.append(form)
    return {"anyOf": [{"enum": bare}, *forms]}


def _scales(properties: Schema) -> Schema:
    """Named overrides: the keys of a study with nothing required, dotted keys too; null removes."""
    changes = {key: _or_null(value) for key, value in properties.items()}
    changes |= _settings_changes()
    changes["factors"] = {"type": "object", "additionalProperties": _or_null(_ref("factor"))}
    changes["design"] = _partly(_ref("design"), "kind")
    scale = {
        "type": "object",
        "minProperties": 1,
        "properties": changes,
        "patternProperties": {rf"^({'|'.join(properties)})\.": {}},
        "additionalProperties": False,
    }
    return {
        "description": "the same question at other sizes: `laptop` without an accelerator, others by `--scale`",
        "type": "object",
        "properties": {"full": False},
        "additionalProperties": scale,
    }


def _or_null(*values: Schema) -> Schema:
    return {"anyOf": [*values, {"type": "null"}]}


def _partly(value: Schema, name: str = "name") -> Schema:
    """What may lie over a component: another one, null, or some of its choices without its name."""
    return {"anyOf": [value, {"type": "null"}, {"type": "object", "not": {"required": [name]}}]}


def _properties(model: type[BaseModel]) -> Schema:
    properties: Schema = _untitled(model.model_json_schema())["properties"]
    return properties


def _closed(model: type[BaseModel]) -> Schema:
    """The schema of a model by itself; its description is the first line of its docstring."""
    made: Schema = _untitled(model.model_json_schema())
    made.pop("$defs", None)
    made["description"] = (model.__doc__ or "").partition("\n")[0]
    return made


def _untitled(value: Any) -> Any:
    """A schema without the titles that pydantic makes of every key; editors show them as noise."""
    if isinstance(value, dict):
        return {
            key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))
        }
    return [_untitled(inner) for inner in value] if isinstance(value, list) else value


def _once(values: Iterable[Schema]) -> list[Schema]:
    kept: list[Schema] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return kept


def _said(model: type[BaseModel], key: str, value: Schema) -> Schema:
    """What stands under this key, with what the model says of the key."""
    return {**value, "description": model.model_fields[key].description}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
