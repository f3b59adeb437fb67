"""`ablate run`: wire the parts of a study together, drive it, and say what was found."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ablation import components, designs, provenance
from ablation.addresses import default_uri
from ablation.cli.display.progress import Lines, progress
from ablation.cli.display.resources import Resources, memory_of
from ablation.cli.display.so_far import SoFar
from ablation.cli.display.tally import Scope
from ablation.cli.locate import Located, Wanted, locate, take_change
from ablation.cli.outsiders import name_outsiders
from ablation.cli.planning.outlook import room_for
from ablation.cli.running.hours import deadline_of, end_of
from ablation.cli.running.left import Looks, count_left
from ablation.cli.running.models import model_maker
from ablation.cli.running.places import Paths, Place
from ablation.cli.running.placing import open_place
from ablation.cli.running.rehearsing import read_data, rehearse_parts
from ablation.cli.running.room import check_room, check_writable, pausing
from ablation.cli.signals import heed
from ablation.cli.terminal import say
from ablation.driver import Drive, Machine, drive
from ablation.errors import AblationError, PausedError, StudyChangedError
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.holding import Holding, hold
from ablation.keeping import sweep
from ablation.run_folder import Beginning, RunFolder
from ablation.sampling import open_sampling
from ablation.sources.roots import data_at, find_data_root
from ablation.stopping import StopRequest
from ablation.study import Growing, Search, Study
from ablation.tracking import NoTracker
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.models import Make
from ablation.tracking.shipping import Shipping, note_of
from ablation.trial import Stamp
from ablation.worker import run_trial

if TYPE_CHECKING:
    from ablation.cli.display.live import LiveTable
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
    executor: str = "processes"
    address: str | None = None
    """Of a Ray cluster."""


def run_study(wanted: Wanted, how: How, stop: StopRequest) -> None:
    """Run a study until its end or a stop, and say what was found; a signal leaves no time for that."""
    deadline = deadline_of(how.max_hours)
    data_root = find_data_root(how.data_dir)
    with open_place(how.executor, how.address) as place:
        located = locate(wanted, place.has_accelerator)
        check_writable(located.folder.path)
        paths = Paths(located.folder.path, data_root)
        with pausing(paths.folder), hold(paths.folder, how.take_over, heed(stop)) as holding:
            for aside in located.folder.set_damaged_aside():
                say(f"warning: a damaged outcome now lies in {aside}; its trial runs again.")
            study = study_of(located, place)
            name_outsiders(study)
            _prepare_data(located, study, paths, place)
            begun = begin(located, study)
            sweep(located.folder, study.execution.keep)
            machine = place.machine(study, how.slots, paths, stop.look)
            run = Run(study, located.folder, machine, how, deadline, stop, holding)
            uri = default_uri(wanted.runs_dir) if how.tracking else None
            with machine.executor:
                check_room(paths.folder, room_for(located.folder, study, machine.slots, data_root))
                models = model_maker(located.folder, data_root)
                with _shipping(begun, located.folder, uri, place) as shipping, models as make:
                    ended = _drive_and_write(run, shipping, make)
    if ended is not None:
        written, finished = ended
        _conclude(located.folder, written, finished or stop.why == "failure", how.as_json)


def _drive_and_write(run: Run, shipping: Shipping, make: Make) -> tuple[Written, bool] | None:
    """What was found, and whether the study came to its end; None where nobody waits for it any more."""
    finished = _drive(run, shipping)
    if run.stop.why == "signal":
        shipping.pause()
    if run.stop.why in ("signal", "taken over"):
        return None
    run.holding.check()
    from ablation.cli.findings import write_study  # the analysis takes a second to load: the trials run first

    with data_at(run.machine.data_root):
        written = write_study(run.folder)
    shipping.conclude(written.markdown, written.files, finished, end_of(run.how.max_hours or None), make)
    return written, finished


def study_of(located: Located, place: Place) -> Study:
    """The study with `auto` as it came to when it was begun, or comes to now in this place."""
    if not located.begun:
        return resolved(located.study, place)
    _check_device(located.study, place)
    return located.study


def begin(located: Located, study: Study) -> Beginning:
    """What the study was begun with; begins it now where it was not, `study` being what `study_of` gives."""
    if located.begun:
        return take_change(located)
    beginning = Beginning(
        study=study,
        digest=located.digest,
        scale_reason=located.scale_reason,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        source=str(located.source),
    )
    located.folder.begin(beginning, located.source_text)
    return beginning


def resolved(study: Study, place: Place) -> Study:
    """The study with `auto` replaced by what there is in this place, and what that does well."""
    device = place.resolve_device(study.execution.device)
    recipe = study.baseline.recipe
    if recipe.precision == "auto":
        recipe = recipe.model_copy(update={"precision": place.resolve_precision(study, device)})
    return study.model_copy(
        update={
            "execution": study.execution.model_copy(update={"device": device}),
            "baseline": study.baseline.model_copy(update={"recipe": recipe}),
        }
    )


def _check_device(study: Study, place: Place) -> None:
    """Refuse to go on where the place lacks what the study was begun with."""
    try:
        place.resolve_device(study.execution.device)
    except AblationError as error:
        raise StudyChangedError(f"the study was begun on {study.execution.device}, and {error}") from None


def _prepare_data(located: Located, study: Study, paths: Paths, place: Place) -> None:
    """Before anything is begun: read every data set, try each new component on a few images, look at the nodes."""
    samples = read_data(located, study, paths.data_root)
    if not located.known:
        rehearse_parts(located, study, samples, place)
    place.check(study, paths)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a study: what stays the same from its first trial to its last."""

    study: Study
    folder: RunFolder
    machine: Machine
    how: How
    deadline: float | None
    stop: StopRequest
    holding: Holding


def _drive(run: Run, shipping: Shipping) -> bool:
    """Run what is missing. Whether the study came to its end."""
    study, folder = run.study, run.folder
    done = sum(status is not None for status in folder.statuses(remember=True).values())
    looks = Looks(folder) if isinstance(study.seeds, Growing) else None
    needed = (lambda: looks.needed) if looks else None
    scope = Scope(designs.planned_count(study), done, run.machine.slots, needed)
    say(f"{folder.path}: scale {study.scale}, {folder.beginning().scale_reason}")
    trials = f"{scope.most}{scope.planned} trials ({done} done)"
    say(f"{trials} on {study.execution.device}, {run.machine.slots} at a time")
    # Also where nothing is left: a driver that was killed may not have told the last outcome.
    sampling = open_sampling(study, folder, run.how.storage, looks)
    if not count_left(folder):
        return True
    try:
        with _audience(run, scope) as audience:
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
                fence=run.holding.check,
                token=run.holding.token,
            )
            return drive(parts) == "complete"
    except BaseException:
        run.machine.executor.shutdown(wait=False, cancel_futures=True)
        raise


def _audience(run: Run, scope: Scope) -> Lines | LiveTable:
    """What a person sees of the trials. A search has no findings, provisional or not."""
    executor, execution = run.machine.executor, run.study.execution
    memory = partial(memory_of, executor) if isinstance(executor, ProcessPerDevice) else dict[str, int]
    resources = Resources(execution.device, execution.threads, run.machine.slots, memory)
    so_far = None if isinstance(run.study.design, Search) else SoFar(run.folder.path)
    return progress(scope, resources, run.stop, so_far)


def _shipping(begun: Beginning, folder: RunFolder, uri: str | None, place: Place) -> Shipping:
    """Takes finished trials to MLflow, or nowhere with `--no-tracking`."""
    study = begun.study
    commit, dirty = provenance.git_state(Path.cwd())
    stamp = Stamp(
        versions=provenance.versions(),
        code={"ablation": components.package_code()},
        git_commit=commit,
        git_dirty=dirty,
        device=place.device_name(study.execution.device),
        host=platform.node(),
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
        raise PausedError(f"{folder.path} has trials left; run the same command again to go on.")
    failed = [record.trial.id for record in folder.records() if record.outcome and record.outcome.status == "failed"]
    if failed:
        say(f"{len(failed)} trials failed; the report gives their reasons, trials/<id>/log.txt the details.")
        raise typer.Exit(1)
