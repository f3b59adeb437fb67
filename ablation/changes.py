"""What a changed study file means for a study that was begun: more of it, nothing for its results, or another study.

An arm is known by its settings: a plan is extended as long as every arm that it had is still in it, under its name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ablation import designs
from ablation.patches import STEPS, form_of
from ablation.settings import Frozen, Settings
from ablation.study import DECIDING_EXECUTION, Growing, Search, Study
from ablation.trial import Arm

_COSMETIC = ("name", "question", "tracking", "execution")
_PLAN = ("factors", "design", "seeds")
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a study differs from the one that was begun, each difference in words."""

    refused: tuple[str, ...] = ()
    """What makes it another study: then nothing else counts."""
    extended: tuple[str, ...] = ()
    """What is planned in addition."""
    cosmetic: tuple[str, ...] = ()
    """What decides no result."""


def compare(before: Study, after: Study) -> Comparison:
    """Sort every difference between a study that was begun and what its file says now; `auto` is resolved in both."""
    lines = differences(before, after)
    cosmetic = tuple(text for key, text in lines.items() if _is_cosmetic(key))
    plan = [text for key, text in lines.items() if _top(key) in _PLAN]
    others = [text for key, text in lines.items() if not _is_cosmetic(key) and _top(key) not in _PLAN]
    if others or before.design.kind != after.design.kind:
        return Comparison(refused=(*others, *plan))
    if before.digest() == after.digest():
        return Comparison(cosmetic=cosmetic)
    plan = plan or ["factors: the order of factors or levels changed"]
    if isinstance(before.design, Search) and isinstance(after.design, Search):
        found = _compare_searches(before, after, plan)
    else:
        found = _compare_plans(before, after, plan)
    return Comparison(found.refused, found.extended, cosmetic + found.cosmetic)


def _compare_searches(before: Study, after: Study, plan: Sequence[str]) -> Comparison:
    """A search may draw more trials; what it draws from, and the seed block of each trial, are fixed."""
    assert isinstance(before.design, Search)
    assert isinstance(after.design, Search)
    more = after.design.trials - before.design.trials
    same = after.model_copy(update={"design": after.design.model_copy(update={"trials": before.design.trials})})
    if more < 0 or same.digest() != before.digest():
        return Comparison(refused=tuple(plan))
    return Comparison(extended=(_more(before.design.trials, after.design.trials, "trial"),))


def _compare_plans(before: Study, after: Study, plan: Sequence[str]) -> Comparison:
    """A planned design may get more arms and more seed blocks, and lose none."""
    planned = {arm.settings.signature(): arm for arm in designs.arms(after)}
    stored = {arm.settings.signature(): arm for arm in designs.arms(before)}
    broken = [line for signature, arm in stored.items() if (line := _broken(arm, planned.get(signature)))]
    more = _more_blocks(before, after)
    if broken or more is None or more < 0:
        return Comparison(refused=(*plan, *broken))
    extended = []
    if more:
        extended.append(_more(len(before.seed_blocks), len(after.seed_blocks), "seed block"))
    if added := [arm.name for signature, arm in planned.items() if signature not in stored]:
        extended.append(f"{len(added):,} more arm{'s'[: len(added) > 1]} ({_listed(added)})")
    return Comparison(extended=tuple(extended), cosmetic=() if extended else tuple(plan))


def _more_blocks(before: Study, after: Study) -> int | None:
    """How many more seed blocks are planned; None where the looks of a growing plan would change: they are declared."""
    if isinstance(before.seeds, Growing) or isinstance(after.seeds, Growing):
        return 0 if before.seeds == after.seeds else None
    return after.seeds - before.seeds


def _broken(stored: Arm, planned: Arm | None) -> str | None:
    """What keeps an arm from being the one that was begun. Its names stand in its trials, in Optuna and in MLflow."""
    if planned is None:
        return f"arm {stored.name}: planned -> not planned with these settings"
    if planned.name != stored.name or planned.baseline != stored.baseline:
        return f"arm {stored.name}: now called {planned.name}"
    for factor, level in stored.levels.items():
        if planned.levels.get(factor) != level:
            return f"arm {stored.name}: {factor}={level} -> {factor}={planned.levels.get(factor, 'not there')}"
    return None


def _more(before: int, after: int, noun: str) -> str:
    return f"{after - before:,} more {noun}{'s'[: after - before > 1]} ({before:,} -> {after:,})"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMES
    return "; ".join(names[:_MOST_NAMES]) + (f"; and {rest} others" if rest > 0 else "")


def _top(key: str) -> str:
    return key.partition(".")[0]


def _is_cosmetic(key: str) -> bool:
    return _top(key) in _COSMETIC and key.removeprefix("execution.") not in DECIDING_EXECUTION


def differences(before: Frozen, after: Frozen) -> dict[str, str]:
    """Each differing key, dotted as in a study file, with its value before and after. Lists are told whole."""
    old, new = _flat(_form(before), ""), _flat(_form(after), "")
    keys = [*old, *(key for key in new if key not in old)]
    found = {
        key: f"{key}: {_told(old.get(key))} -> {_told(new.get(key))}" for key in keys if old.get(key) != new.get(key)
    }
    return found | _moved_steps(before, after)


def _form(value: Frozen) -> dict[str, object]:
    """A value under the keys that a study file has for it."""
    if isinstance(value, Settings):
        return form_of(value)
    data: dict[str, object] = value.model_dump(mode="json")
    return {**data, **form_of(value.baseline), "baseline": None} if isinstance(value, Study) else data


def _moved_steps(before: Frozen, after: Frozen) -> dict[str, str]:
    """Steps that are the same but for their order, which counts."""
    old, new = _form(before), _form(after)
    orders = {
        key: [list(steps) if isinstance(steps := form.get(key), dict) else [] for form in (old, new)] for key in STEPS
    }
    return {
        key: f"{key}: {', '.join(was)} -> {', '.join(now)}"
        for key, (was, now) in orders.items()
        if was != now and sorted(was) == sorted(now)
    }


def _told(value: object) -> str:
    """A value as a study file has it. What is null is not there."""
    if value is None:
        return "not there"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(value: object, path: str) -> dict[str, object]:
    if isinstance(value, dict) and value:
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{path}.{key}" if path else key).items()}
    return {path: value}
