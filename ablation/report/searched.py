"""The sections of a search: hypotheses, and what they rest on. No finding stands here."""

from __future__ import annotations

from ablation.report.drawing import Drawing
from ablation.report.figures import (
    curves,
    importances,
    search_history,
    search_parallel,
    search_scatter,
    search_trials,
)
from ablation.report.page import Page
from ablation.report.palette import Style
from ablation.report.section import Section

_BEST_CURVES = 5
_HYPOTHESIS = "A hypothesis, not a finding: it rests on the validation scores of trials that a search chose."


def search_sections(page: Page, styles: dict[str, Style]) -> tuple[Section, ...]:
    """The best trials, how the search went, what it suggests, and how its best arms learned."""
    if page.study is None:
        return ()
    trials = search_trials.trials_of(page.records, page.study)
    if not trials.ranked:
        return (Section(id="search", title="Best trials", missing="No trial of the search is complete yet."),)
    history, slices, parallel = (
        search_history.compute(trials),
        search_scatter.compute(trials),
        search_parallel.compute(trials),
    )
    names = list(dict.fromkeys(trial.arm for trial in trials.ranked))[:_BEST_CURVES]
    learned = curves.compute(page.records, names, names)
    return (
        Section(id="search", title="Best trials", tables=(search_trials.ranking(trials, search_trials.BEST),)),
        _figure("history", "History", search_history.draw(history) if history else None, ""),
        _importances(page),
        _figure("slices", "Slices", search_scatter.draw(slices) if slices else None, _HYPOTHESIS),
        _figure("parallel", "Parallel coordinates", search_parallel.draw(parallel) if parallel else None, _HYPOTHESIS),
        _figure("curves", "Learning curves", curves.draw(learned, styles) if learned else None, ""),
    )


def _figure(name: str, title: str, drawing: Drawing | None, said: str) -> Section:
    missing = "" if drawing else "This needs complete trials with different scores and their epochs."
    return Section(
        id=name, title=title, drawing=drawing, paragraphs=(said,) if said and drawing else (), missing=missing
    )


def _importances(page: Page) -> Section:
    bars = importances.compute(page.suggestions.importances)
    said = (_HYPOTHESIS, *(f"{measure}: {meaning}." for measure, meaning in importances.MEANINGS.items()))
    said += page.suggestions.warnings
    if bars is None:
        missing = " ".join(page.suggestions.warnings) or "Importances were not computed."
        return Section(id="importances", title="Importances", missing=missing)
    return Section(id="importances", title="Importances", paragraphs=said, drawing=importances.draw(bars))
