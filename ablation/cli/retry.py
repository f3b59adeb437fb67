"""`ablate retry`: queue failed trials again. Trains nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ablation.cli.terminal import say
from ablation.cli.trials import find_trial, label
from ablation.errors import InputError
from ablation.holding import hold
from ablation.infeasible import is_infeasible
from ablation.run_folder import RunFolder
from ablation.trial import Record

_SHOWN = 10
"""Names in one message."""


def retry_trials(folder: RunFolder, trial_ids: Sequence[str], all_failed: bool) -> None:
    """Queue the named trials again, or all that failed; their outcomes, logs and attempts stay beside them.

    With one of an arm that is infeasible on the device all of that arm's.

    Raises:
        InputError: one of them is unknown, or has not failed; then none is queued.
        StudyLockedError: a driver runs the study.
    """
    if bool(trial_ids) == all_failed:
        raise InputError(f"name trials, or give --failed. {_failed_ones(folder)}")
    with hold(folder.path):
        if all_failed:
            records = [record for record in folder.records() if _has_failed(record)]
        else:
            records = [find_trial(folder, trial_id) for trial_id in dict.fromkeys(trial_ids)]
            _refuse_others(folder, records)
            records += _of_the_same_arms(folder, records)
        for record in records:
            kept = folder.queue_again(record.trial.id)
            say(f"queued {label(record)}; what it had lies in {kept}")
    if not records:
        say(f"no trial of {folder.path} has failed.")
        return
    say(f"next: {shlex.join(['ablate', 'run', str(folder.path)])}")


def _of_the_same_arms(folder: RunFolder, records: Sequence[Record]) -> list[Record]:
    """Other trials of arms that were found infeasible: one of them left, and the study would close the rest by it."""
    arms = {each.trial.arm.name: each.trial.arm for each in records if is_infeasible(each.outcome)}
    named = {each.trial.id for each in records}
    found = [each for arm in arms.values() for each in folder.records_of(arm)]
    return [each for each in found if is_infeasible(each.outcome) and each.trial.id not in named]


def _refuse_others(folder: RunFolder, records: Sequence[Record]) -> None:
    others = [
        f"{label(record)} is {record.outcome.status if record.outcome else 'not done'}"
        for record in records
        if not _has_failed(record)
    ]
    if others:
        raise InputError(f"only failed trials are queued again: {'; '.join(others[:_SHOWN])}. {_failed_ones(folder)}")


def _failed_ones(folder: RunFolder) -> str:
    """The end of a message: which trials have failed."""
    failed = [record.trial.id for record in folder.records() if _has_failed(record)]
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return f"Failed: {', '.join(failed[:_SHOWN])}{more}." if failed else "None has failed."


def _has_failed(record: Record) -> bool:
    return record.outcome is not None and record.outcome.status == "failed"
