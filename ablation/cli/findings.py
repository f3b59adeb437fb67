"""From a run folder, or from a table of results, to the files that say what was found."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ablation import designs
from ablation.analysis.analyse import analyse
from ablation.analysis.censoring import censoring_notes, outcomes_by_level
from ablation.analysis.csv_table import from_csv, write_csv
from ablation.analysis.image_layer import ImageLayer, image_layer
from ablation.analysis.results import from_records
from ablation.analysis.writing import markdown, write_findings
from ablation.cli.linked import with_confirmations
from ablation.cli.locate import find_folder
from ablation.cli.terminal import print_findings, print_json, say
from ablation.errors import InputError
from ablation.faults import point
from ablation.findings import Analysis
from ablation.report.page import Page
from ablation.report.writing import write
from ablation.run_folder import Beginning, RunFolder
from ablation.study import Search, Study
from ablation.trial import Arm, Record
from ablation.visible import visible

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


def write_study(folder: RunFolder) -> Written:
    """Analyse what the run folder holds and write report.html, findings.json, findings.md and results.csv."""
    begun, records = folder.beginning(), folder.records()
    study = begun.study
    arms = designs.arms_of(study, records)
    table = from_records(study, arms, records, begun.changes)
    found = analyse(table, _layer_of(folder, study, arms, records))
    page = Page(
        title=study.name,
        question=study.question,
        study=study,
        digest=begun.digest,
        analysis=found,
        records=records,
        arms=arms,
        source_text=folder.source_text(),
        scale_reason=begun.scale_reason,
        created=_now(),
        command=_command(begun),
        folder=str(folder.path),
    )
    write_csv(table, folder.path / "results.csv")
    if isinstance(study.design, Search):
        page = _with_suggestions(page, study, records)
    page = with_confirmations(page, folder)
    return _written(page, folder.path, ("results.csv",))


def _with_suggestions(page: Page, study: Study, records: Sequence[Record]) -> Page:
    """What a search suggests; Optuna is loaded for that alone."""
    from ablation.sampling.importances import suggest

    levels = outcomes_by_level(study, records)
    notes = (*page.analysis.notes, *censoring_notes(levels))
    analysis = page.analysis.model_copy(update={"notes": notes, "levels": levels})
    return replace(page, analysis=analysis, suggestions=suggest(study, records))


def _layer_of(folder: RunFolder, study: Study, arms: Sequence[Arm], records: Sequence[Record]) -> ImageLayer | None:
    """What the trials said of single images; a search has no findings that it could stand beside."""
    if isinstance(study.design, Search):
        return None
    return image_layer(folder, records, [arm.name for arm in arms], shared_images=study.evaluate_on == "test")


def report_study(study: Path, runs_dir: Path, scale: str | None, as_json: bool) -> None:
    """Analyse a study again, as far as it has come."""
    show(write_study(find_folder(study, runs_dir, scale)), as_json)


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
        created=_now(),
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
    write_findings(page.analysis, folder)
    write(page, folder / "report.html")
    point("findings written")
    names = ("report.html", "findings.json", "findings.md", *more)
    return Written(page.title, page.analysis, tuple(folder / name for name in names))


def _as_json(written: Written) -> dict[str, Any]:
    findings = [finding.model_dump(mode="json") for finding in written.analysis.findings]
    return {
        "study": written.study,
        "report": str(written.files[0]),
        "provisional": written.analysis.provisional,
        "findings": [{key: finding[key] for key in FINDING_KEYS} for finding in findings],
    }


def _command(begun: Beginning) -> str:
    study, source = begun.study, begun.source
    if begun.confirms:
        fork = "" if study.name == f"{begun.confirms.study}-confirm" else f" --fork {study.name}"
        return f"ablate confirm {shlex.quote(source)} --top {begun.confirms.top} --seeds {study.seeds}{fork}"
    scale = "" if study.scale == "full" else f" --scale {study.scale}"
    fork = "" if study.name == Path(source).stem else f" --fork {study.name}"
    longer = f" --set seeds={study.seeds}" if any(change.command for change in begun.changes) else ""
    return f"ablate run {shlex.quote(source)}{scale}{fork}{longer}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
