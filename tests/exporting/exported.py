"""The study that models are exported from, and the formats that can be written here."""

from importlib.util import find_spec

import pytest

DIGITS = """\
question: Does shifting digits help to read them?
dataset: {name: digits, train_size: 300, test_size: 200}
model: {name: small, width: 8}
preprocessing: {normalize: {}}
recipe: {epochs: 4, batch_size: 32, learning_rate: 0.1, precision: float32}
factors:
  shift: {none: {}, some: {augmentations.crop: {padding: 1}}}
design: one-factor
seeds: 2
margin: 0.05
"""

ONNX = ("onnx", "onnxscript", "onnxruntime")
FORMATS = [
    "safetensors",
    "pt2",
    pytest.param(
        "onnx",
        marks=pytest.mark.skipif(
            any(find_spec(package) is None for package in ONNX), reason=f"{', '.join(ONNX)} are not all installed"
        ),
    ),
]
