"""Whether a search ends a trial early: Optuna's pruners, over a study in memory that is replayed from the run folder.

No decision rests on Optuna's storage, nor on the name of the study: a search that goes on decides as an unbroken one,
with its index or without it.
"""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner

from ablation import conditions, designs
from ablation.run_folder import RunFolder
from ablation.sampling.index import STATES, direction_of
from ablation.study import RangeFactor, Search, Study
from ablation.trial import Answer, Epoch, Outcome, Record, Trial

_NAME = "search"
"""Hyperband puts a trial into a bracket by its number and the name of the study, which decides no result here."""


class Pruning:
    """One search's pruner, and what it has heard of each trial."""

    def __init__(self, study: Study, pruner: BasePruner, folder: RunFolder) -> None:
        self._metric, self._folder = study.metric, folder
        sampler = optuna.samplers.RandomSampler()  # never asked for anything
        direction = direction_of(study)
        self._memory = optuna.create_study(study_name=_NAME, direction=direction, pruner=pruner, sampler=sampler)
        self._trials: dict[str, optuna.Trial] = {}
        self._heard: dict[str, int] = {}
        self._pruned_at: dict[str, int] = {}
        for record in sorted(folder.records(), key=lambda record: record.trial.id):
            self.begin(record.trial)
            if record.outcome is not None:
                self.end(record, record.outcome)

    def begin(self, trial: Trial) -> None:
        """Take a trial in; trials are numbered in the order in which they were drawn."""
        self._trials[trial.id] = self._memory.ask()

    def answer(self, trial: Trial, epoch: Epoch) -> Answer:
        """Whether a trial goes on after an epoch. One that has come to its last epoch is not pruned any more.

        Epochs may come again, where an attempt went on from an earlier checkpoint, and are answered as before; those
        that an attempt before this driver's start made are read from the trial's folder.
        """
        heard = self._heard.get(trial.id, 0)
        if epoch.epoch > heard:
            missed = self._missed(trial, epoch) if epoch.epoch > heard + 1 else ()
            if self._hear(trial.id, [*missed, epoch]) and epoch.epoch < trial.arm.settings.recipe.epochs:
                self._pruned_at[trial.id] = epoch.epoch
        return "prune" if self._pruned_at.get(trial.id) == epoch.epoch else "proceed"

    def end(self, record: Record, outcome: Outcome) -> None:
        """Close a trial, with all of its epochs."""
        self._hear(record.trial.id, record.epochs)
        number, state = self._trials[record.trial.id].number, STATES[outcome.status]
        scores = outcome.validation if state == optuna.trial.TrialState.COMPLETE else None
        self._memory.tell(number, scores.on(self._metric) if scores else None, state=state)

    def _missed(self, trial: Trial, epoch: Epoch) -> Sequence[Epoch]:
        record = self._folder.record(trial.id)
        return [each for each in record.epochs if each.epoch < epoch.epoch] if record else ()

    def _hear(self, trial_id: str, epochs: Sequence[Epoch]) -> bool:
        """Tell the pruner of the epochs that it has not heard of, one by one: its rungs fill as they were filled."""
        prune, trial = False, self._trials[trial_id]
        for epoch in epochs:
            if epoch.epoch > self._heard.get(trial_id, 0):
                trial.report(epoch.validation.on(self._metric), epoch.epoch)
                prune = trial.should_prune()
                self._heard[trial_id] = epoch.epoch
        return prune


def open_pruning(study: Study, design: Search, folder: RunFolder) -> Pruning | None:
    """The pruning of a search as far as it has come, None where it has no pruner."""
    match design.pruner:
        case "none":
            return None
        case "median":
            return Pruning(study, MedianPruner(), folder)
        case "successive-halving":
            return Pruning(study, SuccessiveHalvingPruner(min_resource=1), folder)
        case "hyperband":
            # Left to itself it takes the longest trial so far, which in parallel depends on who is first.
            return Pruning(study, HyperbandPruner(min_resource=1, max_resource=most_epochs(study)), folder)


def most_epochs(study: Study) -> int:
    """The most epochs that any level of any factor trains for."""
    return max(study.baseline.recipe.epochs, *(_epochs_at(study, name) for name in study.factors))


def _epochs_at(study: Study, name: str) -> int:
    factor = study.factors[name]
    if isinstance(factor, RangeFactor):
        return int(factor.range[1]) if factor.sets == "recipe.epochs" else 0
    arms = (
        designs.arm_of(study, {**context, name: level})
        for context in conditions.contexts(study.factors, name)
        for level in factor.levels
    )
    return max(arm.settings.recipe.epochs for arm in arms)
