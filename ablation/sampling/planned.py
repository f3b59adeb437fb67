"""The trials of a planned design, handed out one at a time as slots come free."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import optuna
from optuna.storages import BaseStorage

from ablation import designs
from ablation.faults import point
from ablation.run_folder import RunFolder
from ablation.sampling.index import begin, owner, tell
from ablation.study import Study
from ablation.trial import Answer, Epoch, Outcome, Trial

Wanted = Callable[[], Collection[tuple[str, int]]]
"""Of a growing plan: the arms, by name, and seed blocks that the next look needs and that have not ended."""


class PlannedSampling:
    """The arms of the design in every seed block, in the recorded run order.

    Of a growing plan only those trials that are `wanted`, which is asked anew once all of them have ended: so what is
    run depends on the scores and not on the slots.
    """

    def __init__(
        self, study: Study, folder: RunFolder, index: optuna.Study, storage: BaseStorage, wanted: Wanted | None = None
    ) -> None:
        self._study, self._folder, self._index, self._storage, self._wanted = study, folder, index, storage, wanted
        self._numbers = {owner(trial): trial.number for trial in index.get_trials(deepcopy=False)}
        self._running: set[str] = set()
        self._waiting = self._without_outcome()

    def ask(self) -> Trial | None:
        """The next planned trial; one that was begun before keeps its number. None also until a look can be made."""
        trial = next(self._waiting, None)
        if trial is None and self._wanted and not self._running:
            self._waiting = self._without_outcome()
            trial = next(self._waiting, None)
        if trial is None:
            return None
        self._running.add(trial.id)
        number = self._numbers.get(trial.id)
        return trial.model_copy(update={"number": self._begin(trial) if number is None else number})

    def report(self, trial: Trial, epoch: Epoch) -> Answer:  # noqa: ARG002 - planned designs never prune
        """Planned designs never prune."""
        return "proceed"

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Close the Optuna trial of the same number."""
        self._running.discard(trial.id)
        tell(self._index, self._storage, trial, outcome)

    def _without_outcome(self) -> Iterator[Trial]:
        wanted = self._wanted() if self._wanted else None
        for trial in designs.planned_trials(self._study):
            if wanted is not None and (trial.arm.name, trial.block) not in wanted:
                continue
            record = self._folder.record(trial.id)
            if record is None or record.outcome is None:
                yield trial

    def _begin(self, trial: Trial) -> int:
        number = begin(self._index, self._storage, self._study, trial)
        point("trial numbered")
        return number
