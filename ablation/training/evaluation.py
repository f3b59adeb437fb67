"""How good a model is on images that it was not trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablation.contracts import Transform
from ablation.sending import send
from ablation.training.data import DeviceImages
from ablation.training.devices import Precision
from ablation.trial import Scores

BATCH = 128
"""Images at a time: on a CPU 1.2 times as fast as 512, and in memory that training has left."""


class DivergedError(ArithmeticError):
    """The loss is not a finite number: the training has diverged."""


def finite_scores(loss: float, accuracy: float) -> Scores:
    """The scores, or DivergedError where the loss is none."""
    if not math.isfinite(loss):
        raise DivergedError(f"the loss is {loss}")
    return Scores(loss=loss, accuracy=accuracy)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores over one split, with what they were taken from."""

    scores: Scores
    confusion: tuple[tuple[int, ...], ...]
    """Rows are true classes, columns predicted ones, entries images."""
    probabilities: Tensor
    """N x K float32 on the CPU, in the order of the split."""


def evaluate(
    model: nn.Module, data: DeviceImages, seen: Transform, precision: Precision, *, mirrored: bool = False
) -> Evaluation:
    """Run the model over a split, never augmented; `seen` makes its input of uint8 images.

    Cross-entropy is in nats, over float32 logits; `mirrored` takes their mean over an image and its mirror image.

    Raises:
        DivergedError: the loss is not finite.
    """
    device = data.labels.device.type
    model.eval()

    def logits_of(images: Tensor) -> Tensor:
        logits: Tensor = model(seen(images)).float()
        return (logits + model(seen(images.flip(3))).float()) / 2 if mirrored else logits

    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = torch.cat([logits_of(send(data.between(at, at + BATCH), device)) for at in range(0, len(data), BATCH)])
    logits = logits.double().cpu()
    labels = data.labels.cpu()
    predicted = logits.argmax(1)
    num_classes = logits.shape[1]
    counts = torch.bincount(labels * num_classes + predicted, minlength=num_classes**2).view(num_classes, num_classes)
    return Evaluation(
        scores=finite_scores(
            functional.cross_entropy(logits, labels).item(), (predicted == labels).double().mean().item()
        ),
        confusion=tuple(tuple(row) for row in counts.tolist()),
        probabilities=logits.softmax(1).float(),
    )
