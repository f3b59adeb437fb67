"""From a run folder, or from a table of results, to the files that say what was found."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv, write_csv
from ablation.analysis.writing import markdown, write_findings
from ablation.cli.locate import find_folder
from ablation.cli.terminal import print_findings, print_json, say
from ablation.errors import InputError
from ablation.faults import point
from ablation.findings import Analysis
from ablation.report.page import Page
from ablation.report.writing import write
from ablation.run_folder import RunFolder
from ablation.study_page import now, page_of
from ablation.visible import visible

WATCH_SECONDS = 2.0

FINDING_KEYS = (
    *("kind", "factor", "level", "reference", "metric", "effect", "low", "high"),
    *("p_adjusted", "seed_blocks", "verdict", "sentence", "aliases", "equivalence_low", "equivalence_high"),
)
"""What `--json` prints of a finding; findings.json holds all of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was found, and the files that say it, the report first."""

    study: str
    analysis: Analysis
    files: tuple[Path, ...]

    @property
    def markdown(self) -> str:
        """The findings as they stand in findings.md."""
        return markdown(self.analysis)


def write_study(folder: RunFolder, *, live: bool = False) -> Written:
    """Analyse what the run folder holds and write the report with the files beside it.

    A `live` page loads itself again: the study runs, and the report is written anew as it does.
    """
    page, table = page_of(folder, lambda text: say(f"warning: {text}"))
    page = replace(page, live=live)
    write_csv(table, folder.path / "results.csv")
    return _written(page, folder.path, ("results.csv",))


def report_study(study: Path, runs_dir: Path, scale: str | None, as_json: bool) -> None:
    """Analyse a study again, as far as it has come."""
    show(write_study(find_folder(study, runs_dir, scale)), as_json)


def watch_study(study: Path, runs_dir: Path, scale: str | None, as_json: bool) -> None:
    """Write the report whenever a trial has ended, until nobody runs the study; then once more, and show it."""
    folder, before = find_folder(study, runs_dir, scale), -1
    if folder.holder() is None:
        say(f"nobody runs {folder.path}: the report is written once")
    while folder.holder() is not None:
        ended = sum(status is not None for status in folder.statuses().values())
        if ended != before:
            written, before = write_study(folder, live=True), ended
            say(f"{ended} trials have ended: {written.files[0]}")
        time.sleep(WATCH_SECONDS)
    show(write_study(folder), as_json)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is analysed of a table: a column, what is good of it, and what counts as equivalent."""

    metric: str
    higher_is_better: bool | None = None
    """None where the metric says it: accuracy and loss."""
    margin: float | None = None

    @property
    def good(self) -> bool | None:
        """What a table must be told of a metric that is neither accuracy nor loss.

        Raises InputError where that was not said, or is said wrongly.
        """
        known = {"accuracy": True, "loss": False}.get(self.metric)
        if known is not None and self.higher_is_better not in (None, known):
            raise InputError(f"{'higher' if known else 'lower'} {self.metric} is better; leave the option out.")
        if known is None and self.higher_is_better is None:
            raise InputError(f"say what is good of {visible(self.metric)}: --higher-is-better or --lower-is-better.")
        return None if known is not None else self.higher_is_better


def report_table(table: Path, out: Path, measure: Measure, as_json: bool) -> None:
    """The same analysis of a table of results that came from anywhere."""
    good = measure.good
    found = analyse(replace(from_csv(table, measure.metric, margin=measure.margin), higher_is_better=good))
    asked = "" if good is None else f" --{'higher' if good else 'lower'}-is-better"
    asked += "" if measure.margin is None else f" --margin {measure.margin:g}"
    out.mkdir(parents=True, exist_ok=True)
    page = Page(
        title=table.stem,
        question=f"What do the factors in {table.name} change?",
        analysis=found,
        created=now(),
        command=f"ablate report --from {shlex.quote(str(table))} --metric {shlex.quote(measure.metric)}{asked}",
    )
    show(_written(page, out, ()), as_json)


def show(written: Written, as_json: bool) -> None:
    """Print the findings, and where the report lies."""
    if as_json:
        print_json(_as_json(written))
    else:
        print_findings(written.analysis)
    say(f"report: {written.files[0]}")


def _written(page: Page, folder: Path, more: tuple[str, ...]) -> Written:
    write_findings(page.analysis, folder, page.question)
    write(page, folder / "report.html")
    point("findings written")
    names = ("report.html", "findings.json", "findings.md", "findings.tex", *more)
    return Written(page.title, page.analysis, tuple(folder / name for name in names))


def _as_json(written: Written) -> dict[str, Any]:
    findings = [finding.model_dump(mode="json") for finding in written.analysis.findings]
    return {
        "study": written.study,
        "report": str(written.files[0]),
        "provisional": written.analysis.provisional,
        "findings": [{key: finding[key] for key in FINDING_KEYS} for finding in findings],
    }
