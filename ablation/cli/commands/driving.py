"""Commands that run a study, or say how it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.running.hours import over_by
from ablation.cli.signals import interruptible, loading
from ablation.stopping import StopRequest


@app.command()
def run(
    study: options.StudyArgument,
    scale: options.Scale = None,
    overrides: options.Overrides = None,
    fork: Annotated[
        str | None,
        typer.Option(help="Begin anew under this name, beside what was begun with the file before.", metavar="NAME"),
    ] = None,
    slots: options.Slots = "auto",
    executor: options.Executor = "processes",
    address: options.Address = None,
    max_hours: options.MaxHours = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    storage: options.Storage = None,
    no_tracking: options.NoTracking = False,
    take_over: options.TakeOver = False,
    trial: options.OneTrial = None,
    fail_fast: options.FailFast = False,
    as_json: options.Json = False,
) -> None:
    """Run a study, or go on with it, and report its findings."""
    stop = StopRequest()
    with interruptible(stop), over_by(max_hours):
        with loading():
            from ablation.cli.locate import Wanted, check_file

            wanted = Wanted(study, runs_dir, scale, tuple(overrides or ()), device, fork)
            check_file(wanted)
            if trial is None:
                _begin_imports(executor)
            from ablation.cli.running.run import How, run_study
            from ablation.cli.running.single import run_single
        if trial is not None:
            options.refuse_cluster(executor, "--trial")
            return run_single(wanted, trial, data_dir, take_over, stop)
        given = options.parse_slots(slots), max_hours, data_dir, storage, not no_tracking, fail_fast, as_json
        return run_study(wanted, How(*given, take_over, executor, address), stop)


@app.command()
def plan(
    study: options.StudyArgument,
    scale: options.Scale = None,
    overrides: options.Overrides = None,
    slots: options.Slots = "auto",
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    device: options.Device = "auto",
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Train each arm for a moment to measure its time on this machine.")
    ] = False,
    detect: Annotated[
        str | None,
        typer.Option(
            help="Print the seed blocks that find this effect: `0.3pp`, or `0.02nats` of loss.", metavar="EFFECT"
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print a study's arms, trials, smallest detectable effects, disk and time, before anything is spent."""
    with interruptible():
        with loading():
            from ablation.cli.locate import Wanted, check_file

            wanted = Wanted(study, runs_dir, scale, tuple(overrides or ()), device)
            check_file(wanted)
            if calibrate:
                _begin_imports("processes")
            from ablation.cli.planning.plan import Planning, plan_study
        plan_study(wanted, Planning(options.parse_slots(slots), data_dir, calibrate, as_json, detect))


@app.command()
def status(
    study: options.StudyArgument,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    as_json: options.Json = False,
) -> None:
    """Print how many trials of a study are complete, running, waiting, failed, diverged and pruned."""
    from ablation.cli.status import print_status

    print_status(study, runs_dir, scale, as_json)


@app.command()
def explain(
    study: options.StudyArgument,
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="Its name in the folder `trials/`, which reports and messages give.")
    ],
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    as_json: options.Json = False,
) -> None:
    """Print one trial: its arm, how it ended and why, its attempts, the end of its log, and how to repeat it."""
    from ablation.cli.explain import explain_trial
    from ablation.cli.locate import find_folder

    explain_trial(find_folder(study, runs_dir, scale), trial, as_json)


@app.command()
def retry(
    study: options.StudyArgument,
    trials: Annotated[list[str] | None, typer.Argument(metavar="TRIAL...", help="Names of failed trials.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All trials that failed.")] = False,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
) -> None:
    """Queue failed trials again, those among them that no memory was enough for; the next run trains them."""
    from ablation.cli.locate import find_folder
    from ablation.cli.retry import retry_trials

    retry_trials(find_folder(study, runs_dir, scale), trials or (), failed)


@app.command()
def extend(
    study: options.StudyArgument,
    seeds: Annotated[str, typer.Option(help="How many seed blocks are added, such as `+5`.", metavar="+N")],
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
) -> None:
    """Add seed blocks to the plan of a study; the next run trains them."""
    from ablation.cli.extend import extend_study

    extend_study(study, runs_dir, scale, seeds)


@app.command()
def confirm(
    study: options.StudyArgument,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="How many of the search's arms, by validation score. Default: 3.", metavar="N"),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=2, max=10_000, help="How many fresh seed blocks. Default: 10.", metavar="N")
    ] = None,
    fork: Annotated[
        str | None,
        typer.Option(help="Confirm anew under this name, beside what was begun before.", metavar="NAME"),
    ] = None,
    scale: options.WhichScale = None,
    slots: options.Slots = "auto",
    executor: options.Executor = "processes",
    address: options.Address = None,
    max_hours: options.MaxHours = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    storage: options.Storage = None,
    no_tracking: options.NoTracking = False,
    take_over: options.TakeOver = False,
    fail_fast: options.FailFast = False,
    as_json: options.Json = False,
) -> None:
    """Confirm a search: train its best arms and the baseline on fresh seed blocks, and report their findings."""
    request = StopRequest()
    with interruptible(request), over_by(max_hours):
        with loading():
            from ablation.cli.locate import find_folder

            find_folder(study, runs_dir, scale).beginning()  # what is wrong is told before torch is loaded
            _begin_imports(executor)
            from ablation.cli.running.confirm import Asked, confirm_study
            from ablation.cli.running.run import How
        given = options.parse_slots(slots), max_hours, data_dir, storage, not no_tracking, fail_fast, as_json
        asked = Asked(study, runs_dir, scale, top, seeds, fork)
        confirm_study(asked, How(*given, take_over, executor, address), request)


@app.command()
def stop(
    study: options.StudyArgument, scale: options.WhichScale = None, runs_dir: options.RunsDir = options.RUNS
) -> None:
    """Stop a running study from another terminal, or another machine, as the first Ctrl-C does."""
    from ablation.cli.locate import find_folder
    from ablation.cli.stop import stop_study

    stop_study(find_folder(study, runs_dir, scale))


def _begin_imports(executor: str) -> None:
    """Importing torch takes seconds: the server of this machine's workers does it while this process does."""
    if executor != "processes":
        return
    from ablation.executors.process_per_device import preload

    preload("ablation.worker", "ablation.training.first_optimizer")
