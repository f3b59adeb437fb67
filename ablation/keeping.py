"""What of a trial stays on the disk once it has its outcome: weights as the study says, and evidence always."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from ablation.run_folder import RunFolder
from ablation.trial import ACCIDENTS, Outcome, Record, Trial, trial_id
from ablation.trial_files import ATTEMPT, remove_leftovers


def tidy(folder: RunFolder, trial: Trial, outcome: Outcome) -> None:
    """Let go of what a trial went on from.

    After an accident it stays: `ablate retry` goes on from there. After a bug, a refused choice or bad data something
    else will run, and it runs from the start.
    """
    place = folder.trial_folder(trial.id)
    (place / ATTEMPT).unlink(missing_ok=True)  # there where its driver was killed after the outcome
    if outcome.cause not in ACCIDENTS:
        remove_leftovers(place)


def keep_best_weights(folder: RunFolder, trial: Trial, best: dict[str, str]) -> None:
    """Of an arm's planned trials keep the weights of the best: by validation accuracy, then loss, then name.

    That order is also the tracker's, which logs the best weights of the whole study. `best` holds those of the arms
    that were looked at: all of an arm's trials are read once, not at each end of one.
    """
    if not _is_planned(trial):
        return
    arm = trial.arm.settings.signature()
    known = [folder.record(each) for each in (best[arm], trial.id)] if arm in best else folder.records_of(trial.arm)
    kept = _keep_best(folder, [record for record in known if record is not None])
    if kept is not None:
        best[arm] = kept


def sweep(folder: RunFolder, keep: str) -> None:
    """Do what a driver that was killed had left to do: the study must be held."""
    arms: dict[str, list[Record]] = {}
    for record in folder.records():
        if record.outcome is not None:
            tidy(folder, record.trial, record.outcome)
        if _is_planned(record.trial):
            arms.setdefault(record.trial.arm.settings.signature(), []).append(record)
    if keep == "best-per-arm":
        for records in arms.values():
            _keep_best(folder, records)


def _is_planned(trial: Trial) -> bool:
    """Whether its id says the arm and the block; in a search it is a number, and each trial keeps its weights."""
    return trial.id == trial_id(trial.arm, trial.block)


def best_first(records: Iterable[Record]) -> list[Record]:
    """The complete trials by validation accuracy, then loss, then name."""
    ranked = [
        ((-record.outcome.validation.accuracy, record.outcome.validation.loss, record.trial.id), record)
        for record in records
        if record.outcome and record.outcome.validation and record.outcome.status == "complete"
    ]
    return [record for _, record in sorted(ranked, key=itemgetter(0))]


def _keep_best(folder: RunFolder, records: Iterable[Record]) -> str | None:
    """Let go of all weights but the best's; the id of its trial."""
    ranked = best_first(records)
    for record in ranked[1:]:
        (folder.trial_folder(record.trial.id) / "weights.pt").unlink(missing_ok=True)
    return ranked[0].trial.id if ranked else None
