"""A search and its confirmation, side by side: in the report of each, and with a link to the other."""

from __future__ import annotations

from urllib.parse import quote

from ablation.hypotheses import Confirmation, ConfirmedArm
from ablation.report.drawing import Table
from ablation.report.numbers import MISSING, Unit, count, fixed, unit_named
from ablation.report.page import Page
from ablation.report.section import Section

_MEANING = (
    "The search had these scores when the arms were chosen: the best of many, mostly of one seed block each. The "
    "confirmation trained the same arms on seed blocks that the search has not seen. The difference is the optimism "
    "that came with the choice, and chance; only the findings of the confirmation say what helps."
)


def confirmed(page: Page) -> list[Section]:
    """One section for each confirmation that the page knows of."""
    return [_section(page, number, one) for number, one in enumerate(page.confirmations, 1)]


def _section(page: Page, number: int, one: Confirmation) -> Section:
    unit = unit_named(one.metric, higher_is_better=page.study is None or page.study.higher_is_better)
    state = "" if one.complete else " It is not complete yet: these are the scores so far."
    other, name = (one.confirmation, "the confirmation") if page.is_search else (one.search, "the search")
    when = f" The arms were chosen when {one.ended} of {count(one.planned, 'trial')} of the search had ended."
    return Section(
        id="confirmation" if number == 1 else f"confirmation-{number}",
        title=f"Confirmed in {one.confirmation}" if page.is_search else f"Confirms {one.search}",
        paragraphs=(_message(one, unit), _MEANING + when + state),
        tables=(_table(one, unit),),
        links=((f"The report of {name}, {other}", f"../{quote(other)}/report.html"),),
    )


def _message(one: Confirmation, unit: Unit) -> str:
    changes = [arm.change for arm in _chosen(one) if arm.change is not None]
    if not changes:
        return "No chosen arm has a score on fresh seed blocks yet."
    mean = sum(changes) / len(changes)
    worse = mean < 0 if unit.higher_is_better else mean > 0
    size = f"{fixed(abs(mean) * unit.factor, unit.digits)} {unit.change}"
    told = f"came out {size} short of" if worse else "held"
    return (
        f"On average {count(len(changes), 'chosen arm')} {told} what the search had on validation ({unit.metric}): an "
        "observation, choice and chance together, without an interval."
    )


def _chosen(one: Confirmation) -> tuple[ConfirmedArm, ...]:
    return tuple(arm for arm in one.arms if arm.promised_trials)


def _table(one: Confirmation, unit: Unit) -> Table:
    rows = tuple(
        (
            arm.arm,
            _promised(arm, unit),
            _spread(arm.validation, arm.validation_sd, unit),
            unit.difference(arm.change),
            _spread(arm.test, arm.test_sd, unit),
            str(arm.seed_blocks),
        )
        for arm in one.arms
    )
    columns = ("arm", "validation, in the search", "validation, fresh", "difference", "test", "fresh seed blocks")
    caption = f"{unit.metric.capitalize()} ({unit.level}): mean, and standard deviation over the fresh seed blocks"
    return Table(caption, columns, rows, numbers=range(1, 6))


def _promised(arm: ConfirmedArm, unit: Unit) -> str:
    if arm.promised is None:
        return "not drawn"
    blocks = f" ({count(arm.promised_trials, 'seed block')})" if arm.promised_trials else ""
    return unit.value(arm.promised) + blocks


def _spread(mean: float | None, sd: float | None, unit: Unit) -> str:
    if mean is None:
        return MISSING
    around = "" if sd is None else f" ± {fixed(sd * unit.factor, unit.digits)}"
    return f"{fixed(mean * unit.factor, unit.digits)}{around}"
