"""Which trials of a study are left to run. Of a growing plan that follows from the scores, which takes an analysis."""

from __future__ import annotations

from ablation import designs
from ablation.run_folder import RunFolder
from ablation.study import Growing


def count_left(folder: RunFolder) -> int:
    """How many trials have no outcome yet; of a growing plan those that the next look needs."""
    study = folder.beginning().study
    if isinstance(study.seeds, Growing):
        return len(wanted_trials(folder))
    return designs.planned_count(study) - sum(record.outcome is not None for record in folder.records())


def wanted_trials(folder: RunFolder) -> frozenset[tuple[str, int]]:
    """The same trials of a planned design, each by its arm's name and its seed block."""
    from ablation.analysis.results import from_records

    study = folder.beginning().study
    return frozenset(from_records(study, designs.arms(study), folder.records()).missing())
