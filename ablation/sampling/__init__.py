"""Which trial comes next. The only folder that knows Optuna, whose storage is an index of the run folder.

Planned designs are listed by `ablation.designs` and handed out one at a time as slots come free; a search lets Optuna
draw. Either way a trial without an outcome comes first, so that a study that was interrupted goes on where it was.
"""

from __future__ import annotations

import optuna

from ablation import designs
from ablation.addresses import sqlite_uri, storage_errors
from ablation.run_folder import RunFolder
from ablation.sampling.index import index_records, open_index, owner
from ablation.sampling.pausing import PausingSampling, Sampling
from ablation.sampling.planned import PlannedSampling, Wanted
from ablation.sampling.search import SearchSampling
from ablation.sampling.stores import open_store
from ablation.study import Search, Study

__all__ = ["Sampling", "open_sampling"]


def open_sampling(
    study: Study, folder: RunFolder, storage: str | None = None, wanted: Wanted | None = None
) -> Sampling:
    """The sampling of a study's design, its index brought in step with the run folder.

    `wanted` says which trials of a growing plan come next; without it a plan is run whole.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    address = storage or sqlite_uri((folder.path / "study.db").absolute())
    with storage_errors(address):
        backend = open_store(address)
        changes = folder.beginning().changes if folder.begun() else ()
        index = open_index(study, backend, earlier=[change.resolved for change in changes])
        records = folder.records()
        if {owner(trial) for trial in index.get_trials(deepcopy=False)} - {record.trial.id for record in records}:
            # Queued or drawn by a driver that ended before it opened the trial: that is to be done again.
            optuna.delete_study(study_name=study.folder_name, storage=backend)
            index = open_index(study, backend)
        if isinstance(study.design, Search):
            index_records(index, study, records, backend)
            return PausingSampling(SearchSampling(study, folder, index, backend), address)
        index_records(index, study, designs.as_planned(study, records), backend)
        return PausingSampling(PlannedSampling(study, folder, index, backend, wanted), address)
