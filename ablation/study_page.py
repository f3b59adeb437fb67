"""From a run folder to all that its report says: the one way for `ablate report` and for `ablation.load`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ablation import designs
from ablation.analysis.analyse import analyse
from ablation.analysis.censoring import censoring_notes, outcomes_by_level
from ablation.analysis.image_layer import ImageLayer, image_layer
from ablation.analysis.optimism import confirmation, optimism_sentences
from ablation.analysis.results import ResultsTable, from_records
from ablation.errors import AblationError
from ablation.hypotheses import Confirmation
from ablation.report.page import Page
from ablation.run_folder import Beginning, RunFolder
from ablation.seen_images import with_images
from ablation.study import Search, Study
from ablation.trial import Arm, Record

Warn = Callable[[str], None]
"""Takes a sentence about what had to be left out."""


def page_of(folder: RunFolder, warn: Warn) -> tuple[Page, ResultsTable]:
    """Analyse what a run folder holds: the page, and the table that it was made from."""
    begun, records = folder.beginning(), folder.records()
    study = begun.study
    arms = designs.arms_of(study, records)
    table = from_records(study, arms, records, begun.changes)
    layer = _layer_of(folder, study, arms, records)
    page = Page(
        title=study.name,
        question=study.question,
        study=study,
        digest=begun.digest,
        analysis=analyse(table, layer),
        records=records,
        arms=arms,
        source_text=folder.source_text(),
        scale_reason=begun.scale_reason,
        created=now(),
        command=_command(begun),
        folder=str(folder.path),
    )
    page = _with_suggestions(page, study, records) if layer is None else with_images(page, layer)
    return _with_confirmations(page, folder, warn), table


def now() -> str:
    """The time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _layer_of(folder: RunFolder, study: Study, arms: Sequence[Arm], records: Sequence[Record]) -> ImageLayer | None:
    """What the trials said of single images; a search has no findings that it could stand beside."""
    if isinstance(study.design, Search):
        return None
    return image_layer(folder, records, [arm.name for arm in arms], shared_images=study.evaluate_on == "test")


def _with_suggestions(page: Page, study: Study, records: Sequence[Record]) -> Page:
    """What a search suggests; Optuna is loaded for that alone."""
    from ablation.sampling.importances import suggest

    levels = outcomes_by_level(study, records)
    notes = (*page.analysis.notes, *censoring_notes(levels))
    analysis = page.analysis.model_copy(update={"notes": notes, "levels": levels})
    return replace(page, analysis=analysis, suggestions=suggest(study, records))


def _with_confirmations(page: Page, folder: RunFolder, warn: Warn) -> Page:
    """A page with the confirmation that the folder holds, or with those of the search that it holds."""
    found = _own(folder) if folder.beginning().confirms else None
    if found is not None:
        notes = (*page.analysis.notes, *optimism_sentences(found))
        return replace(page, analysis=page.analysis.model_copy(update={"notes": notes}), confirmations=(found,))
    others = (_of_search(folder, name, warn) for name in folder.confirmations())
    return replace(page, confirmations=tuple(one for one in others if one is not None))


def _own(folder: RunFolder) -> Confirmation | None:
    begun = folder.beginning()
    if begun.confirms is None:
        return None
    planned = designs.planned_count(begun.study)
    return confirmation(begun.confirms, folder.path.resolve().name, begun.study.metric, planned, folder.records())


def _of_search(search: RunFolder, name: str, warn: Warn) -> Confirmation | None:
    """A confirmation beside the search; None where it was taken away, cannot be read, or is that of another search."""
    folder = RunFolder(search.path.parent / name)
    if not folder.begun():
        return None
    try:
        begun = folder.beginning()
        return _own(folder) if begun.confirms and begun.confirms.key == search.beginning().key else None
    except AblationError as error:
        warn(f"the confirmation in {folder.path} is left out of the report: {error}")
        return None


def _command(begun: Beginning) -> str:
    study, source = begun.study, begun.source
    if begun.confirms:
        fork = "" if study.name == f"{begun.confirms.study}-confirm" else f" --fork {study.name}"
        return f"ablate confirm {shlex.quote(source)} --top {begun.confirms.top} --seeds {study.seeds}{fork}"
    scale = "" if study.scale == "full" else f" --scale {study.scale}"
    fork = "" if study.name == Path(source).stem else f" --fork {study.name}"
    longer = f" --set seeds={study.seeds}" if any(change.command for change in begun.changes) else ""
    return f"ablate run {shlex.quote(source)}{scale}{fork}{longer}"
