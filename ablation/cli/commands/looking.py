"""Commands that look at what a study starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.signals import interruptible, loading


@app.command()
def data(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="A data set by its name, a study file, or a run folder.")
    ],
    scale: options.Scale = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change a choice of the data set, e.g. `--set train_size=2000`; of a study one of its keys. May "
            "be repeated.",
            metavar="PATH=VALUE",
        ),
    ] = None,
    data_dir: options.DataDir = None,
    out: Annotated[Path, typer.Option(help="The folder for the page.", metavar="DIR")] = Path(),
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in the browser.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show a data set: its classes, images, colours and duplicates, and what augmentations make of it, as a page."""
    with interruptible():
        with loading():
            from ablation.cli.data import Named, Showing, show_data
        show_data(Named(dataset, scale, tuple(overrides or ()), data_dir), Showing(out, not no_open, as_json))
