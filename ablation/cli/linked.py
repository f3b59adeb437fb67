"""What the report of a search and that of its confirmation say of each other."""

from __future__ import annotations

from dataclasses import replace

from ablation import designs
from ablation.analysis.optimism import confirmation, optimism_sentences
from ablation.cli.terminal import say
from ablation.errors import AblationError
from ablation.hypotheses import Confirmation
from ablation.report.page import Page
from ablation.run_folder import RunFolder


def with_confirmations(page: Page, folder: RunFolder) -> Page:
    """A page with the confirmation that the folder holds, or with those of the search that it holds."""
    found = _own(folder) if folder.beginning().confirms else None
    if found is not None:
        notes = (*page.analysis.notes, *optimism_sentences(found))
        return replace(page, analysis=page.analysis.model_copy(update={"notes": notes}), confirmations=(found,))
    others = (_of_search(folder, name) for name in folder.confirmations())
    return replace(page, confirmations=tuple(one for one in others if one is not None))


def _own(folder: RunFolder) -> Confirmation | None:
    begun = folder.beginning()
    if begun.confirms is None:
        return None
    planned = designs.planned_count(begun.study)
    return confirmation(begun.confirms, folder.path.resolve().name, begun.study.metric, planned, folder.records())


def _of_search(search: RunFolder, name: str) -> Confirmation | None:
    """A confirmation beside the search; None where it was taken away, cannot be read, or is that of another search."""
    folder = RunFolder(search.path.parent / name)
    if not folder.begun():
        return None
    try:
        begun = folder.beginning()
        return _own(folder) if begun.confirms and begun.confirms.key == search.beginning().key else None
    except AblationError as error:
        say(f"warning: the confirmation in {folder.path} is left out of the report: {error}")
        return None
