"""Commands about the machine and the services that studies use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.signals import interruptible, loading
from ablation.errors import InputError

_Checkout = Annotated[
    Path, typer.Option("--dir", help="The checkout that `docker-compose.yml` lies in.", metavar="DIR")
]
_HERE = Path()


@app.command()
def doctor(
    runs_dir: options.RunsDir = options.RUNS,
    storage: options.Storage = None,
    as_json: options.Json = False,
) -> None:
    """Check versions, devices, memory, disks, clocks and stores, and say what to do where something is amiss."""
    with interruptible():
        with loading():
            from ablation.cli.doctor import Asked, examine
        examine(Asked(runs_dir, storage), as_json)


@app.command()
def up(
    init: Annotated[
        bool,
        typer.Option(
            "--init", help="Draw passwords, write `.env` and `secrets/`, and start nothing. What is there stays."
        ),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(help="Also run a study, on this: `cpu` or `gpu`. It is not waited for.", metavar="KIND"),
    ] = None,
    folder: _Checkout = _HERE,
) -> None:
    """Start PostgreSQL, MLflow and Optuna's dashboard in containers, and wait until they are healthy."""
    from ablation.cli import services

    if profile not in (None, *services.PROFILES):
        raise InputError(f"there is no profile {profile!r}; allowed are {', '.join(services.PROFILES)}.")
    with interruptible():
        if init:
            services.write_secrets(folder)
        else:
            services.start_services(folder, profile)


@app.command()
def down(folder: _Checkout = _HERE) -> None:
    """Stop the services; what they have stored stays."""
    from ablation.cli import services

    with interruptible():
        services.stop_services(folder)
