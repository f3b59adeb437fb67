"""`results.csv`: written so that a spreadsheet runs nothing in it, and read back from anybody's table.

The first row belongs to the baseline arm: the reference of a factor is its level there.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ablation.analysis.contrasts import Analysed
from ablation.analysis.families import analysed_as
from ablation.analysis.results import COLUMNS, MEASURES, MISSING, SCORED, ResultsTable, framed
from ablation.durable import write_whole
from ablation.errors import InputError
from ablation.findings import Metric
from ablation.trial import Status, arm_name
from ablation.visible import FORMULA, in_cell, visible
from ablation.wording import listed, meant, shown

FACTOR = "factor:"
CIRCUMSTANCES = "circumstances"
SEED_COLUMNS = ("seed", "seed_block", "block")
RESERVED = (*SEED_COLUMNS, *COLUMNS, "reason", "number")
DEFAULT_MARGINS: Mapping[Metric, float] = {"accuracy": 0.002, "loss": 0.01}
_STATUSES = (*get_args(Status), MISSING)
_NO_METRICS = {*RESERVED} - {*MEASURES}
_METRIC = re.compile(r"[\w .@%()/+-]{1,80}")
_LARGEST_SEED = 2**53
_MOST_COLUMNS = 30


def write_csv(table: ResultsTable, path: Path) -> None:
    """Write the table, the baseline's rows first. A missing number is an empty cell."""
    order = [table.baseline, *(arm for arm in table.arms if arm != table.baseline)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # also quotes a lone carriage return
    factors, numbers = [FACTOR + name for name in table.factors], [*MEASURES, *table.measured]
    writer.writerow(["trial", "arm", "seed", "status", *factors, *numbers, CIRCUMSTANCES])
    rows = sorted(table.frame.to_dict("records"), key=lambda row: order.index(row["arm"]))
    for row in rows:
        levels = [in_cell(table.arms[row["arm"]].get(factor, "")) for factor in table.factors]
        measures = ["" if math.isnan(row[name]) else _number(row[name]) for name in numbers]
        texts = [in_cell(row["trial"]), in_cell(row["arm"]), row["block"], row["status"]]
        writer.writerow([*texts, *levels, *measures, in_cell(row[CIRCUMSTANCES])])
    write_whole(path, out.getvalue())


def from_csv(
    path: Path,
    metric: str,
    *,
    margin: float | None = None,
    evaluate_on: Literal["validation", "test"] = "test",
    design: Analysed | None = None,
) -> ResultsTable:
    """The table of any file with a column for each factor, one for the seed and one for the metric.

    Factors are the columns that begin with `factor:`, or where none does, all that have no meaning of their own.
    A metric other than accuracy and loss needs a margin, and `higher_is_better` of the table stays to be said.
    Without `design` it is a factorial where every combination of two or more factors is there, a fraction where a
    regular part of them is, else each arm is held against the baseline. Raises InputError that names row and column.
    """
    _refuse_metric(metric)
    sheet = _Sheet.read(path, metric)
    rows, levels = zip(*((sheet.trial(index), sheet.levels(index)) for index in range(len(sheet.rows))), strict=True)
    factors = {f: tuple(dict.fromkeys(row[f] for row in levels if f in row)) for f in sheet.factors}
    arms = sheet.arms(levels, {factor: names[0] for factor, names in factors.items() if names})
    frame = framed([row | {"arm": arm} for row, arm in zip(rows, arms, strict=True)], [metric])
    _refuse_repeats(path, list(zip(arms, frame["block"].tolist(), strict=True)))
    ordered = dict(zip(arms, levels, strict=True))  # an arm's rows all have the same levels
    found = analysed_as("fractional", list(ordered.values()), factors)
    if design == "factorial" and found != "factorial":
        raise InputError(
            f"{path}: not every combination of the levels of two or more factors is there, as in a factorial."
        )
    return ResultsTable(
        frame=frame,
        arms=ordered,
        baseline=arms[0],
        factors=factors,
        design=design or found,
        metric=sheet.metric,
        margin=_known_margin(metric) if margin is None else margin,
        planned_blocks=frame["block"].nunique(),
        evaluate_on=evaluate_on,
        notes=(_rule(path, factors),),
    )


def _refuse_metric(metric: str) -> None:
    if metric in _NO_METRICS or not _METRIC.fullmatch(metric):
        raise InputError(f"{shown(metric)} cannot be a metric; name a column of scores, in plain letters.")


def _known_margin(metric: str) -> float:
    if metric not in DEFAULT_MARGINS:
        raise InputError(f"give a margin: effects on {metric} inside it count as equivalent.")
    return DEFAULT_MARGINS[metric]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The cells of a file as text, and what its columns mean."""

    path: Path
    metric: Metric
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    seed: str
    factors: list[str]

    @classmethod
    def read(cls, path: Path, metric: Metric) -> _Sheet:
        header, rows, lines = _cells(path)
        seeds = [name for name in SEED_COLUMNS if name in header]
        if not seeds:
            raise InputError(
                f"{path}: row 1: no column for the seed; name one of {listed(SEED_COLUMNS)}. {_told(header)}"
            )
        if metric not in header:
            raise InputError(f"{path}: row 1: no column {metric!r}. {_told(header)}")
        marked = [name for name in header if name.startswith(FACTOR)]
        factors = marked or [name for name in header if name not in (*RESERVED, metric)]
        if not factors and "arm" not in header:
            raise InputError(f"{path}: row 1: no column for a factor, and none named 'arm'. {_told(header)}")
        sheet = cls(path, metric, header, rows, lines, seeds[0], [name.removeprefix(FACTOR) for name in factors])
        return sheet if factors else cls(path, metric, header, rows, lines, seeds[0], ["arm"])

    def cell(self, index: int, column: str) -> str:
        """The text of a cell, empty where there is no such column."""
        return self.rows[index][self.header.index(column)] if column in self.header else ""

    def trial(self, index: int) -> dict[str, object]:
        """All of a row but its arm."""
        status = self.cell(index, "status") or ("complete" if "status" not in self.header else "")
        if status not in _STATUSES:
            raise self.wrong(index, "status", f"{shown(status)} is not known.{meant(status, _STATUSES)}")
        if status in SCORED and not self.cell(index, self.metric):
            hint = "" if "status" in self.header else "; a column 'status' may say failed"
            raise self.wrong(index, self.metric, f"empty, but the trial counts as {status}{hint}")
        measured = [name for name in dict.fromkeys((*MEASURES, self.metric)) if self.cell(index, name)]
        scores = {name: self.number(index, name) for name in measured}
        if status not in SCORED:
            scores |= dict.fromkeys(("accuracy", "loss", self.metric), math.nan)
        texts = {name: _plain(self.cell(index, name)) for name in ("trial", CIRCUMSTANCES)}
        return {**texts, "block": self.block(index), "status": status, **scores}

    def levels(self, index: int) -> dict[str, str]:
        """The levels of a row. An empty cell of a column `factor:` says that the factor takes no part."""
        levels = {}
        for factor in self.factors:
            marked = FACTOR + factor in self.header
            text = self.cell(index, FACTOR + factor if marked else factor)
            if not text and not marked:
                raise self.wrong(index, factor, "empty; give the level")
            if text:
                levels[factor] = _plain(text)
        return levels

    def arms(self, levels: Sequence[Mapping[str, str]], reference: Mapping[str, str]) -> list[str]:
        """The arm of each row: the column `arm`, or the levels that differ from the reference."""
        if "arm" not in self.header:
            return [arm_name(row, reference) for row in levels]
        names = [_plain(self.cell(index, "arm")) for index in range(len(self.rows))]
        first: dict[str, Mapping[str, str]] = {}
        for index, name in enumerate(names):
            if not name:
                raise self.wrong(index, "arm", "empty; give the arm's name or leave the column out")
            if first.setdefault(name, levels[index]) != levels[index]:
                raise self.wrong(index, "arm", f"{shown(name)} stands above with other levels")
        return names

    def block(self, index: int) -> int:
        """The seed of a row."""
        text = self.cell(index, self.seed)
        try:
            seed = int(text)
        except ValueError:
            raise self.wrong(index, self.seed, f"must be a whole number, not {shown(text)}") from None
        if abs(seed) > _LARGEST_SEED:
            raise self.wrong(index, self.seed, f"must be a whole number of at most 2^53, not {shown(text)}")
        return seed

    def number(self, index: int, column: str) -> float:
        """A measure: finite, and a fraction if it is an accuracy."""
        text = self.cell(index, column)
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(index, column, f"must be a number, not {shown(text)}") from None
        if not math.isfinite(value):
            raise self.wrong(
                index, column, f"must be a finite number, not {visible(text)}; a trial without one may have failed"
            )
        if column == "accuracy" and not 0 <= value <= 1:
            raise self.wrong(
                index, column, f"must be a fraction from 0 to 1, not {visible(text)}; divide per cent by 100"
            )
        return value

    def wrong(self, index: int, column: str, message: str) -> InputError:
        return InputError(f"{self.path}: row {self.lines[index]}, column {column!r}: {message}")


def _cells(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and the number of each row as a spreadsheet counts them, empty rows left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text at byte {error.start}; save it as CSV in UTF-8") from error
    try:
        numbered = [
            (number, row) for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1) if any(row)
        ]
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}") from error
    if len(numbered) < 2:
        raise InputError(f"{path}: holds no trials; the first row names the columns, each further row is one trial")
    header = [name if name.startswith(FACTOR) else name.strip() for name in numbered[0][1]]
    rows = [row for _, row in numbered[1:]]
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InputError(f"{path}: row 1: column {twice[0]!r} stands there twice")
    lines = [number for number, _ in numbered[1:]]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {line}: {len(row)} cells, but {len(header)} columns; separate cells by commas"
            )
    return header, rows, lines


def _rule(path: Path, factors: Mapping[str, Sequence[str]]) -> str:
    references = listed(f"{factor}={names[0]}" for factor, names in factors.items() if names)
    return (
        f"Read from {visible(path.name)}. The first row is the baseline; its levels are the references: {references}."
    )


def _refuse_repeats(path: Path, places: Sequence[tuple[str, int]]) -> None:
    seen: set[tuple[str, int]] = set()
    for place in places:
        if place in seen:
            raise InputError(
                f"{path}: arm {shown(place[0])} has two rows of seed {place[1]}; give each run its own seed"
            )
        seen.add(place)


def _told(header: Sequence[str]) -> str:
    names = [*map(visible, header[:_MOST_COLUMNS]), *(["…"] if len(header) > _MOST_COLUMNS else [])]
    return f"The columns are {listed(names)}; separate them by commas."


def _number(value: float) -> int | float:
    """Whole numbers without a point."""
    return int(value) if value == int(value) else value


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
