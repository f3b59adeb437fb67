"""What every model promises to the trainer."""

import random
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from ablation import components
from ablation.errors import InputError
from ablation.models import (
    convnext,
    densenet,
    mlp,
    mobilenet,
    plain,
    preact_resnet,
    resnet,
    small,
    timm,
    torchvision,
    vgg,
    vit,
    wide_resnet,
)
from ablation.training.gradients import layer_names

Case = tuple[Callable[[int, int], nn.Module], int]

HE: dict[str, Case] = {
    "small": (small.build, 8),
    "small with dropout": (partial(small.build, width=8, dropout=0.2), 4),
    "vgg": (partial(vgg.build, depth=11, width=16), 32),
    "vgg without normalisation": (partial(vgg.build, depth=11, width=16, normalization="none"), 32),
    "vgg of large filters": (partial(vgg.build, depth=13, width=8, filter_size=5, pooling="stride"), 32),
    "resnet": (partial(resnet.build, depth=20), 8),
    "resnet with projections": (partial(resnet.build, depth=20, shortcut="B"), 4),
    "resnet of other parts": (
        partial(resnet.build, depth=20, normalization="group", activation="silu", filter_size=5, dropout=0.1),
        8,
    ),
    "resnet without normalisation": (partial(resnet.build, depth=20, width=8, normalization="none"), 8),
    "plain": (plain.build, 8),
    "preact_resnet": (partial(preact_resnet.build, depth=20), 8),
    "preact_resnet with bottlenecks": (partial(preact_resnet.build, depth=164, width=8), 4),
    "preact_resnet without shortcuts": (partial(preact_resnet.build, depth=20, shortcut="none"), 4),
    "preact_resnet without normalisation": (partial(preact_resnet.build, depth=20, normalization="none"), 4),
    "wide_resnet": (partial(wide_resnet.build, depth=10, width=1, dropout=0.1), 8),
    "densenet": (partial(densenet.build, depth=22, dropout=0.1), 4),
    "densenet without bottlenecks": (partial(densenet.build, depth=22, bottleneck=False, compression=1.0), 4),
    "mobilenet": (partial(mobilenet.build, width=0.25), 8),
    "mobilenet of other parts": (
        partial(mobilenet.build, width=0.25, shortcut=False, linear_bottleneck=False, activation="silu"),
        8,
    ),
}
"""With the size of images that each is given; convolutions start with the variance of He."""

OTHERS: dict[str, Case] = {
    "resnet by Glorot": (partial(resnet.build, depth=20, initialization="glorot"), 4),
    "mlp": (partial(mlp.build, width=32, image_size=8), 8),
    "mlp of other parts": (partial(mlp.build, width=32, image_size=8, normalization="batch", dropout=0.1), 8),
    "vit": (partial(vit.build, depth=2, width=48), 8),
    "vit of other parts": (
        partial(vit.build, depth=3, width=48, position="learned", pooling="class_token", drop_path=0.3, image_size=8),
        8,
    ),
    "convnext": (partial(convnext.build, patch_size=1, drop_path=0.1, layer_scale=0.1), 8),
    "timm": (partial(timm.build, architecture="mobilenetv3_small_050", image_size=16), 16),
    "timm's transformer": (partial(timm.build, architecture="vit_tiny_patch16_224", image_size=16), 16),
    "torchvision": (partial(torchvision.build, architecture="shufflenet_v2_x0_5", image_size=16), 16),
}

MODELS = HE | OTHERS


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_every_model_is_here() -> None:
    named = {module.__name__.rpartition(".")[2] for module in map(module_of, MODELS.values())}
    assert named == set(components.names("model"))


def module_of(case: Case) -> ModuleType:
    build = case[0]
    return sys.modules[(build.func if isinstance(build, partial) else build).__module__]


@pytest.mark.parametrize(("classes", "channels"), [(10, 1), (7, 3)])
def test_it_gives_finite_logits_and_a_gradient_to_every_parameter(case, classes, channels) -> None:
    build, size = case
    model = build(classes, channels).to(memory_format=torch.channels_last)
    logits = model(torch.rand(4, channels, size, size).to(memory_format=torch.channels_last))
    assert logits.shape == (4, classes)
    assert logits.isfinite().all()
    nn.functional.cross_entropy(logits, torch.arange(4)).backward()
    assert all(weights.grad is not None and weights.grad.isfinite().all() for weights in model.parameters())


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 96)], ids=["of MNIST", "of STL-10"])
def test_it_takes_images_of_other_data_sets_or_says_which_it_takes(case, channels, size) -> None:
    model, images = case[0](10, channels).eval(), torch.rand(2, channels, size, size)
    with torch.no_grad():
        try:
            logits = model(images)
        except InputError as error:
            told = str(error)
        else:
            told = f"{size} x {size}" if logits.shape == (2, 10) and logits.isfinite().all() else "wrong logits"
    assert f"{size} x {size}" in told


def test_weights_and_gradients_come_from_torchs_global_generator_alone(case) -> None:
    build, size = case
    weights, gradients = [], []
    for seed in (1, 1, 2):
        random.seed(seed + len(weights))
        np.random.seed(seed + len(weights))  # noqa: NPY002 - the global stream that must not matter
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build(10, 3)
            model(torch.ones(2, 3, size, size)).square().sum().backward()
        weights.append(nn.utils.parameters_to_vector(model.parameters()).detach())
        gradients.append(torch.cat([each.grad.flatten() for each in model.parameters() if each.grad is not None]))
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(gradients[0], gradients[1])
    assert not torch.equal(weights[0], weights[2])


def test_it_names_its_layers_from_the_first_to_the_last(case) -> None:
    """Every matrix and filter of the model, each by a name that tells where it is."""
    model = case[0](10, 3)
    names = layer_names(model)
    weights = [name for name, each in model.named_parameters() if each.ndim > 1 and name.endswith("weight")]
    assert len(names) == len(set(names)) == len(weights)
    assert all(names)
    assert model.get_submodule(names[-1]).out_features == 10


@pytest.mark.parametrize(("build", "size"), HE.values(), ids=HE.keys())
def test_convolutions_start_with_the_variance_of_he(build, size) -> None:
    convolutions = [module for module in build(10, 3).modules() if isinstance(module, nn.Conv2d)]
    assert convolutions
    for convolution in convolutions:
        expected = (2 / (convolution.out_channels * convolution.kernel_size[0] ** 2)) ** 0.5
        error = 6 * expected / (2 * convolution.weight.numel()) ** 0.5
        assert convolution.weight.std().item() == pytest.approx(expected, abs=error)
        assert convolution.bias is None or not convolution.bias.any()
