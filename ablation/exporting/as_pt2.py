"""A graph of `torch.export` with its weights: run by PyTorch, without the code that the model was written in."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import torch

from ablation.errors import InputError
from ablation.exporting.archive import DESCRIPTION, Members, StrangeError, harmless, packed, text_of
from ablation.exporting.classifier import Classifier, running
from ablation.exporting.description import Description, read_description
from ablation.exporting.opened import Opened, Run
from ablation.exporting.tracing import traced


def write(classifier: Classifier, description: Description) -> bytes:
    """The content of the file.

    Raises:
        InputError: the model is more than a graph of tensor operations.
    """
    program = traced(classifier, description, "pt2")
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={DESCRIPTION: description.model_dump_json()})
    try:
        harmless(content)
    except StrangeError as error:
        raise InputError(
            f"the model {description.model.name} with its preprocessing is more than operations of torch.ops.aten on "
            f"tensors: its graph holds {error}. Export --to safetensors takes any model."
        ) from error
    return content.getvalue()


def open_file(path: Path) -> Opened:
    """Look into a file, without letting PyTorch read it.

    Raises:
        InputError: it is not one that `write` made.
    """
    try:
        members = harmless(path)
    except StrangeError as error:
        raise InputError(
            f"{path} holds {error}, which `ablate export` does not write. PyTorch could run code of it, so it is not "
            "opened here."
        ) from error
    return Opened(read_description(text_of(members), path), partial(_load, path, members))


def _load(path: Path, members: Members) -> Run:
    try:
        program = torch.export.load(packed(members))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be read by PyTorch {torch.__version__}: {reason}") from error
    return running(program.module())
