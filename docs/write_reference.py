"""Writes the pages of reference/ anew, whole or between their marks: `python docs/write_reference.py`.

What stands between `<!-- generated: NAME -->` and `<!-- end -->` comes from the code; the rest is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ablation import components
from ablation.cli.exit_codes import EXIT_CODES
from ablation.cli.main import app
from ablation.components import Component, Kind
from ablation.settings import MetricPart, Part, Recipe, Settings
from ablation.signatures import in_words
from ablation.study import ExecutionPlan, Fractional, Growing, LevelsFactor, RangeFactor, Search, Study, Tracking
from ablation.study_file.schema import schema
from ablation.study_file.values import MARGINS, STUDY_KEYS
from ablation.tracking import names

REFERENCE = Path(__file__).parent / "reference"
_MARKED = re.compile(r"(?<=<!-- generated: )([^\n]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every page with the text that it should have."""
    return {
        REFERENCE / "components.md": _components(),
        **{
            REFERENCE / page: _filled(REFERENCE / page, pieces)
            for page, pieces in (("command-line.md", _commands()), ("study-file.md", _keys()), ("mlflow.md", _names()))
        },
    }


def _filled(page: Path, pieces: Mapping[str, str]) -> str:
    """The page with its pieces between their marks. Raises ValueError where it has others, or in another order."""
    text = page.read_text("utf-8")
    marked = [name for name, _ in _MARKED.findall(text)]
    if marked != list(pieces):
        raise ValueError(f"{page} has marks for {', '.join(marked)}; they must be for {', '.join(pieces)}.")
    return _MARKED.sub(lambda found: f"{found[1]}{found[2]}{pieces[found[1]]}\n", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    first, *others = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([first, "|---" * len(head) + "|", *others])


_INTRODUCTION = """\
# Components
What a study file can name, with choices and defaults. This page is written by `docs/write_reference.py` from the
components themselves; `ablate components` prints the same, and [your own](../how-to/own-components.md) are named with
their dots. `[0, 1)` is from 0 to below 1.
"""
_KEYS: dict[Kind, str] = {
    "dataset": "dataset",
    "model": "model",
    "preprocessing": "preprocessing",
    "augmentation": "augmentations",
    "optimizer": "recipe.optimizer",
    "schedule": "recipe.schedule",
    "metric": "metrics",
}


def _components() -> str:
    return "\n".join([_INTRODUCTION, *(_kind(kind, key) for kind, key in _KEYS.items())])


def _kind(kind: Kind, key: str) -> str:
    described = [components.describe(kind, name) for name in components.names(kind)]
    return "\n".join([f"## `{key}`", *map(_component, described)])


def _component(component: Component) -> str:
    head = f"### `{component.name}`\n{component.description}\n"
    rows = [
        (f"`{choice.name}`", choice.values, "required" if choice.required else f"`{json.dumps(choice.default)}`")
        for choice in component.choices
    ]
    return f"{head}\n{_table(('choice', 'values', 'default'), rows)}\n" if rows else head


def _commands() -> dict[str, str]:
    """The heading, the help and the options of each command, and the exit codes."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    codes = _table(("code", "meaning"), [(str(code), meaning) for code, meaning in EXIT_CODES.items()])
    return {**{name: _command(name, command) for name, command in commands.items()}, "exit codes": codes}


def _command(name: str, command: Any) -> str:
    parameters = [each for each in command.params if each.name != "help"]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    shown = "".join(f" {each.metavar}" if each.required else f" [{each.metavar}]" for each in arguments)
    text = f"## `ablate {name}{shown}`\n{command.help}"
    rows = [(_spelled(each), f"{each.help}{_default(each)}") for each in parameters]
    return f"{text}\n\n{_table(('argument or option', 'meaning'), rows)}" if rows else text


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    metavar = f" {parameter.metavar}" if parameter.metavar else ""
    return ", ".join(f"`{each}{metavar}`" for each in (*parameter.opts, *parameter.secondary_opts))


def _default(parameter: Any) -> str:
    if parameter.param_type_name == "option" and parameter.required:
        return " Required."
    shown = parameter.default is not None and parameter.default is not False
    return f" Default: `{parameter.default}`." if shown else ""


_KEY_HEAD = ("key", "type", "default", "meaning")
_FORMS: dict[Any, str] = {
    Part: "component",
    Part | None: "component",
    tuple[Part, ...]: "steps",
    tuple[MetricPart, ...]: "list of components",
    Study.model_fields["design"].annotation: "text or mapping",
}
"""What stands in a file where the values are of these types; other types are said as those of components' choices."""


def _keys() -> dict[str, str]:
    """The tables of keys, by the names of their marks."""
    return {
        "keys": _table(_KEY_HEAD, _study_rows()),
        "recipe": _table(_KEY_HEAD, _rows(Recipe, "recipe.")),
        "factors": _table(_KEY_HEAD, [*_rows(LevelsFactor), *_rows(RangeFactor)[:-1]]),
        "fractional": _table(_KEY_HEAD, _rows(Fractional)),
        "search": _table(_KEY_HEAD, _rows(Search)),
        "growing": _table(_KEY_HEAD, _rows(Growing)),
        "execution": _table(_KEY_HEAD, _rows(ExecutionPlan, "execution.")),
        "tracking": _table(_KEY_HEAD, _rows(Tracking, "tracking.")),
    }


def _study_rows() -> list[tuple[str, ...]]:
    fields = {**Settings.model_fields, **Study.model_fields}
    defaults = {
        **dict.fromkeys(("recipe", "execution", "tracking"), "see below"),
        "margin": ", ".join(f"{margin} ({metric})" for metric, margin in MARGINS.items()),
    }
    rows = [_row(key, fields[key], defaults.get(key, "")) for key in STUDY_KEYS]
    return [*rows, ("`scales`", "mapping", "none", str(schema()["properties"]["scales"]["description"]))]


def _rows(model: type[BaseModel], prefix: str = "") -> list[tuple[str, ...]]:
    return [_row(f"{prefix}{key}", field) for key, field in model.model_fields.items() if key != "kind"]


def _row(key: str, field: FieldInfo, default: str = "") -> tuple[str, ...]:
    kind = "mapping" if get_origin(field.annotation) is dict else _FORMS.get(field.annotation)
    return (
        f"`{key}`",
        kind or in_words(field.annotation, field.metadata),
        default or _shown(field),
        str(field.description),
    )


def _shown(field: FieldInfo) -> str:
    """The default as a study file says it."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ({}, ()):
        return "none"
    default = default.name if isinstance(default, Part) else default
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _names() -> dict[str, str]:
    """The tables of names, by the names of their marks."""
    tables = {
        "parameters of a trial": names.TRIAL_PARAMETERS,
        "metrics of an epoch": names.EPOCH_METRICS,
        "metrics of a trial": names.TRIAL_METRICS,
        "tags of a trial": names.TRIAL_TAGS,
        "artifacts of a trial": names.TRIAL_ARTIFACTS,
        "data sets of a trial": names.TRIAL_DATA_SETS,
        "tags of a study": names.STUDY_TAGS,
        "artifacts of a study": names.STUDY_ARTIFACTS,
        "tags of an experiment": names.EXPERIMENT_TAGS,
        "tags of a model": names.MODEL_TAGS,
        "metrics of a model": names.MODEL_METRICS,
    }
    return {title: _named(table) for title, table in tables.items()}


def _named(table: names.Names) -> str:
    """A column that says the same of all is left out."""
    rows = [
        {"name": f"`{name}`", "unit": each.unit, "written": each.only or "always", "meaning": each.text}
        for name, each in table.items()
    ]
    head = [column for column in ("name", "unit", "written", "meaning") if len({row[column] for row in rows}) > 1]
    return _table(head, [[row[column] for column in head] for row in rows])


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
