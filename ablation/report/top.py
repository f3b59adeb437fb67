"""The top of the page: the state of the study in one line, and its findings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ablation.report.figures.effects import ORDER, ordered
from ablation.report.numbers import count
from ablation.report.page import Page
from ablation.report.palette import MARKS

_HYPHEN = r"(?<=[\s(\[])-(?=\d)"
"""The sign of a number, as a sentence made for a terminal has it."""

MOST_LISTED = 1000
"""Trials that the page lists one by one."""

SEARCH = (
    "This is a search: it gives no findings. It names candidates by their validation scores, and the score of the best "
    "of many noisy trials is always optimistic. What it suggests has to be confirmed in a planned study with new "
    "seed blocks."
)


@dataclass(frozen=True, slots=True)
class Chip:
    """A verdict with its sign, so that colour says nothing alone."""

    word: str
    sign: str

    @property
    def style(self) -> str:
        """The verdict as a class of the style sheet."""
        return self.word.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Linked:
    """An arm, the id of its row in the table of arms, and that of its first trial; empty where no trial is listed."""

    arm: str
    row: str
    trials: str


@dataclass(frozen=True, slots=True)
class Said:
    """One finding: its verdict, its sentence and the arms that it rests on."""

    chip: Chip
    sentence: str
    arms: tuple[Linked, ...]


def arm_anchors(page: Page) -> dict[str, str]:
    """The id of each arm's row in the arms table."""
    return {one.arm: f"arm-{at}" for at, one in enumerate(page.analysis.arms)}


def trial_anchors(page: Page) -> dict[str, str]:
    """The id of each arm's first row in the table of trials; none where that table cannot hold all."""
    if len(page.records) > MOST_LISTED:
        return {}
    run = {record.trial.arm.name for record in page.records}
    return {one.arm: f"trials-{at}" for at, one in enumerate(page.analysis.arms) if one.arm in run}


def said(page: Page) -> tuple[Said, ...]:
    """The findings as the page lists them; a search has none."""
    if page.is_search:
        return ()
    anchors, trials = arm_anchors(page), trial_anchors(page)
    return tuple(
        Said(
            Chip(one.verdict, MARKS[one.verdict].sign),
            with_true_minus(one.sentence),
            tuple(
                Linked(arm, anchors[arm], trials.get(arm, "")) for arm in (one.arm, one.reference_arm) if arm in anchors
            ),
        )
        for one in ordered(page.analysis)
    )


def with_true_minus(sentence: str) -> str:
    """A sentence that was made for a terminal, with the signs of its numbers as the page writes them."""
    return re.sub(_HYPHEN, "−", sentence)


def contrasted(page: Page) -> tuple[str, str]:
    """The two arms that a reader sees first: the baseline and the one that moved most."""
    moved = [one.arm for one in ordered(page.analysis) if one.arm]
    return page.baseline, moved[0] if moved else page.best_other


def tally(page: Page) -> tuple[tuple[Chip, int], ...]:
    """How many findings of each verdict."""
    verdicts = Counter(one.verdict for one in page.analysis.findings)
    return tuple(
        (Chip(word, MARKS[word].sign), verdicts[word]) for word in ORDER if verdicts[word] and not page.is_search
    )


def state(page: Page) -> str:
    """How far the study is and what it measures."""
    split = f" on the {page.study.evaluate_on} split" if page.study and not page.is_search else ""
    split = " on the validation split" if page.is_search else split
    most = "at most " if page.grows else ""
    parts = [f"{page.finished_trials} of {most}{count(page.planned_trials, 'trial')}"]
    if not page.is_search:
        arms = len(page.arms) or len(page.analysis.arms)
        parts.append(f"{count(arms, 'arm')} × {most}{count(page.analysis.planned_blocks, 'seed block')}")
    parts.append(f"{page.analysis.metric}{split}")
    if page.study:
        parts.append(f"scale {page.study.scale}")
    return " · ".join(parts)


def banner(page: Page) -> str:
    """What a reader has to know before anything else; empty where nothing stands in the way."""
    if page.is_search:
        return SEARCH
    if page.finished_trials == 0:
        return "No trial has finished yet, so there is nothing to say."
    if page.analysis.provisional and page.grows:
        return "Provisional: the study still grows. Verdicts are those that a look has drawn; the rest are estimates."
    if page.analysis.provisional:
        return (
            f"Provisional: {page.finished_trials} of {count(page.planned_trials, 'trial')} have finished. These are "
            "estimates; no verdict is drawn before the plan is complete."
        )
    return ""
