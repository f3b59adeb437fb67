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
their dots.

`Count` is a whole number from 1, `Pixels` one from 0, `Byte` one from 0 to 255; `Fraction` is from 0 to below 1,
`Probability` from 0 to 1, `Positive` above 0, `NotNegative` from 0, `HalfTurn` from 0 to 0.5.
"""

KEYS: dict[Kind, str] = {
    "dataset": "dataset",
    "model": "model",
    "preprocessing": "preprocessing",
    "augmentation": "augmentations",
    "optimizer": "recipe.optimizer",
    "schedule": "recipe.schedule",
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
        lines += ["| choice | type | default |", "|---|---|---|"]
    for choice in component.choices:
        default = "required" if choice.required else f"`{json.dumps(choice.default)}`"
        annotation = choice.annotation.replace("|", "\\|")
        lines.append(f"| `{choice.name}` | `{annotation}` | {default} |")
    return "\n".join([*lines, ""]) if component.choices else "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
