"""ONNX: run by many runtimes, in many languages. Opening one loads no torch."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ablation.errors import AblationError, InputError
from ablation.exporting.description import INPUT, KEY, OUTPUT, Description, read_description
from ablation.exporting.opened import Opened, Run, in_pieces
from ablation.wording import listed

if TYPE_CHECKING:
    from ablation.exporting.classifier import Classifier

TO_WRITE = ("onnx", "onnxscript", "onnxruntime")
"""The last one for the check of what was written."""


def require(*packages: str) -> None:
    """Raise AblationError where a package is not installed."""
    if missing := [package for package in packages if find_spec(package) is None]:
        raise AblationError(
            f"ONNX needs {listed(packages)}; not installed: {listed(missing)}. "
            "`pip install 'ablation-harness[onnx]'` has all of them."
        )


def write(classifier: Classifier, description: Description) -> bytes:
    """The content of the file, weights inside.

    Raises:
        InputError: the model is more than a graph of tensor operations, or has one that ONNX lacks.
        AblationError: a package is missing.
    """
    require(*TO_WRITE)
    import torch

    from ablation.exporting.tracing import traced

    program = traced(classifier, description, "onnx")
    try:
        written = torch.onnx.export(
            program,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: "batch"},),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise InputError(
            f"the model {description.model.name} cannot be written as ONNX: {str(error).strip().splitlines()[0]} "
            "Export --to pt2 or safetensors."
        ) from error
    assert written is not None, "the exporter by torch.export gives a program"
    written.model.metadata_props[KEY] = description.model_dump_json()
    content: bytes = written.model_proto.SerializeToString()
    return content


def open_file(path: Path) -> Opened:
    """Look into a file. It is read as a whole, so that it cannot name other files to read.

    Raises:
        InputError: it is not one that `write` made.
        AblationError: the runtime is missing.
    """
    require("onnxruntime")
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"{path} cannot be read as ONNX: {error}") from error
    return Opened(
        read_description(session.get_modelmeta().custom_metadata_map.get(KEY), path), partial(_running, session)
    )


def _running(session: Any) -> Run:
    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.concatenate([session.run([OUTPUT], {INPUT: piece})[0] for piece in in_pieces(images)])

    return run
