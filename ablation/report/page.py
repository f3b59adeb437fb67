"""What the report of one study is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ablation.findings import Analysis
from ablation.hypotheses import Confirmation, Suggestions
from ablation.report.about_data import DataFacts
from ablation.report.numbers import unit_of
from ablation.report.pictures import ChosenImages
from ablation.study import Growing, Search, Study
from ablation.trial import Arm, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the report says. Nothing else is read: no clock, no file, no network."""

    title: str
    analysis: Analysis
    created: str
    """ISO 8601."""
    command: str
    """One line that makes this report again."""
    study: Study | None = None
    """None for a table of somebody's results, which has no study file."""
    question: str = ""
    digest: str = ""
    records: Sequence[Record] = ()
    """One for each trial that was begun."""
    arms: Sequence[Arm] = ()
    """Every planned arm; none for a search."""
    source_text: str = ""
    """The study file as its author wrote it."""
    hardware: Sequence[str] = ()
    """Lines about the machine beyond what the trials' stamps say."""
    scale_reason: str = ""
    """Why this scale was taken."""
    folder: str = ""
    suggestions: Suggestions = field(default_factory=Suggestions)
    """Of a search: the importances of its factors."""
    pictures: ChosenImages | None = None
    """Images that two arms get wrong or disagree on."""
    no_pictures: str = "This needs predictions of the baseline and another arm on the same test images."
    """Why there are none."""
    data: DataFacts | None = None
    no_data: str = "The data set is not at hand."
    """Why nothing is said of it."""
    live: bool = False
    """Whether the study runs and the file is written again and again: the page then loads itself anew."""
    confirmations: Sequence[Confirmation] = ()
    """Of a search: what was made of its arms since. Of a confirmation: itself."""

    @property
    def is_search(self) -> bool:
        """Whether the study looks for candidates instead of testing them."""
        return self.study is not None and isinstance(self.study.design, Search)

    @property
    def arm_names(self) -> list[str]:
        """Every arm known from anywhere, the baseline first."""
        known = dict.fromkeys(
            [*(one.arm for one in self.analysis.arms), *(one.name for one in self.arms)]
            + [one.trial.arm.name for one in self.records]
        )
        return sorted(known, key=lambda name: name != self.baseline)

    @property
    def baseline(self) -> str:
        """The name of the baseline; empty where no arm is one."""
        marked = [one.arm for one in self.analysis.arms if one.baseline] + [
            one.name for one in self.arms if one.baseline
        ]
        return next(iter(marked), "")

    @property
    def best_other(self) -> str:
        """The arm with the best mean beside the baseline; empty without one."""
        metric, sign = self.analysis.metric, 1 if unit_of(self.analysis).higher_is_better else -1
        others = [(one.on(metric)[0], one.arm) for one in self.analysis.arms if one.arm != self.baseline]
        scored = [(sign * score, arm) for score, arm in others if score is not None]
        return max(scored, key=lambda one: one[0])[1] if scored else ""

    @property
    def grows(self) -> bool:
        """Whether seed blocks are added until all is decided."""
        return self.study is not None and isinstance(self.study.seeds, Growing)

    @property
    def planned_trials(self) -> int:
        """How many trials the plan has, a growing one at most; with no plan, how many are known."""
        if self.study is not None and isinstance(self.study.design, Search):
            return self.study.design.trials
        planned = len(self.arms) * self.analysis.planned_blocks
        return planned or len(self.records) or sum(sum(one.outcomes.values()) for one in self.analysis.arms)

    @property
    def finished_trials(self) -> int:
        """How many trials have an outcome, of whatever kind."""
        if not self.records:
            return sum(sum(one.outcomes.values()) for one in self.analysis.arms)
        return sum(one.outcome is not None for one in self.records)
