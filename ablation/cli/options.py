"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file, or the run folder of a study.")]
Scale = Annotated[
    str | None,
    typer.Option(
        help="One of the study's scales, or `full`. Default: `full` with an accelerator, else `laptop`.", metavar="NAME"
    ),
]
WhichScale = Annotated[
    str | None,
    typer.Option("--scale", help="Which run folder, where a study was run at several scales.", metavar="NAME"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change one key of the study, e.g. `--set recipe.epochs=2`; may be repeated.",
        metavar="PATH=VALUE",
    ),
]
RunsDir = Annotated[
    Path,
    typer.Option(
        help="Where run folders lie, and the MLflow store unless `MLFLOW_TRACKING_URI` names another.", metavar="DIR"
    ),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Where data sets lie. Default: `ABLATE_DATA`, else the user's cache.", metavar="DIR")
]
Device = Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda` or `mps`.", metavar="KIND")]


def parse_slots(text: str) -> int | None:
    """A number of slots, None for `auto`."""
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number from 1 on.")
    return int(text)


def _check_slots(text: str) -> str:
    parse_slots(text)
    return text


Slots = Annotated[
    str,
    typer.Option(
        callback=_check_slots,
        help="Trials side by side: a number, or `auto`: cores over threads, or what an accelerator's memory holds.",
        metavar="N",
    ),
]
EXECUTORS = ("processes", "ray")


def _check_executor(name: str) -> str:
    if name not in EXECUTORS:
        raise typer.BadParameter(f"{name!r} is neither {' nor '.join(EXECUTORS)}.")
    return name


Executor = Annotated[
    str,
    typer.Option(
        callback=_check_executor,
        help="Where trials run: `processes` of this machine, or `ray`, a cluster of machines.",
        metavar="NAME",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="Of the Ray cluster. Default: `RAY_ADDRESS`, else the cluster that runs on this machine, else one of this "
        "machine alone for as long as the command runs.",
        metavar="HOST:PORT",
    ),
]


def refuse_cluster(executor: str, option: str) -> None:
    """For what runs in this very process."""
    if executor == "ray":
        raise typer.BadParameter("it runs in this process: leave --executor out.", param_hint=option)


Storage = Annotated[
    str | None, typer.Option(help="Optuna storage. Default: `study.db` in the run folder.", metavar="URL")
]
MaxHours = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="End before so many hours are over, counted from the start of the command, with exit code 7; run again to "
        "go on. 0 launches nothing.",
        metavar="HOURS",
    ),
]
NoTracking = Annotated[bool, typer.Option("--no-tracking", help="Log nothing to MLflow.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first trial that fails.")]
TakeOver = Annotated[
    bool,
    typer.Option(
        "--take-over",
        help="End whoever runs the study, and take its place: it is asked to stop, waited for ten seconds, and then "
        "passed over.",
    ),
]
OneTrial = Annotated[
    str | None,
    typer.Option(
        "--trial",
        help="Run this trial alone, in this process, where a debugger reaches it; one that has ended is repeated and "
        "compared.",
        metavar="TRIAL",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout, everything else on stderr.")]

RUNS = Path("runs")
