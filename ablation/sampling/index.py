"""Optuna's study of a run folder: an index, made again from the records whenever it lacks something."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ablation.errors import InputError
from ablation.study import Factor, RangeFactor, Search, Study
from ablation.trial import Epoch, Level, Outcome, Record, Scores, Trial

TRIAL = "trial"
"""The user attribute of an Optuna trial that names ours."""

STATES: dict[str | None, TrialState] = {
    None: TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def attributes(trial: Trial) -> dict[str, Any]:
    """The user attributes of a trial's Optuna trial."""
    return {TRIAL: trial.id, "arm": trial.arm.name, "seed block": trial.block}


def how_it_ended(outcome: Outcome | None) -> dict[str, Any]:
    """The user attributes that say what the state and the value of an Optuna trial do not."""
    if outcome is None:
        return {}
    status = {"status": outcome.status} if outcome.status == "diverged" else {}
    return status | ({"reason": outcome.reason} if outcome.reason else {})


def owner(trial: optuna.Trial | optuna.trial.FrozenTrial) -> str:
    """The id of the trial that an Optuna trial stands for, empty where it says none."""
    return str(trial.user_attrs.get(TRIAL, ""))


def begin(index: optuna.Study, storage: BaseStorage, study: Study, trial: Trial) -> int:
    """Add a planned trial as running; its number.

    In one transaction: Optuna's way of enqueuing a trial and asking for it takes eight, 80 ms of SQLite's on a disk.
    """
    where = storage.create_new_trial(
        storage.get_study_id_from_name(index.study_name), template_trial=_frozen(index, study, Record(trial=trial))
    )
    return storage.get_trial_number_from_id(where)


def tell(index: optuna.Study, storage: BaseStorage, trial: Trial, outcome: Outcome) -> None:
    """Close an Optuna trial. A diverged trial is complete with the score of the uniform guess, and marked."""
    assert trial.number is not None, "a trial has its number once it was asked for"
    state = STATES[outcome.status]
    for key, value in how_it_ended(outcome).items():
        storage.set_trial_user_attr(_where(index, storage, trial.number), key, value)
    index.tell(trial.number, value_of(trial, outcome, index) if state == TrialState.COMPLETE else None, state=state)


def value_of(trial: Trial, outcome: Outcome, index: optuna.Study) -> float:
    """What Optuna compares trials by."""
    scores = outcome.scores(trial.evaluate_on)
    assert scores is not None, "a complete trial has its scores"
    return _compared(index, scores)


def _compared(index: optuna.Study, scores: Scores) -> float:
    """The score on the metric that Optuna has the name of, `validation accuracy`."""
    (named,) = index.metric_names or ("",)
    return scores.on(named.partition(" ")[2])


def show_epochs(index: optuna.Study, storage: BaseStorage, number: int, epochs: Sequence[Epoch]) -> None:
    """Write the epochs of a running trial, by its number: a sampler reads how far a pruned trial came, and how well.

    For a trial that another driver drew there is no object that could report them. Each takes SQLite 8 ms.
    """
    where = _where(index, storage, number)
    for step, value in intermediate_values(index, epochs).items():
        storage.set_trial_intermediate_value(where, step, value)


def _where(index: optuna.Study, storage: BaseStorage, number: int) -> int:
    """Under which id a storage keeps a trial."""
    return storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(index.study_name), number)


def intermediate_values(index: optuna.Study, epochs: Sequence[Epoch]) -> dict[int, float]:
    """The validation score that Optuna compares by, at each epoch."""
    return {epoch.epoch: _compared(index, epoch.validation) for epoch in epochs}


def direction_of(study: Study) -> StudyDirection:
    """Which way is better."""
    return StudyDirection.MAXIMIZE if study.higher_is_better else StudyDirection.MINIMIZE


def open_index(study: Study, storage: BaseStorage, earlier: Sequence[str] = ()) -> optuna.Study:
    """The study in Optuna's storage. One of the same name that is another study is refused.

    `earlier`: its digests before it was extended. A categorical's choices cannot grow in Optuna, so the index of a plan
    is begun anew.
    """
    index = optuna.create_study(
        study_name=study.folder_name,
        storage=storage,
        direction=direction_of(study),
        load_if_exists=True,
    )
    stored = index.user_attrs.get("digest")
    if stored is None:
        index.set_user_attr("digest", study.digest())
        index.set_user_attr("question", study.question)
    elif stored in earlier and isinstance(study.design, Search):
        index.set_user_attr("digest", study.digest())
    elif stored in earlier and stored != study.digest():
        optuna.delete_study(study_name=study.folder_name, storage=storage)
        return open_index(study, storage)
    elif stored != study.digest():
        raise InputError(
            f"the Optuna storage already holds a study {study.folder_name!r} with another digest. "
            "Give another --storage, or rename the study file."
        )
    if index.metric_names is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            index.set_metric_names([f"{study.evaluate_on} {study.metric}"])
    return index


def index_records(index: optuna.Study, study: Study, records: Sequence[Record], storage: BaseStorage) -> None:
    """Add what Optuna has lost, in the order of the numbers, and close what ended without its knowing."""
    known = {owner(trial): trial for trial in index.get_trials(deepcopy=False)}
    for record in records:
        found, state = known.get(record.trial.id), STATES[record.outcome.status if record.outcome else None]
        if found is None or (found.state.is_finished() and found.state != state):  # the latter was queued again
            index.add_trial(_frozen(index, study, record))
        elif record.outcome and not found.state.is_finished():
            if state == TrialState.PRUNED:
                show_epochs(index, storage, found.number, record.epochs)
            tell(index, storage, record.trial.model_copy(update={"number": found.number}), record.outcome)


def _frozen(index: optuna.Study, study: Study, record: Record) -> optuna.trial.FrozenTrial:
    trial, outcome = record.trial, record.outcome
    state = STATES[outcome.status if outcome else None]
    return optuna.trial.create_trial(
        state=state,
        value=_frozen_value(index, record),
        params=dict(trial.arm.levels),
        distributions=distributions(study, trial.arm.levels),
        user_attrs=attributes(trial) | how_it_ended(outcome),
        intermediate_values=intermediate_values(index, record.epochs) if state == TrialState.PRUNED else {},
    )


def _frozen_value(index: optuna.Study, record: Record) -> float | None:
    """What Optuna would have taken: of a pruned trial the last epoch's score, of one without a score nothing."""
    outcome = record.outcome
    if outcome and STATES[outcome.status] == TrialState.COMPLETE:
        return value_of(record.trial, outcome, index)
    pruned = outcome is not None and outcome.status == "pruned"
    return _compared(index, record.epochs[-1].validation) if pruned and record.epochs else None


def distribution(factor: Factor) -> BaseDistribution:
    """What Optuna draws a factor's level from."""
    if not isinstance(factor, RangeFactor):
        return CategoricalDistribution(tuple(factor.levels))
    low, high = factor.range
    if factor.integer:
        return IntDistribution(int(low), int(high), log=factor.scale == "log")
    return FloatDistribution(low, high, log=factor.scale == "log")


def distributions(study: Study, levels: dict[str, Level]) -> dict[str, BaseDistribution]:
    """The same for every factor that has a level."""
    return {name: distribution(study.factors[name]) for name in levels}
