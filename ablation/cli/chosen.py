"""The one trial that a command is about, by more than its full name."""

from __future__ import annotations

from collections.abc import Sequence

from ablation import designs
from ablation.cli.trials import find_trial, label
from ablation.errors import InputError
from ablation.keeping import best_first
from ablation.run_folder import RunFolder
from ablation.trial import Record
from ablation.visible import visible

BEST = "best"
"""The word for the best trial of a study, where no arm is called so."""

_SHOWN = 10


def chosen_trial(folder: RunFolder, name: str) -> Record:
    """A trial by its name, or by the beginning of its name alone; of an arm or of the whole study the best one.

    The best is the complete trial of the highest validation accuracy, whose weights are kept by default.

    Raises:
        InputError: there is no such trial, or more than one.
    """
    records = designs.as_planned(folder.beginning().study, folder.records())
    named = [one for one in records if one.trial.id == name]
    of_the_arm = [one for one in records if one.trial.arm.name == name]
    if named:
        return named[0]
    if of_the_arm or name == BEST:
        return _best(folder, name, of_the_arm or records)
    begin_so = [one for one in records if name and one.trial.id.startswith(name)]
    if len(begin_so) > 1:
        raise InputError(
            f"{len(begin_so)} trials of {folder.path} begin with {visible(name)}: {_listed(begin_so)}. Write more."
        )
    return begin_so[0] if begin_so else find_trial(folder, name)


def require_weights(folder: RunFolder, record: Record) -> None:
    """Raise InputError where the weights of a trial are not there, with those that are."""
    if (folder.trial_folder(record.trial.id) / "weights.pt").exists():
        return
    if record.outcome is None:
        raise InputError(f"{label(record)} has no outcome yet. `ablate run {folder.path}` trains it.")
    keep = folder.beginning().study.execution.keep
    others = [one for one in folder.records() if (folder.trial_folder(one.trial.id) / "weights.pt").exists()]
    there = f"Weights are there of {_listed(others)}." if others else "No trial of the study has weights."
    raise InputError(
        f"{label(record)} is {record.outcome.status} and its weights are gone, or were never kept: execution.keep is "
        f"{keep} (best-per-arm: of each arm the trial of the best validation accuracy), and `ablate clean` removes "
        f"weights. {there} To keep those of all trials, write `execution: {{keep: all}}` into the study file before "
        "they run; if they have ended, run the study anew: `ablate run STUDY --fork NAME --set execution.keep=all`."
    )


def _best(folder: RunFolder, name: str, records: Sequence[Record]) -> Record:
    ranked = best_first(records)
    if not ranked:
        what = "No trial" if name == BEST else f"No trial of the arm {visible(name)}"
        raise InputError(f"{what} of {folder.path} is complete. `ablate run {folder.path}` trains them.")
    return ranked[0]


def _listed(records: Sequence[Record]) -> str:
    more = f" and {len(records) - _SHOWN} more" if len(records) > _SHOWN else ""
    return f"{', '.join(label(one) for one in records[:_SHOWN])}{more}"
