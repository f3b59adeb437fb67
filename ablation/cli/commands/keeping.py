"""Commands that keep stores, folders and files in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.signals import interruptible, loading
from ablation.cli.terminal import say

_OptunaScale = Annotated[
    str | None,
    typer.Option(
        "--scale", help="With `--optuna`: which run folder, where a study was run at several scales.", metavar="NAME"
    ),
]
_OptunaStorage = Annotated[
    str | None,
    typer.Option(
        "--storage", help="With `--optuna`: the Optuna storage. Default: `study.db` in the run folder.", metavar="URL"
    ),
]


@app.command()
def sync(
    study: options.StudyArgument,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    storage: options.Storage = None,
) -> None:
    """Make MLflow and Optuna's index hold what the run folder holds: what was lost, missed or deleted is written."""
    with interruptible():
        with loading():
            from ablation.cli.sync import sync_study
        sync_study(study, runs_dir, scale, storage, data_dir)


@app.command()
def clean(
    study: options.StudyArgument,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
) -> None:
    """Remove weights and leftovers of a study, and never its evidence."""
    from ablation.cli.clean import clean_study

    clean_study(study, runs_dir, scale, dry_run)


@app.command()
def ui(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="With `--optuna`: the study, where there are several.")
    ] = None,
    optuna: Annotated[
        bool, typer.Option("--optuna", help="Open Optuna's dashboard over the study's own storage instead.")
    ] = False,
    scale: _OptunaScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    storage: _OptunaStorage = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port on the loopback address; 0 takes a free one. Default: 5000, of Optuna's dashboard 8080.",
            metavar="PORT",
        ),
    ] = None,
) -> None:
    """Open the MLflow pages on the loopback address, over the store that runs log to; or Optuna's dashboard."""
    if optuna:
        from ablation.cli.dashboard import serve_dashboard

        raise typer.Exit(serve_dashboard(study, runs_dir, scale, storage, 8080 if port is None else port))
    if study is not None or scale is not None or storage is not None:
        raise typer.BadParameter("STUDY, --scale and --storage go with --optuna; MLflow's pages show all studies.")
    from ablation.tracking import default_uri
    from ablation.tracking.ui import serve

    raise typer.Exit(serve(default_uri(runs_dir), 5000 if port is None else port, say))


@app.command()
def schema() -> None:
    """Print the JSON schema of study files."""
    from ablation.cli.terminal import print_json
    from ablation.study_file.schema import schema as study_schema

    print_json(study_schema())


@app.command()
def components(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="Only these: `dataset`, `model`, `preprocessing`, `augmentation`, `optimizer`, `schedule`, `metric` "
            "or `trainer`.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the components that a study file can name, with their choices."""
    from ablation.cli.listing import print_components

    print_components(kind, as_json)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The study file to write.")] = Path("study.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a commented study file to start from, with its schema beside it."""
    from ablation.study_file.starter import init as write_template

    for written in write_template(path, force):
        say(f"wrote {written}")
    say(f"next: ablate run {path}")
