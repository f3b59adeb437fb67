"""Which trials of a study are left to run. Of a growing plan that follows from the scores, which takes an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ablation import designs
from ablation.run_folder import RunFolder
from ablation.study import Growing
from ablation.trial import Status


def count_left(folder: RunFolder, statuses: Mapping[str, Status | None] | None = None) -> int:
    """How many trials have no outcome yet; of a growing plan those that the next look needs.

    `statuses`: those of the folder, where they are known already.
    """
    study = folder.beginning().study
    if isinstance(study.seeds, Growing):
        return len(wanted_trials(folder))
    ended = (folder.statuses() if statuses is None else statuses).values()
    return designs.planned_count(study) - sum(status is not None for status in ended)


@dataclass(slots=True)
class Looks:
    """Asks which trials the next look of a growing plan needs, and keeps the answer for whoever only watches."""

    folder: RunFolder
    needed: frozenset[tuple[str, int]] = frozenset()

    def __call__(self) -> frozenset[tuple[str, int]]:
        """The answer as of now."""
        self.needed = wanted_trials(self.folder)
        return self.needed


def wanted_trials(folder: RunFolder) -> frozenset[tuple[str, int]]:
    """The same trials of a planned design, each by its arm's name and its seed block."""
    from ablation.analysis.results import from_records

    study = folder.beginning().study
    return frozenset(from_records(study, designs.arms(study), folder.records()).missing())
