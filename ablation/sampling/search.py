"""The trials of a search: Optuna draws the levels."""

from __future__ import annotations

import importlib

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage

from ablation import conditions, designs
from ablation.errors import InputError
from ablation.run_folder import RunFolder
from ablation.sampling.index import attributes, distribution, owner, show_epochs, tell
from ablation.sampling.pruning import open_pruning
from ablation.seeding import seed_of
from ablation.study import Factor, Search, Study
from ablation.trial import Answer, Epoch, Level, Outcome, Record, Trial, trial_id
from ablation.trial_files import write_epochs, write_outcome


class SearchSampling:
    """Optuna draws the levels; trial i runs in seed block i modulo the study's seed blocks."""

    def __init__(self, study: Study, folder: RunFolder, index: optuna.Study, storage: BaseStorage) -> None:
        assert isinstance(study.design, Search), "planned designs list their trials"
        self._study, self._folder, self._index, self._storage = study, folder, index, storage
        self._design, self._pruning = study.design, open_pruning(study, study.design, folder)
        numbers = {owner(trial): trial.number for trial in index.get_trials(deepcopy=False)}
        records = folder.records()
        self._ended = {_same(record.trial): record.trial.id for record in reversed(records) if record.outcome}
        """The first trial with an outcome, by what makes two trials one."""
        waiting = [record.trial for record in records if record.outcome is None]
        self._interrupted = [trial.model_copy(update={"number": numbers[trial.id]}) for trial in waiting]

    def ask(self) -> Trial | None:
        """An interrupted trial, else a new draw. A repeated arm in the same block is told its stored value at once."""
        if self._interrupted:
            return self._interrupted.pop(0)
        while (number := self._next_number()) is not None:
            trial = self._draw(number)
            earlier = self._earlier(trial)
            if earlier is None or earlier.outcome is None:
                return trial
            note = f"same arm and seed block as trial {earlier.trial.id}: its scores, not trained again"
            outcome = earlier.outcome.model_copy(update={"reason": note})
            place = self._folder.open_trial(trial)
            write_epochs(place, earlier.epochs)
            write_outcome(place, outcome)
            self._folder.note_outcome(trial.id, outcome)
            self.tell(trial, outcome)
        return None

    def report(self, trial: Trial, epoch: Epoch) -> Answer:
        """Ask the pruner."""
        return self._pruning.answer(trial, epoch) if self._pruning else "proceed"

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Close the Optuna trial of the same number."""
        same = _same(trial)
        self._ended[same] = min(trial.id, self._ended.get(same, trial.id))
        if self._pruning is not None:
            record = self._folder.record(trial.id)
            assert record is not None, "a trial is opened before it is launched"
            assert trial.number is not None, "a trial has its number once it was asked for"
            self._pruning.end(record, outcome)
            if outcome.status == "pruned":
                show_epochs(self._index, self._storage, trial.number, record.epochs)
        tell(self._index, self._storage, trial, outcome)

    def _next_number(self) -> int | None:
        """The first number that no trial has: the next one, unless a person has taken a trial's folder away."""
        # By owners, since a trial that was queued again stands there twice.
        taken = {owner(each) for each in self._index.get_trials(deepcopy=False)}
        return next((number for number in range(self._design.trials) if _id(number) not in taken), None)

    def _draw(self, number: int) -> Trial:
        # Seeded afresh for each number: a search that goes on draws what an unbroken one would have drawn.
        self._index.sampler = _sampler(self._design.sampler, seed_of(0, "sampler", number) % 2**32)
        asked = self._index.ask()
        arm = designs.arm_of(self._study, _suggest(asked, self._study.factors))
        blocks = self._study.seed_blocks
        trial = Trial(
            id=_id(number),
            arm=arm,
            block=blocks[number % len(blocks)],
            evaluate_on="validation",
            metrics=self._study.metrics,
            number=asked.number,
        )
        for key, value in attributes(trial).items():
            asked.set_user_attr(key, value)
        if self._pruning is not None:
            self._pruning.begin(trial)
        return trial

    def _earlier(self, trial: Trial) -> Record | None:
        """The trial of the same arm and seed block that has ended, from its folder."""
        known = self._ended.get(_same(trial))
        return None if known is None else self._folder.record(known)


def _same(trial: Trial) -> str:
    """Equal for trials of one arm in one seed block."""
    return trial_id(trial.arm, trial.block)


def _id(number: int) -> str:
    return f"{number:05d}"


def _suggest(asked: optuna.Trial, factors: dict[str, Factor]) -> dict[str, Level]:
    """Draw a level for every factor that takes part, in the order of the study file."""
    levels: dict[str, Level] = {}
    for name in conditions.factor_order(factors):
        factor = factors[name]
        if not conditions.holds(factor, levels):
            continue
        drawn_from = distribution(factor)
        if isinstance(drawn_from, CategoricalDistribution):
            levels[name] = str(asked.suggest_categorical(name, drawn_from.choices))
        elif isinstance(drawn_from, IntDistribution):
            levels[name] = asked.suggest_int(name, drawn_from.low, drawn_from.high, log=drawn_from.log)
        elif isinstance(drawn_from, FloatDistribution):
            levels[name] = asked.suggest_float(name, drawn_from.low, drawn_from.high, log=drawn_from.log)
    return levels


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    module, _, attribute = name.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), attribute)(seed=seed)
        if not isinstance(made, optuna.samplers.BaseSampler):
            raise TypeError(f"{attribute} is no sampler")
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"design.sampler {name!r} cannot be used ({error}); allowed are tpe, random, or the dotted name of an "
            "Optuna sampler class that takes a seed, such as optuna.samplers.QMCSampler."
        ) from error
    return made
