"""The metrics of a study, over the probabilities that a model gave the images of one split."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ablation.contracts import Measure
from ablation.errors import InputError
from ablation.training.generators import forked_generator
from ablation.trial import Scores, uniform_guess

Measures = Mapping[str, Measure]
"""By the names under which a study file lists them."""


def measured(scores: Scores, probabilities: Tensor, labels: Tensor, measures: Measures) -> Scores:
    """The scores with the metrics beside them; the probabilities (N x K, float32) lie on the CPU.

    Each metric gets tensors of its own and draws from generators of its own, so that none changes what it measures.

    Raises:
        InputError: a metric gives no finite number.
    """
    if not measures:
        return scores
    labels = labels.cpu()
    return scores.model_copy(
        update={"others": {name: _value(name, measure, probabilities, labels) for name, measure in measures.items()}}
    )


def measured_guess(labels: Tensor, num_classes: int, measures: Measures) -> Scores:
    """What guessing evenly scores on images of these classes. A diverged trial counts as this."""
    even = torch.full((len(labels), num_classes), 1 / num_classes)
    return measured(uniform_guess(num_classes), even, labels, measures)


def _value(name: str, measure: Measure, probabilities: Tensor, labels: Tensor) -> float:
    with forked_generator("cpu", 0), torch.inference_mode():
        found = measure(probabilities.clone(), labels.clone())
    try:
        value = float(found)
    except (TypeError, ValueError):
        raise InputError(f"metric {name} gives {type(found).__name__} and not a number.") from None
    if not math.isfinite(value):
        raise InputError(f"metric {name} gives {value} on {len(labels)} images; it must be a finite number.")
    return value
