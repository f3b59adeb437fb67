"""The sections of the page, in their order; each says in one line what it lacks rather than showing an empty figure."""

from __future__ import annotations

import plotly.graph_objects as go

from ablation.findings import ArmSummary
from ablation.report import about_data, images, methods, pictures
from ablation.report.confirmed import confirmed
from ablation.report.drawing import Drawing, Table, label
from ablation.report.figures import (
    beside,
    confusion,
    cost,
    curves,
    effects,
    gradients,
    interactions,
    per_class,
    seed_spread,
)
from ablation.report.made import incomplete, made
from ablation.report.numbers import MISSING, UNITS, Unit, duration, fixed, short, unit_named, unit_of
from ablation.report.page import Page
from ablation.report.palette import Style, arm_styles
from ablation.report.searched import search_sections
from ablation.report.section import Section
from ablation.report.top import arm_anchors, contrasted
from ablation.study import Factorial

_MOST_LEVEL_COLUMNS = 6
_NO_EPOCHS = "Learning curves need the epochs of at least one complete trial."


def sections(page: Page) -> tuple[Section, ...]:
    """Everything below the findings."""
    styles = arm_styles(page.arm_names, page.baseline)
    if page.is_search:
        return (*confirmed(page), *search_sections(page, styles), incomplete(page), made(page))
    drawn = [
        _effects(page),
        *confirmed(page),
        *_aliases(page),
        *_interactions(page),
        _arms(page),
        _curves(page, styles),
        _classes(page),
    ]
    return (
        *drawn,
        _images(page),
        _confusion(page),
        pictures.section(page.pictures, page.no_pictures),
        _cost(page, styles),
        _gradients(page, styles),
        _seeds(page, styles),
        incomplete(page),
        *_data(page),
        *methods.section(page),
        made(page),
    )


def titled_figures(page: Page) -> dict[str, go.Figure]:
    """The figures of a page by the ids of their sections, each with the title that the page gives it."""
    drawn = {section.id: section.drawing for section in sections(page) if section.drawing}
    return {name: _titled(drawing) for name, drawing in drawn.items()}


def _titled(drawing: Drawing) -> go.Figure:
    """A copy that stands alone. The page's own has no title: the heading above it says it."""
    figure = go.Figure(drawing.figure)
    height = figure.layout.height or 0
    title = {"text": label(drawing.title, 90), "x": 0, "xanchor": "left", "y": 1, "yanchor": "top", "yref": "container"}
    return figure.update_layout(title={**title, "pad": {"t": 12, "l": 12}}, margin={"t": 96}, height=height + 84)


def _data(page: Page) -> list[Section]:
    """Of a table nobody knows the data."""
    return [about_data.section(page.data, page.no_data)] if page.study else []


def _figure(name: str, title: str, drawing: Drawing | None, missing: str) -> Section:
    return Section(id=name, title=title, drawing=drawing, missing="" if drawing else missing)


def _effects(page: Page) -> Section:
    value = effects.compute(page.analysis)
    missing = "No effect has an estimate yet: that takes a seed block with both the level and its reference."
    if value is None:
        return _figure("effects", "Effects", None, missing)
    further = beside.others(value)
    folded = (beside.cost(value), *([further] if further else []))
    return Section(id="effects", title="Effects", drawing=effects.draw(value), folded=folded)


def _aliases(page: Page) -> list[Section]:
    """Of a fraction: how much of the factorial was run, and what that makes one."""
    found = page.analysis.aliasing
    if found is None:
        return []
    told = (
        f"{found.summary} Defining relation: {found.relation}. Interactions of three or more factors are taken as nil."
    )
    columns = ("effect", "cannot be told from")
    rows = tuple((one, " and ".join(others)) for one, *others in found.aliases)
    caption = "Effects that agree in every arm, the reference counting as -1 and the other level as +1"
    apart = "Main effects and two-way interactions can all be told apart."
    return [
        Section(
            id="aliases",
            title="What the fraction can tell",
            paragraphs=(told,) if rows else (told, apart),
            tables=(Table(caption, columns, rows),) if rows else (),
        )
    ]


def _interactions(page: Page) -> list[Section]:
    if page.analysis.aliasing and page.analysis.aliasing.aliases:
        return []  # the means of two factors' levels would show other interactions too
    factorial = page.study is not None and isinstance(page.study.design, Factorial)
    crossed = any(one.kind == "interaction" for one in page.analysis.findings)
    value = interactions.compute(page.analysis) if factorial or crossed else None
    if not factorial and value is None:
        return []
    missing = "Interactions need a score for every combination of two factors' levels."
    return [_figure("interactions", "Interactions", interactions.draw(value) if value else None, missing)]


def _arms(page: Page) -> Section:
    rows = page.analysis.arms
    if not rows:
        return Section(id="arms", title="Arms", missing="No arm has a trial yet.")
    factors = list(dict.fromkeys(factor for row in rows for factor in row.levels))
    factors = factors if len(factors) <= _MOST_LEVEL_COLUMNS else []
    unit = unit_of(page.analysis)
    further = [unit_named(name) for name in dict.fromkeys(name for row in rows for name in row.others)]
    shown = [*([] if unit in UNITS.values() else [unit]), *UNITS.values(), *further]
    columns = (
        "arm",
        "n",
        *(f"{each.metric} ({each.level})" if each in UNITS.values() else each.metric for each in shown),
        "time",
        "parameters",
        "outcomes",
        *factors,
    )
    table = Table(
        "Mean ± standard deviation over the seed blocks of each arm; n is the number of seed blocks",
        columns,
        tuple(_arm(row, factors, shown) for row in rows),
        numbers=range(1, 4 + len(shown)),
        anchors=tuple(arm_anchors(page).values()),
        marked=tuple(at for at, row in enumerate(rows) if row.baseline),
    )
    return Section(id="arms", title="Arms", tables=(table,))


def _arm(row: ArmSummary, factors: list[str], shown: list[Unit]) -> tuple[str, ...]:
    return (
        row.arm + (" (baseline)" if row.baseline and row.arm != "baseline" else ""),
        str(row.seed_blocks),
        *(_mean(*row.on(unit.metric), unit) for unit in shown),
        duration(row.seconds),
        MISSING if row.parameters is None else short(row.parameters),
        ", ".join(f"{number}\u00a0{status}" for status, number in row.outcomes.items() if number) or MISSING,
        *(row.levels.get(factor, MISSING) for factor in factors),
    )


def _mean(mean: float | None, sd: float | None, unit: Unit) -> str:
    if mean is None:
        return MISSING
    spread = "" if sd is None else f" ± {fixed(sd * unit.factor, unit.digits)}"
    return fixed(mean * unit.factor, unit.digits) + spread


def _curves(page: Page, styles: dict[str, Style]) -> Section:
    value = curves.compute(page.records, page.arm_names, contrasted(page))
    return _figure(
        "curves",
        "Learning curves",
        curves.draw(value, styles) if value else None,
        _NO_EPOCHS,
    )


def _classes(page: Page) -> Section:
    value = per_class.compute(page.analysis)
    return _figure(
        "classes",
        "Changes per class",
        per_class.draw(value) if value else None,
        "Changes per class need confusion matrices of a level and its reference in one seed block.",
    )


def _images(page: Page) -> Section:
    table = images.table(page.analysis)
    if table is not None:
        return Section(id="images", title="Over the images", paragraphs=(images.MEANING,), tables=(table,))
    drawn_anew = page.study is not None and page.study.evaluate_on == "validation"
    missing = (
        images.DRAWN_ANEW if drawn_anew else "This needs predictions of a level and its reference in one seed block."
    )
    return Section(id="images", title="Over the images", missing=missing)


def _confusion(page: Page) -> Section:
    value = confusion.compute(page.records, page.baseline, page.best_other)
    return _figure(
        "confusion",
        "Confusion matrices",
        confusion.draw(value) if value else None,
        "This needs confusion matrices of the baseline and another arm in one seed block.",
    )


def _cost(page: Page, styles: dict[str, Style]) -> Section:
    value = cost.compute(page.analysis)
    return _figure(
        "cost",
        "Cost against score",
        cost.draw(value, styles) if value else None,
        page.analysis.cost_note
        or "This needs the training time or the parameters of at least two arms that differ in it.",
    )


def _gradients(page: Page, styles: dict[str, Style]) -> Section:
    value = gradients.compute(page.records, page.arm_names, contrasted(page))
    return _figure(
        "gradients",
        "Gradients by depth",
        gradients.draw(value, styles) if value else None,
        "This needs a complete trial of a model with two or more layers, trained since gradients are recorded.",
    )


def _seeds(page: Page, styles: dict[str, Style]) -> Section:
    value = seed_spread.compute(page.records, page.analysis, page.arm_names)
    return _figure(
        "seeds",
        "Spread over seed blocks",
        seed_spread.draw(value, styles) if value else None,
        "This needs the score of every single trial.",
    )
