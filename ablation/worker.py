"""What happens inside one trial: from settings to a durable outcome, in whatever process the executor chose."""

from __future__ import annotations

import io
import platform
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import torch

from ablation import components, provenance
from ablation.durable import write_whole
from ablation.errors import DataError, InputError, StudyLockedError
from ablation.failures import Failure, failure_of
from ablation.faults import point
from ablation.preparation import Prepared, parameter_count, prepared, trainer_of
from ablation.sealed import sum_of
from ablation.seeding import seed_of
from ablation.training.data import BlockData
from ablation.training.devices import device_name, peak_memory
from ablation.training.evaluation import DivergedError, Evaluation, evaluate
from ablation.training.fit import Fitted
from ablation.training.generators import forked_generator
from ablation.training.gradients import layer_names
from ablation.training.measuring import Measures, measured, measured_guess
from ablation.training.state import Ingredients
from ablation.trial import ATTEMPT_MARK, Assignment, Cost, Outcome, Stamp, uniform_guess
from ablation.trial_files import check_attempt, remove_leftovers, write_outcome
from ablation.watching import Link, TrialWatch


def run_trial(assignment: Assignment, link: Link) -> Outcome | Failure | None:
    """Run one trial, from its last checkpoint if it has one, and close it with a durable outcome.

    None where the driver stopped it before its end, a Failure where it failed: the driver decides what comes of that.
    Nothing is raised but the interruption of the process.
    """
    with (assignment.folder / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"{ATTEMPT_MARK} {datetime.now(UTC).isoformat(timespec='seconds')}\n")
        log.flush()
        try:
            outcome = _train(assignment, link, log)
            if outcome is not None:
                check_attempt(assignment.folder, assignment.token)
                write_outcome(assignment.folder, outcome)
                point("outcome durable")
                remove_leftovers(assignment.folder)
                point("checkpoints removed")
        except StudyLockedError:
            return None
        except DataError as error:
            log.write(traceback.format_exc())
            return Failure(cause="data", reason=str(error))
        except InputError as error:
            return Failure(cause="input", reason=str(error))
        except Exception as error:  # noqa: BLE001 - a trial's own failure must not stop the study
            log.write(traceback.format_exc())
            return _failure(error, assignment)
    return outcome


def _failure(error: Exception, assignment: Assignment) -> Failure:
    """What an exception comes to, with the place in somebody's own component that it came through."""
    found, trial = failure_of(error, assignment.folder), assignment.trial
    place = components.own_place(error, (*trial.arm.settings.parts(), *trial.metrics))
    return found.model_copy(update={"reason": f"{found.reason} ({place})"}) if place else found


def _train(assignment: Assignment, link: Link, log: IO[str]) -> Outcome | None:
    trial, started = assignment.trial, datetime.now(UTC).isoformat(timespec="seconds")
    watch = TrialWatch(assignment, link, log)
    try:
        built = prepared(assignment)
        ingredients = _compiled(built, assignment)
        point("trial prepared")
        stamp = _stamp(assignment, built.splits.fingerprint, started, compiled=ingredients.compiled is not None)
        watch.stamps = (stamp,)
        clock = time.perf_counter()
        recipe = trial.arm.settings.recipe
        fitted = trainer_of(recipe)(ingredients, built.data, recipe, trial.block, watch)
        if fitted.ended == "stopped":
            return None
        with forked_generator(assignment.device, seed_of(trial.block, "scoring")):
            outcome = _scored(fitted, built, assignment)
        point("model scored")
    finally:
        watch.close()
    seconds = max(time.perf_counter() - clock, fitted.seconds)  # a resumed trial also took what it took before
    cost = Cost(
        seconds=seconds,
        images_per_second=fitted.images_per_second,
        parameters=parameter_count(built.ingredients.model),
        peak_memory_bytes=peak_memory(assignment.device),
    )
    layers = layer_names(built.ingredients.model)
    known = {
        "classes": built.splits.classes,
        "layers": layers,
        "cost": cost,
        "stamp": stamp.model_copy(update={"busy": watch.busy}),
        "earlier_stamps": watch.stamps[:-1],
    }
    return Outcome.model_validate({**dict(outcome), **known})


def _compiled(built: Prepared, assignment: Assignment) -> Ingredients:
    """The ingredients as the trial's steps take them: compiled where the study finds that to pay."""
    if assignment.compilations is None:
        return built.ingredients
    from ablation.training.compiling import compiled_where_it_pays  # torch's compiler, which no other trial needs

    settings = assignment.trial.arm.settings
    return compiled_where_it_pays(
        built.ingredients, built.data, settings.model, settings.recipe, assignment.compilations
    )


def _scored(fitted: Fitted, built: Prepared, assignment: Assignment) -> Outcome:
    """Measure the trained model; predictions and weights go to the trial's folder before the outcome closes it."""
    model, data, measures = built.ingredients.scored, built.data, built.ingredients.measures
    recipe = assignment.trial.arm.settings.recipe
    precision, mirrored = recipe.precision, recipe.mirrored_scoring
    assert precision != "auto", "the precision is resolved when the study begins"
    try:
        if fitted.ended == "diverged":
            return _diverged(data, measures)
        validation = evaluate(model, data.validation, data.seen, precision, mirrored=mirrored)
        test = evaluate(model, data.test, data.seen, precision, mirrored=mirrored) if data.test is not None else None
    except DivergedError:
        return _diverged(data, measures)
    read = test or validation
    on_validation = measured(validation.scores, validation.probabilities, data.validation.labels, measures)
    on_test = measured(test.scores, test.probabilities, data.test.labels, measures) if test and data.test else None
    check_attempt(assignment.folder, assignment.token)
    files = {"predictions.npz": _predictions(read, data)}
    if assignment.keep_weights:
        weights = io.BytesIO()
        torch.save(model.state_dict(), weights)
        files["weights.pt"] = weights.getvalue()
    for name, content in files.items():
        write_whole(assignment.folder / name, content)
    return Outcome(
        status="pruned" if fitted.ended == "pruned" else "complete",
        train=fitted.train,
        validation=on_validation,
        test=on_test,
        confusion=read.confusion,
        files={name: sum_of(content) for name, content in files.items()},
    )


def _diverged(data: BlockData, measures: Measures) -> Outcome:
    guess = partial(measured_guess, num_classes=data.num_classes, measures=measures)
    return Outcome(
        status="diverged",
        reason="the loss is not a finite number; counted as the uniform guess",
        train=uniform_guess(data.num_classes),
        validation=guess(data.validation.labels),
        test=guess(data.test.labels) if data.test is not None else None,
    )


def _predictions(read: Evaluation, data: BlockData) -> bytes:
    labels = (data.test or data.validation).labels.cpu().numpy()
    content = io.BytesIO()
    np.savez(content, probabilities=read.probabilities.numpy().astype(np.float16), labels=labels)
    return content.getvalue()


def _stamp(assignment: Assignment, fingerprint: str, started: str, *, compiled: bool) -> Stamp:
    commit, dirty = provenance.git_state(Path.cwd())
    package = assignment.package_code or components.package_code()
    return Stamp(
        versions=provenance.versions(),
        code={"ablation": package, **components.code_of(assignment.trial.arm.settings, assignment.trial.metrics)},
        git_commit=commit,
        git_dirty=dirty,
        data_fingerprint=fingerprint,
        device=device_name(assignment.device),
        host=platform.node(),
        threads=assignment.threads,
        precision=assignment.trial.arm.settings.recipe.precision,
        pieces=assignment.pieces,
        compiled=compiled,
        slots=assignment.slots,
        started=started,
    )
