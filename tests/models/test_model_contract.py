"""What every model promises to the trainer."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from ablation.models import resnet, small, vgg

MODELS: dict[str, tuple[Callable[[int, int], nn.Module], int]] = {
    "small": (small.build, 8),
    "small with dropout": (lambda classes, channels: small.build(classes, channels, width=8, dropout=0.2), 4),
    "vgg": (lambda classes, channels: vgg.build(classes, channels, depth=11), 32),
    "vgg without batch norm": (lambda classes, channels: vgg.build(classes, channels, depth=11, batch_norm=False), 32),
    "resnet": (lambda classes, channels: resnet.build(classes, channels, depth=20), 8),
    "resnet with projections": (lambda classes, channels: resnet.build(classes, channels, depth=20, shortcut="B"), 4),
}


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def case(request: pytest.FixtureRequest) -> tuple[Callable[[int, int], nn.Module], int]:
    return request.param


@pytest.mark.parametrize(("classes", "channels"), [(10, 1), (7, 3)])
def test_it_gives_finite_logits_and_a_gradient_to_every_parameter(case, classes, channels) -> None:
    build, size = case
    model = build(classes, channels).to(memory_format=torch.channels_last)
    logits = model(torch.rand(4, channels, size, size))
    assert logits.shape == (4, classes)
    assert logits.isfinite().all()
    nn.functional.cross_entropy(logits, torch.arange(4)).backward()
    assert all(weights.grad is not None and weights.grad.isfinite().all() for weights in model.parameters())


def test_weights_come_from_torchs_global_generator_alone(case) -> None:
    build, _ = case
    weights = []
    for seed in (1, 1, 2):
        random.seed(seed + len(weights))
        np.random.seed(seed + len(weights))  # noqa: NPY002 - the global stream that must not matter
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            weights.append(nn.utils.parameters_to_vector(build(10, 3).parameters()).detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_convolutions_start_with_the_variance_of_he(case) -> None:
    build, _ = case
    convolutions = [module for module in build(10, 3).modules() if isinstance(module, nn.Conv2d)]
    assert convolutions
    for convolution in convolutions:
        expected = (2 / (convolution.out_channels * convolution.kernel_size[0] ** 2)) ** 0.5
        error = 6 * expected / (2 * convolution.weight.numel()) ** 0.5
        assert convolution.weight.std().item() == pytest.approx(expected, abs=error)
        assert convolution.bias is None or not convolution.bias.any()
