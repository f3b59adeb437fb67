"""A model as a graph of tensor operations, which runs without the code that it was written in."""

from __future__ import annotations

import torch
from torch.export import Dim, ExportedProgram

from ablation.errors import InputError
from ablation.exporting.classifier import Classifier
from ablation.exporting.description import Description, Format


def traced(classifier: Classifier, description: Description, to: Format) -> ExportedProgram:
    """The graph, for any number of images of the described size. It names no file of this machine and holds no image.

    Raises:
        InputError: the model or its preprocessing is more than such a graph.
    """
    images = torch.zeros((2, *description.shape), dtype=torch.uint8)
    try:
        with torch.no_grad():
            program = torch.export.export(classifier, (images,), dynamic_shapes=({0: Dim("batch", min=1)},))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"the model {description.model.name} with its preprocessing cannot be written as {to}, which takes a graph "
            f"of tensor operations for any number of images: {reason} Export --to safetensors takes any model."
        ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    program.example_inputs = None
    return program
