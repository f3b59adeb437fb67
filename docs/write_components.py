"""Writes reference/components.md from the source of the components: `python docs/write_components.py`."""

from __future__ import annotations

import json
from pathlib import Path

from ablation import components
from ablation.components import Component, Kind

PAGE = Path(__file__).parent / "reference" / "components.md"

INTRODUCTION = """\
# Components
What a study file can name, with choices and defaults. This page is written by `docs/write_components.py` from the
components themselves; `ablate components` prints the same, and [your own](../how-to/own-components.md) are named with
their dots. `[0, 1)` is from 0 to below 1.
"""

KEYS: dict[Kind, str] = {
    "dataset": "dataset",
    "model": "model",
    "preprocessing": "preprocessing",
    "augmentation": "augmentations",
    "optimizer": "recipe.optimizer",
    "schedule": "recipe.schedule",
    "metric": "metrics",
}


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(_kind(kind, key) for kind, key in KEYS.items())])


def _kind(kind: Kind, key: str) -> str:
    described = [components.describe(kind, name) for name in components.names(kind)]
    return "\n".join([f"## `{key}`", *map(_component, described)])


def _component(component: Component) -> str:
    lines = [f"### `{component.name}`", component.description, ""]
    if component.choices:
        lines += ["| choice | values | default |", "|---|---|---|"]
    for choice in component.choices:
        default = "required" if choice.required else f"`{json.dumps(choice.default)}`"
        lines.append(f"| `{choice.name}` | {choice.values} | {default} |")
    return "\n".join([*lines, ""]) if component.choices else "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
