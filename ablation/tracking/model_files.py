"""The files of a model as MLflow keeps and loads them: a graph of tensor operations, its signature and an example.

The graph runs without the code that the model was written in, and nothing is pickled. Loads torch, and is for a process
that has it anyway.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablation.tracking.client import silence

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def write_files(module: object, classes: int, images: NDArray[np.uint8], into: Path) -> None:
    """Write a module of torch that gives probabilities of so many classes (N x K) of uint8 images (N x C x H x W).

    `images`: two of them or more, as an example. What is written takes any number of them.
    """
    silence()
    import mlflow.pytorch
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, *images.shape[1:]))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, classes))]),
    )
    mlflow.pytorch.save_model(
        module,
        str(into),
        signature=signature,
        input_example=images,
        serialization_format="pt2",
        pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in ("numpy", "torch")],
    )


def load_files(folder: Path) -> Predict:
    """What such files give, as MLflow loads them."""
    import mlflow.pyfunc

    predict: Predict = mlflow.pyfunc.load_model(str(folder)).predict
    return predict
