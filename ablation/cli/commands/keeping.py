"""Commands that keep stores, folders and files in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.signals import interruptible, loading
from ablation.cli.terminal import say


@app.command()
def sync(
    study: options.StudyArgument,
    scale: options.Scale = None,
    runs_dir: options.RunsDir = options.RUNS,
    storage: options.Storage = None,
) -> None:
    """Make MLflow and Optuna's index hold what the run folder holds: what was lost, missed or deleted is written."""
    with interruptible():
        with loading():
            from ablation.cli.sync import sync_study
        sync_study(study, runs_dir, scale, storage)


@app.command()
def clean(
    study: options.StudyArgument,
    scale: options.Scale = None,
    runs_dir: options.RunsDir = options.RUNS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
) -> None:
    """Remove weights and leftovers of a study, and never its evidence."""
    from ablation.cli.clean import clean_study

    clean_study(study, runs_dir, scale, dry_run)


@app.command()
def ui(
    runs_dir: options.RunsDir = options.RUNS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on the loopback address; 0 takes a free one.")
    ] = 5000,
) -> None:
    """Open the MLflow pages on the loopback address, over the store that runs log to."""
    from ablation.tracking import default_uri
    from ablation.tracking.ui import serve

    raise typer.Exit(serve(default_uri(runs_dir), port, say))


@app.command()
def schema() -> None:
    """Print the JSON schema of study files."""
    from ablation.cli.terminal import print_json
    from ablation.study_file.schema import schema as study_schema

    print_json(study_schema())


@app.command()
def components(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="dataset, model, preprocessing, augmentation, …")
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
