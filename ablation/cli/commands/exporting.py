"""Commands that take a trained model out of its study, and use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app
from ablation.cli.signals import interruptible, loading


@app.command()
def export(
    study: options.StudyArgument,
    trial: Annotated[
        str,
        typer.Argument(
            metavar="TRIAL",
            help="A trial or the beginning of its name, an arm for its best trial, or `best` for that of the study.",
        ),
    ],
    to: Annotated[str, typer.Option(help="`safetensors`, `pt2` or `onnx`.", metavar="FORMAT")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the model and its card. Default: `STUDY-TRIAL-FORMAT`, in the working directory.",
            metavar="DIR",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
) -> None:
    """Write a trained trial as a model with its preprocessing inside, checked against the trial, and a model card."""
    from ablation.cli.exportable import Asked, find_export

    ready = find_export(Asked(study, trial, to, runs_dir, scale, out, force))
    with interruptible():
        with loading():
            from ablation.cli.export import export_trial
        export_trial(ready, data_dir)


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="What `ablate export` wrote; its suffix tells the format.")
    ],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Files, PNG or JPEG.")],
    top: Annotated[int, typer.Option(min=1, help="How many classes to print.", metavar="K")] = 3,
    as_json: options.Json = False,
) -> None:
    """Print what an exported model takes images for: the most probable classes of each."""
    with interruptible():
        with loading():
            from ablation.cli.predict import predict_images
        predict_images(model, images, top, as_json)
