"""`ablate run --trial`: one trial in this process, where a debugger reaches it.

A trial without an outcome is run in its own folder. One that has ended stays as it is: it is repeated in a folder that
is thrown away, and what comes out is held against the record.
"""

from __future__ import annotations

import shlex
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer

from ablation.cli.comparison import different_files, different_values
from ablation.cli.display.progress import Lines
from ablation.cli.display.tally import Scope
from ablation.cli.locate import Wanted, locate
from ablation.cli.outsiders import name_outsiders
from ablation.cli.running.places import ThisMachine
from ablation.cli.running.rehearsing import read_data
from ablation.cli.running.room import check_writable, pausing
from ablation.cli.running.run import begin, study_of
from ablation.cli.signals import heed
from ablation.cli.terminal import say
from ablation.cli.trials import find_trial, label, log_lines
from ablation.driver import Drive, Machine, drive
from ablation.executors.in_process import open_executor
from ablation.holding import Holding, hold
from ablation.run_folder import RunFolder
from ablation.sources.roots import find_data_root
from ablation.stopping import StopRequest
from ablation.study import ExecutionPlan
from ablation.training.devices import has_accelerator, resolve_device
from ablation.trial import Answer, Epoch, Outcome, Record, Trial
from ablation.worker import run_trial

_A_DEBUGGERS_PATIENCE = 7 * 24 * 3600.0
"""Seconds: who looks at a trial step by step must not have it ended by the watchdog."""

_SHOWN = 20


@dataclass(slots=True)
class Once:
    """Sampling of a single trial. It is pruned where it was pruned before."""

    trial: Trial | None
    pruned_after: int | None = None
    """The epoch."""

    def ask(self) -> Trial | None:
        """The trial, the first time."""
        trial, self.trial = self.trial, None
        return trial

    def report(self, trial: Trial, epoch: Epoch) -> Answer:  # noqa: ARG002 - there is one trial
        """Go on, unless the trial was pruned here."""
        return "prune" if epoch.epoch == self.pruned_after else "proceed"

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Nobody is told: the next run of the study brings Optuna's index in step with the run folder."""


@dataclass(slots=True)
class Unshipped:
    """Ships nothing: the next run of the study offers every trial to the tracker."""

    def ship(self, record: Record, folder: Path) -> None:
        """Leave it where it is."""


@dataclass(frozen=True, slots=True)
class Here:
    """Where and how a single trial runs."""

    data_root: Path
    execution: ExecutionPlan
    stop: StopRequest = field(default_factory=StopRequest)
    holding: Holding | None = None
    """None where the trial runs in a folder that is thrown away."""


def run_single(wanted: Wanted, trial_id: str, data_dir: Path | None, take_over: bool, stop: StopRequest) -> None:
    """Run one trial of a study, or repeat one that has ended; Exit 1 where it fails, or comes out otherwise.

    Raises:
        InputError: the study has no such trial.
        StudyLockedError: a driver runs the study, and the trial has not ended.
    """
    data_root, located = find_data_root(data_dir), locate(wanted, has_accelerator)
    folder = located.folder
    if located.begun and (record := find_trial(folder, trial_id)).outcome is not None:
        resolve_device(located.study.execution.device)
        name_outsiders(located.study)
        _repeat(folder, record, Here(data_root, located.study.execution, stop))
        return
    check_writable(folder.path)
    with pausing(folder.path), hold(folder.path, take_over, heed(stop)) as holding:
        study = study_of(located, ThisMachine())
        name_outsiders(study)
        read_data(located, study, data_root)
        begin(located, study)
        trial = find_trial(folder, trial_id).trial
        outcome = _run(folder, Once(trial), Here(data_root, study.execution, stop, holding)).outcome
    if outcome is None:  # stopped before its end
        return
    say(f"next: {shlex.join(['ablate', 'run', str(folder.path)])}")
    if outcome.status == "failed":
        raise typer.Exit(1)


def _run(folder: RunFolder, once: Once, here: Here) -> Record:
    """Run a trial in this process, in its folder."""
    assert once.trial is not None, "a single trial is asked for once"
    trial_id = once.trial.id
    with open_executor() as executor:
        parts = Drive(
            folder=folder,
            sampling=once,
            machine=Machine(executor, 1, here.data_root),
            execution=here.execution.model_copy(update={"hang_seconds": _A_DEBUGGERS_PATIENCE}),
            run_trial=run_trial,
            shipper=Unshipped(),
            audience=Lines(Scope(planned=1, done=0, slots=1)),
            stop=here.stop,
        )
        if here.holding is not None:
            parts = replace(parts, fence=here.holding.check, token=here.holding.token)
        drive(parts)
    record = folder.record(trial_id)
    assert record is not None, "a trial that was run was opened"
    return record


def _repeat(folder: RunFolder, record: Record, here: Here) -> None:
    """Run a trial again beside the record, and say whether it comes out the same."""
    assert record.outcome is not None, "only what has ended is repeated"
    pruned_after = len(record.epochs) if record.outcome.status == "pruned" else None
    keeping = Here(here.data_root, here.execution.model_copy(update={"keep": "all"}), here.stop)
    with tempfile.TemporaryDirectory(prefix="ablate-") as scratch:
        again_in = RunFolder(Path(scratch))
        say(f"{label(record)} has ended; repeating it in {scratch}, which is removed afterwards.")
        again = _run(again_in, Once(record.trial, pruned_after), keeping)
        if again.outcome is None:
            return
        place, new_place = folder.trial_folder(record.trial.id), again_in.trial_folder(record.trial.id)
        if again.outcome.status == "failed":
            for line in log_lines(new_place):
                say(line)
        different = different_values(record, again) + different_files(place, new_place, record.outcome)
    _conclude(record, different)


def _conclude(record: Record, different: list[str]) -> None:
    assert record.outcome is not None, "only what has ended is repeated"
    if not different:
        same = "it fails as before" if record.outcome.status == "failed" else "bit-equal to the record"
        say(f"{label(record)}: {same}.")
        return
    more = [f"and {len(different) - _SHOWN} more"] if len(different) > _SHOWN else []
    lines = "\n".join(f"  {line}" for line in (*different[:_SHOWN], *more))
    say(f"{label(record)} comes out otherwise than the record says:\n{lines}")
    raise typer.Exit(1)
