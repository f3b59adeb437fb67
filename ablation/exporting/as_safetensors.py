"""The tensors and what the net is built of: read by any safetensors reader, run by the project's own components."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import safetensors
import safetensors.torch

from ablation.errors import InputError
from ablation.exporting.classifier import Classifier, rebuilt, running
from ablation.exporting.description import KEY, Description, read_description
from ablation.exporting.opened import Opened, Run


def write(classifier: Classifier, description: Description) -> bytes:
    """The content of the file. A tensor that two layers share is written twice.

    Raises:
        InputError: a preprocessing step does not say what it took from the training images.
    """
    if description.preprocessing is None:
        raise InputError(
            "a preprocessing step does not say what it took from the training images, which a file of tensors has to "
            "hold: give its module a function `learnt` (docs/how-to/own-components.md), or export --to pt2 or onnx."
        )
    tensors = {name: tensor.contiguous().clone() for name, tensor in classifier.net.state_dict().items()}
    return safetensors.torch.save(tensors, {"format": "pt", KEY: description.model_dump_json()})


def open_file(path: Path) -> Opened:
    """Look into a file.

    Raises:
        InputError: it is not one that `write` made.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as safetensors: {error}") from error
    description = read_description(text, path)
    if description.preprocessing is None:
        raise InputError(f"{path} does not say how its images are prepared. Export the trial again.")
    return Opened(description, partial(_load, path, description), description.outsiders)


def _load(path: Path, description: Description) -> Run:
    try:
        return running(rebuilt(description, safetensors.torch.load_file(path)))
    except (safetensors.SafetensorError, OSError, RuntimeError) as error:
        raise InputError(
            f"{path}: the tensors do not fit the model {description.model.name} as it is built here: {error}"
        ) from error
