"""A model file by its suffix. Each format's packages are loaded when such a file is opened."""

from __future__ import annotations

from pathlib import Path

from ablation.errors import InputError
from ablation.exporting.description import FORMATS
from ablation.exporting.opened import Opened
from ablation.wording import listed


def open_model(path: str | Path) -> Opened:
    """Look into a model that `ablate export` wrote.

    Raises:
        InputError: there is no such file, or it is no such model.
        AblationError: a package that its format needs is not installed.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {what}. Give a model that `ablate export` wrote: model.pt2, say.")
    match path.suffix:
        case ".safetensors":
            from ablation.exporting import as_safetensors

            return as_safetensors.open_file(path)
        case ".pt2":
            from ablation.exporting import as_pt2

            return as_pt2.open_file(path)
        case ".onnx":
            from ablation.exporting import as_onnx

            return as_onnx.open_file(path)
        case other:
            kinds = listed(f".{each}" for each in FORMATS)
            raise InputError(f"{path}: a model is told by its suffix, and {other or 'none'} is not one of {kinds}.")
