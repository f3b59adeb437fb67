"""What contrasts change beside the study's metric: other metrics, time and parameters. No verdict rests on it."""

from __future__ import annotations

from ablation.report.drawing import Table
from ablation.report.figures.effects import Effect, Effects
from ablation.report.numbers import MISSING, NOT_COMPARABLE, UNITS, Unit, probability, signed, unit_named


def cost(effects: Effects) -> Table:
    """The effects on loss, or on accuracy, and what a level costs."""
    other = next(unit for unit in UNITS.values() if unit != effects.unit)
    return Table(
        caption=f"Effects on {other.metric}, a family of contrasts of their own, on training time and on parameters",
        columns=("contrast", other.metric, "interval", "adjusted p", "training time", "interval", "parameters"),
        rows=tuple((row.label, *_cells(row, other)) for row in effects.rows),
        numbers=range(1, 7),
    )


def others(effects: Effects) -> Table | None:
    """The effects on all else that a study measures; None where that is nothing."""
    rows = [(row.label, other, unit_named(other.metric)) for row in effects.rows for other in row.others]
    table = Table(
        caption="Effects on other metrics, each a family of contrasts of its own",
        columns=("contrast", "metric", "effect", "interval", "adjusted p"),
        rows=tuple(
            (
                label,
                other.metric,
                unit.difference(other.effect),
                unit.interval(other.low, other.high),
                probability(other.p_adjusted),
            )
            for label, other, unit in rows
        ),
        numbers=range(2, 5),
    )
    return table if rows else None


def _cells(row: Effect, other: Unit) -> tuple[str, ...]:
    effect, seconds, parameters = row.other, row.seconds, row.parameters
    return (
        other.difference(effect.effect if effect else None),
        other.interval(effect.low, effect.high) if effect else MISSING,
        probability(effect.p_adjusted if effect else None),
        (NOT_COMPARABLE if row.time_note else MISSING) if seconds is None else f"{_share(seconds.value)}\u202f%",
        MISSING if seconds is None else f"[{_share(seconds.low)}, {_share(seconds.high)}]",
        MISSING if parameters is None else _whole(parameters.level - parameters.reference),
    )


def _share(ratio: float) -> str:
    return signed(100 * (ratio - 1), 0)


def _whole(difference: float) -> str:
    """A count with its sign, and zero without one."""
    return f"{difference:+,.0f}".replace("-", "−") if difference else "0"
