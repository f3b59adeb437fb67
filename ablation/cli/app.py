"""The command `ablate`, to which `ablation.cli.commands` adds its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from ablation import __version__

app = typer.Typer(
    name="ablate",
    help="Which part of my recipe matters? Run designed, paired studies of an image classifier and read the findings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def ablate(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Run designed, paired ablation studies and read their findings."""
    if version:
        typer.echo(f"ablate {__version__}")
        raise typer.Exit
