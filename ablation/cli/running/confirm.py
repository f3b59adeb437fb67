"""`ablate confirm`: the best arms of a search and the baseline, on seed blocks that the search has not seen.

It makes a planned study of its own beside the search, once, and runs it; the same command goes on with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ablation import components
from ablation.addresses import default_uri
from ablation.cli.findings import write_study
from ablation.cli.locate import Wanted, find_folder
from ablation.cli.outsiders import name_outsiders
from ablation.cli.planning.outlook import images_read
from ablation.cli.running.room import check_writable, pausing
from ablation.cli.running.run import How, run_study
from ablation.cli.terminal import say
from ablation.confirming import baseline_score, candidates, confirmation_of
from ablation.errors import InputError, StudyChangedError, StudyLockedError, TrackingError
from ablation.holding import hold
from ablation.hypotheses import Candidate, Confirms
from ablation.run_folder import Beginning, RunFolder
from ablation.sources.roots import data_at, find_data_root
from ablation.stopping import StopRequest
from ablation.study import FOLDER_RULE, Search, Study, names_folder
from ablation.study_file.writing import text_of
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import note_of
from ablation.trial import Stamp

TOP, SEEDS = 3, 10
"""Ten seed blocks find, against three arms, effects of about 1.6 standard deviations of a run with 80 % power."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about a confirmation; None: as it was begun, else the default."""

    study: Path
    runs_dir: Path
    scale: str | None = None
    top: int | None = None
    seeds: int | None = None
    fork: str | None = None


def confirm_study(asked: Asked, how: How, stop: StopRequest) -> None:
    """Begin the confirmation of a search, or go on with it, and report both.

    Raises:
        InputError: the study is no search, or has nothing to confirm.
        StudyLockedError: a driver runs the search.
        StudyChangedError: what was begun confirms other arms than this command would.
    """
    search = find_folder(asked.study, asked.runs_dir, asked.scale)
    study = _searched(search)
    folder = _folder(search, study, asked.fork)
    if folder.begun():
        _check_same(folder, search, asked)
    else:
        _begin(folder, search, asked, how.data_dir)
    search.link_confirmation(folder.path.name)
    try:
        run_study(Wanted(folder.path, asked.runs_dir), how, stop)
    finally:
        if stop.why not in ("signal", "taken over"):
            with data_at(how.data_dir):
                _show_in_search(search, asked.runs_dir if how.tracking else None)


def _searched(folder: RunFolder) -> Study:
    study = folder.beginning().study
    if not isinstance(study.design, Search):
        raise InputError(
            f"{folder.path} holds no search but a {study.design.kind} study, whose findings need no confirmation. "
            f"`ablate extend {folder.path} --seeds +5` adds seed blocks."
        )
    holder = folder.holder()
    if holder is not None:
        raise StudyLockedError(f"the search is being run by {holder}. Wait for its end, or `ablate stop` it first.")
    return study


def _folder(search: RunFolder, study: Study, fork: str | None) -> RunFolder:
    """Where the confirmation lies: beside the search, under its name and `-confirm`, or under that of the fork."""
    name = _name(study, fork)
    if not names_folder(name) or name == study.name:
        raise InputError(f"{name} cannot be the name of the confirmation ({FOLDER_RULE}). Give another: --fork NAME.")
    folder = RunFolder(search.path.parent / study.model_copy(update={"name": name}).folder_name)
    if folder.begun() and folder.beginning().confirms is None:
        raise InputError(f"{folder.path} holds a study that confirms no search. Give another name: --fork NAME.")
    if folder.path.exists() and not (folder.begun() or (folder.path / "trials").is_dir() or _is_empty(folder.path)):
        raise InputError(f"{folder.path} is there and no run folder. Give the confirmation another name: --fork NAME.")
    return folder


def _name(study: Study, fork: str | None) -> str:
    return f"{study.name}-confirm" if fork is None else fork


def _is_empty(path: Path) -> bool:
    """But for what holding the folder leaves there."""
    return not [each for each in path.iterdir() if not each.name.startswith("driver.")]


def _check_same(folder: RunFolder, search: RunFolder, asked: Asked) -> None:
    begun, searched = folder.beginning(), search.beginning()
    stored = begun.confirms
    assert stored is not None, "_folder has looked"
    if stored.key != searched.key:
        raise StudyChangedError(
            f"{folder.path} confirms another search that was called {stored.folder}. Confirm this one beside it with "
            f"--fork NAME; `ablate run {folder.path}` goes on with that one."
        )
    chosen = candidates(searched.study, search.records(), stored.top)
    different = []
    if asked.top not in (None, stored.top):
        different.append(f"top: {stored.top} -> {asked.top}")
    if asked.seeds not in (None, begun.study.seeds):
        different.append(f"seeds: {begun.study.seeds} -> {asked.seeds}")
    if {one.settings for one in chosen} != {one.settings for one in stored.candidates}:
        ended = sum(record.outcome is not None for record in search.records())
        different.append(f"trials of the search that had ended: {stored.ended} -> {ended}")
        different.append(f"best arms: {_listed(stored.candidates)} -> {_listed(chosen)}")
    if different:
        lines = "\n".join(f"  {line}" for line in different)
        raise StudyChangedError(
            f"{folder.path} was begun with another choice:\n{lines}\n"
            f"`ablate run {folder.path}` goes on with what was begun; --fork NAME confirms anew beside it."
        )


def _begin(folder: RunFolder, search: RunFolder, asked: Asked, data_dir: Path | None) -> None:
    """Make the run folder of the confirmation; nothing is trained yet."""
    searched, records, top = search.beginning(), search.records(), asked.top or TOP
    chosen = candidates(searched.study, records, top)
    study = confirmation_of(searched.study, chosen, asked.seeds or SEEDS, _name(searched.study, asked.fork))
    study = _with_margin(study, find_data_root(data_dir))
    confirms = Confirms(
        folder=search.path.resolve().name,
        study=searched.study.name,
        key=searched.key,
        top=top,
        ended=sum(record.outcome is not None for record in records),
        planned=searched.study.design.trials if isinstance(searched.study.design, Search) else 0,
        candidates=chosen,
        baseline=baseline_score(searched.study, records),
    )
    beginning = Beginning(
        study=study,
        digest=study.digest(),
        scale_reason="that of the search",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        source=str(search.path),
        confirms=confirms,
    )
    check_writable(folder.path)
    with pausing(folder.path), hold(folder.path):
        if not folder.begun():
            folder.begin(beginning, _text(study, search))
    _tell_choice(confirms, study)


def _with_margin(study: Study, data_root: Path) -> Study:
    """A search has no use for its margin, which may be below what one test image can show."""
    name_outsiders(study)
    part = study.baseline.dataset
    images = images_read(study, components.open_data(part, data_root).extent)
    least = math.ceil(1e6 / images) / 1e6
    if study.metric != "accuracy" or study.margin >= least:
        return study
    say(f"margin: {study.margin:g} -> {least:g}, one of the {images:,} test images")
    return study.model_copy(update={"margin": least})


def _text(study: Study, search: RunFolder) -> str:
    return (
        f"# Written by `ablate confirm` from the search in {search.path.name}. Its seed blocks are "
        f"{study.seed_blocks.start} to {study.seed_blocks.stop - 1}: the search has seen none of them.\n"
        f"{text_of(study)}"
    )


def _tell_choice(confirms: Confirms, study: Study) -> None:
    for one in confirms.candidates:
        scores = f"validation {study.metric} {one.validation:.4f} over {len(one.trials)} seed block"
        say(f"confirms {one.name}, {scores}{'s'[: len(one.trials) > 1]}: {one.search_arm}")
    if len(confirms.candidates) < confirms.top:
        say(
            f"only {len(confirms.candidates)} arms beside the baseline are complete, none of their trials pruned or "
            f"diverged; {confirms.top} were asked for"
        )
    if confirms.ended < confirms.planned:
        ended = f"{confirms.ended} of the {confirms.planned} trials"
        say(f"note: {ended} of the search have ended; more may change which arms are best")
    say(f"{study.seeds} seed blocks, fresh to the search, read on the test images")


def _listed(chosen: Sequence[Candidate]) -> str:
    return ", ".join(one.name for one in chosen)


def _show_in_search(search: RunFolder, tracked_in: Path | None) -> None:
    """Let the search's report, and MLflow where the search stands there, lead to its confirmation."""
    written = write_study(search)
    say(f"report of the search: {written.files[0]}")
    if tracked_in is None:
        return
    begun = search.beginning()
    try:
        MlflowTracker(default_uri(tracked_in)).link(begun.study, note_of(search, Stamp(versions={})))
    except TrackingError as error:
        say(f"warning: {error}")
