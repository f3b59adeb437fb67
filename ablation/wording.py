"""How a wrong value is told: what it must be, what it is, what is allowed, and what was perhaps meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from ablation.visible import visible

Path = tuple[str | int, ...]
"""Where a value stands inside nested mappings and lists."""

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "tuple_type": "a mapping of names to their choices",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def told(path: Path) -> str:
    """A path as it is written in a study file: `recipe.optimizer.name`."""
    return ".".join(map(str, path))


def shown(value: object) -> str:
    """A value as YAML would write it, shortened."""
    text = visible(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 60 else f"{text[:57]}..."


def listed(words: Iterable[str]) -> str:
    """Words with commas, `none` where there are none."""
    return ", ".join(words) or "none"


def meant(word: str, allowed: Iterable[str]) -> str:
    """The end of a message: ` Did you mean x?` where an allowed word is close, then all of them: ` Allowed: x, y.`."""
    allowed = list(allowed)
    close = difflib.get_close_matches(word, allowed, n=1)
    question = f" Did you mean {close[0]}?" if close else ""
    return f"{question} Allowed: {listed(allowed)}."


def nearest(word: str, allowed: Sequence[str]) -> str:
    """The end of a part of a sentence: ` (did you mean x?)` where an allowed word is close, else nothing."""
    close = difflib.get_close_matches(word, allowed, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def explained(error: ErrorDetails) -> str:
    """What one pydantic error says about its value, as the end of a sentence: `must be at least 1, not 0`."""
    kind, value = error["type"], error["input"]
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {shown(value)}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"must be {words} {context[key]:g}, not {shown(value)}"
    if kind in {"literal_error", "union_tag_invalid"}:
        allowed = str(context["expected" if kind == "literal_error" else "expected_tags"]).replace("'", "")
        given = value.get("kind") if kind == "union_tag_invalid" else value
        close = nearest(str(given), allowed.replace(" or ", ", ").split(", "))
        return f"must be one of {allowed}, not {shown(given)}{close}"
    if kind in {"string_too_short", "string_pattern_mismatch"}:
        return "must not be empty"
    if kind in {"too_short", "too_long"}:
        words, key = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
        return f"must have {words} {context[key]} entries, not {context['actual_length']}"
    return f"cannot be {shown(value)}: {error['msg'][:1].lower()}{error['msg'][1:]}"
