"""Settings of a component from weak to strong, found in its signature: nobody lists them.

One choice is varied at a time, the others stay as they are; but a choice called `probability` is 1 then, so that every
image shows what is varied. No setting is shown twice. What is shown of a choice:

- the values that its annotation gives as examples: `Annotated[float, Field(ge=0, examples=[0.1, 0.3])]`;
- else each value of a `Literal`, and both of a truth value;
- of a number with an upper bound a quarter, half and all of its range;
- of any other number half of its default, the default and twice as much; 0.25, 0.5 and 1 where the default is 0.

Text and lists have no order, and are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ablation.components import Component
from ablation.settings import Choice
from ablation.signatures import Parameter

_SHARES = (0.25, 0.5, 1.0)
_CHANCE = "probability"
"""What the choice is called that says how often an augmentation is applied."""
_BELOW_THE_END = 0.9
"""The largest share of a range that does not hold its end."""


@dataclass(frozen=True, slots=True)
class Strength:
    """A component with all its choices, of which one is varied; none where it has nothing to vary."""

    varied: str
    choices: Mapping[str, Choice]


def strengths(component: Component, given: Mapping[str, Choice]) -> tuple[Strength, ...]:
    """The settings to be shown; `given` are choices that a study makes. Empty where a required choice is not known."""
    now = _settled(component, given)
    if now is None:
        return ()
    sure = {_CHANCE: 1.0} if _CHANCE in now else {}
    varied: list[Strength] = []
    for choice in component.choices:
        others = now if choice.name == _CHANCE else {**now, **sure}
        for value in values(choice, now[choice.name]):
            setting = {**others, choice.name: value}
            if all(setting != one.choices for one in varied):
                varied.append(Strength(choice.name, setting))
    return tuple(varied) or (Strength("", now),)


def values(choice: Parameter, now: Choice) -> list[Choice]:
    """What is shown of one choice, the weakest first; `now` is what it is when others are varied."""
    return _values(choice.type, (), now)


def _values(kind: Any, details: Sequence[Any], now: Choice) -> list[Choice]:
    """The same of a type; `details` are what the annotations around it say of it."""
    if get_origin(kind) is Annotated:
        inner, *fields = get_args(kind)
        return _values(inner, (*fields, *(limit for field in fields for limit in field.metadata), *details), now)
    if examples := next((each.examples for each in details if getattr(each, "examples", None)), None):
        return list(examples)
    if get_origin(kind) in (Union, UnionType):
        found = [value for member in get_args(kind) for value in _values(member, details, now)]
        return [value for at, value in enumerate(found) if value not in found[:at]]
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [False, True]
    return _numbers(kind, _bounds(details), now) if kind in (int, float) else []


def _settled(component: Component, given: Mapping[str, Choice]) -> dict[str, Choice] | None:
    """Every choice as given, as by default, or in the middle of what is shown of it."""
    now: dict[str, Choice] = {}
    for choice in component.choices:
        if choice.name in given or not choice.required:
            now[choice.name] = given.get(choice.name, choice.default)
        elif shown := values(choice, None):
            now[choice.name] = shown[len(shown) // 2]
        else:
            return None
    return now


def _bounds(details: Sequence[Any]) -> dict[str, float]:
    """`ge`, `gt`, `le` and `lt`, as far as they are there."""
    names = ("ge", "gt", "le", "lt")
    return {name: getattr(each, name) for each in details for name in names if getattr(each, name, None) is not None}


def _numbers(kind: type, bounds: Mapping[str, float], now: Choice) -> list[Choice]:
    low = bounds.get("ge", bounds.get("gt", 0.0))
    high = bounds.get("le", bounds.get("lt"))
    usual = now if isinstance(now, int | float) and not isinstance(now, bool) and now > 0 else None
    if high is not None:
        shares = _SHARES if "le" in bounds else (*_SHARES[:-1], _BELOW_THE_END)
        found = [low + share * (high - low) for share in shares]
        found += [] if usual is None else [usual]
    elif kind is int:
        middle = int(usual or 2)
        found = [middle // 2, middle, 2 * middle] if middle > 1 else [1, 2, 4]
    else:
        found = [share * 2 * usual for share in _SHARES] if usual else [low + share for share in _SHARES]
    return [*sorted({kind(round(each) if kind is int else round(each, 6)) for each in found if each >= low})]
