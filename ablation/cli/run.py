"""`ablate run`: wire the parts of a study together, drive it, and say what was found."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ablation import components, designs, provenance
from ablation.addresses import default_uri
from ablation.cli.left import count_left, wanted_trials
from ablation.cli.locate import Located, Wanted, locate, take_change
from ablation.cli.outlook import check_margin, images_read, room_for
from ablation.cli.outsiders import name_outsiders
from ablation.cli.room import check_room, check_writable, pausing
from ablation.cli.signals import heed
from ablation.cli.terminal import progress, say
from ablation.driver import Drive, Machine, drive
from ablation.errors import AblationError, PausedError, StudyChangedError
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.holding import hold
from ablation.run_folder import Beginning, RunFolder
from ablation.sampling import open_sampling
from ablation.sources.roots import find_data_root
from ablation.stopping import StopRequest
from ablation.study import Growing, Study
from ablation.tracking import NoTracker
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, note_of
from ablation.training.devices import device_name, has_accelerator, resolve_device, resolve_precision
from ablation.trial import Stamp
from ablation.worker import run_trial

if TYPE_CHECKING:
    from ablation.cli.findings import Written


@dataclass(frozen=True, slots=True)
class How:
    """How this run goes about it; none of it changes a result."""

    slots: int | None
    max_hours: float | None
    data_dir: Path | None
    storage: str | None
    tracking: bool
    fail_fast: bool
    as_json: bool
    take_over: bool = False


def run_study(wanted: Wanted, how: How, stop: StopRequest) -> None:
    """Run a study until its end or a stop, and say what was found; a signal leaves no time for that."""
    deadline = None if how.max_hours is None else time.monotonic() + how.max_hours * 3600
    data_root = find_data_root(how.data_dir)
    located = locate(wanted, has_accelerator)
    check_writable(located.folder.path)
    with pausing(located.folder.path), hold(located.folder.path, how.take_over, heed(stop)):
        for aside in located.folder.set_damaged_aside():
            say(f"warning: a damaged outcome now lies in {aside}; its trial runs again.")
        begun = begin(located)
        study = begun.study
        name_outsiders(study)
        _prepare_data(study, data_root)
        machine = machine_of(study, how.slots, data_root)
        check_room(located.folder.path, room_for(located.folder, study, machine.slots, data_root))
        uri = default_uri(wanted.runs_dir) if how.tracking else None
        with _shipping(begun, located.folder, uri) as shipping, machine.executor:
            finished = _drive(Run(study, located.folder, machine, how, deadline, stop), shipping)
            if stop.why == "signal":
                shipping.pause()
            if stop.why in ("signal", "taken over"):
                return
            from ablation.cli.findings import write_study  # the analysis takes a second to load: the trials run first

            written = write_study(located.folder)
            shipping.conclude(written.markdown, written.files, finished)
    _conclude(located.folder, written, finished or stop.why == "failure", how.as_json)


def begin(located: Located) -> Beginning:
    """What the study was begun with; begins it now where it was not, with `auto` resolved on this machine."""
    if located.begun:
        _check_machine(located.study)
        return take_change(located)
    study = resolved(located.study)
    beginning = Beginning(
        study=study,
        digest=located.digest,
        scale_reason=located.scale_reason,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        source=str(located.source),
    )
    located.folder.begin(beginning, located.source_text)
    return beginning


def resolved(study: Study) -> Study:
    """The study with `auto` replaced by what this machine has and does well."""
    device = resolve_device(study.execution.device)
    recipe = study.baseline.recipe
    if recipe.precision == "auto":
        recipe = recipe.model_copy(update={"precision": resolve_precision(device)})
    return study.model_copy(
        update={
            "execution": study.execution.model_copy(update={"device": device}),
            "baseline": study.baseline.model_copy(update={"recipe": recipe}),
        }
    )


def _check_machine(study: Study) -> None:
    """Refuse to go on where the machine lacks what the study was begun with."""
    try:
        resolve_device(study.execution.device)
    except AblationError as error:
        raise StudyChangedError(f"the study was begun on {study.execution.device}, and {error}") from None


def _prepare_data(study: Study, data_root: Path) -> None:
    """Read every data set once before any trial: what is missing or damaged is told now, and decoding is done once."""
    parts = {arm.settings.dataset.model_dump_json(): arm.settings.dataset for arm in designs.arms(study)}
    for part in parts.values():
        splits = components.open_data(part, data_root)
        if part == study.baseline.dataset:
            check_margin(study, images_read(study, splits))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a study: what stays the same from its first trial to its last."""

    study: Study
    folder: RunFolder
    machine: Machine
    how: How
    deadline: float | None
    stop: StopRequest


def _drive(run: Run, shipping: Shipping) -> bool:
    """Run what is missing. Whether the study came to its end."""
    study, folder = run.study, run.folder
    planned, growing = designs.planned_count(study), isinstance(study.seeds, Growing)
    done = sum(record.outcome is not None for record in folder.records())
    say(f"{folder.path}: scale {study.scale}, {folder.beginning().scale_reason}")
    trials = f"{'at most ' * growing}{planned} trials ({done} done)"
    say(f"{trials} on {study.execution.device}, {run.machine.slots} at a time")
    if not count_left(folder):
        return True
    wanted = partial(wanted_trials, folder) if growing else None
    sampling = open_sampling(study, folder, run.how.storage, wanted)
    try:
        with progress(planned, done) as audience:
            parts = Drive(
                folder=folder,
                sampling=sampling,
                machine=run.machine,
                execution=study.execution,
                run_trial=run_trial,
                shipper=shipping,
                audience=audience,
                stop=run.stop,
                deadline=run.deadline,
                fail_fast=run.how.fail_fast,
            )
            return drive(parts) == "complete"
    except BaseException:
        run.machine.executor.shutdown(wait=False, cancel_futures=True)
        raise


def machine_of(study: Study, slots: int | None, data_root: Path) -> Machine:
    """The slots of this machine: one an accelerator, or on a CPU its cores over the study's threads."""
    device, threads = study.execution.device, study.execution.threads
    environments = slot_environments(device, threads, slots)
    return Machine(ProcessPerDevice(environments), len(environments), data_root)


def default_slots(study: Study) -> int:
    """How many trials run side by side on this machine where nobody says."""
    return len(slot_environments(resolve_device(study.execution.device), study.execution.threads, None))


def slot_environments(device: str, threads: int, slots: int | None) -> list[dict[str, str]]:
    """The environment of each slot; several CUDA slots take the devices in turn."""
    if device == "cuda":
        import torch

        devices = torch.cuda.device_count()
        return [{"CUDA_VISIBLE_DEVICES": str(slot % devices)} for slot in range(slots or devices)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    side_by_side = max(1, cores // threads) if device == "cpu" else 1
    return [{"OMP_NUM_THREADS": str(threads)} for _ in range(slots or side_by_side)]


def _shipping(begun: Beginning, folder: RunFolder, uri: str | None) -> Shipping:
    """Takes finished trials to MLflow, or nowhere with `--no-tracking`."""
    study = begun.study
    commit, dirty = provenance.git_state(Path.cwd())
    stamp = Stamp(
        versions=provenance.versions(),
        git_commit=commit,
        git_dirty=dirty,
        device=device_name(study.execution.device),
        threads=study.execution.threads,
        precision=study.baseline.recipe.precision,
    )
    tracker = NoTracker() if uri is None else MlflowTracker(uri)
    return Shipping(tracker, study, note_of(folder, stamp), folder, say)


def _conclude(folder: RunFolder, written: Written, finished: bool, as_json: bool) -> None:
    """Say what was found, and end with the exit code that fits."""
    from ablation.cli.findings import show

    show(written, as_json)
    if not finished:
        raise PausedError(f"{folder.path} is paused; run the same command again to go on.")
    failed = [record.trial.id for record in folder.records() if record.outcome and record.outcome.status == "failed"]
    if failed:
        say(f"{len(failed)} trials failed; the report gives their reasons, trials/<id>/log.txt the details.")
        raise typer.Exit(1)
