"""The command `ablate`, to which `ablation.cli.commands` adds its commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ablation import __version__
from ablation.cli.exit_codes import EXIT_CODES


class Commands(TyperGroup):
    """The commands; `ablate --help` ends with the exit codes."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the exit codes as options are written."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


app = typer.Typer(
    name="ablate",
    help="Which part of my recipe matters? Run designed, paired studies of an image classifier and read the findings.",
    cls=Commands,
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
