"""`ablate components`: what a study file can name."""

from __future__ import annotations

from ablation import components
from ablation.cli.terminal import print_json, print_table
from ablation.errors import InputError


def print_components(kind: str | None, as_json: bool) -> None:
    """Print the components of one kind, or of all, with their choices and defaults."""
    if kind is not None and kind not in components.KINDS:
        raise InputError(f"there is no kind {kind!r}; allowed are {', '.join(components.KINDS)}.")
    kinds = [kind] if kind else list(components.KINDS)
    found = [components.describe(each, name) for each in kinds for name in components.names(each)]
    if as_json:
        print_json([component_json(component) for component in found])
        return
    rows = [(each.kind, each.name, "; ".join(map(str, each.choices)), each.description) for each in found]
    print_table(("kind", "name", "choices", "what it is"), rows)


def component_json(component: components.Component) -> dict[str, object]:
    """One component as data."""
    choices = {
        choice.name: {"type": choice.values, "required": choice.required, "default": choice.default}
        for choice in component.choices
    }
    return {"kind": component.kind, "name": component.name, "description": component.description, "choices": choices}
