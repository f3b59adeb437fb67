import io
from collections.abc import Callable

import pytest
import torch
from torch import nn, optim

from ablation.errors import InputError
from ablation.optimizers import adam, adamw, rmsprop, sgd

BUILDS = {"sgd": sgd.build, "adam": adam.build, "adamw": adamw.build, "rmsprop": rmsprop.build}


def small_net() -> nn.Module:
    """A net without biases before batch normalisation, whose gradients would be rounding noise that Adam blows up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
        )
    return net.to(memory_format=torch.channels_last)


def train(net: nn.Module, optimizer: optim.Optimizer, steps: int) -> float:
    images = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    loss = torch.tensor(0.0)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(images.to(memory_format=torch.channels_last)), torch.arange(16) % 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def weights_of(net: nn.Module) -> torch.Tensor:
    return torch.cat([weights.detach().flatten() for weights in net.parameters()])


def check_that_it_resumes(build: Callable[..., optim.Optimizer]) -> None:
    """Trained on from a file it has the same bits as without the break."""
    unbroken = small_net()
    optimizer = build(unbroken.parameters(), 0.01)
    train(unbroken, optimizer, 3)
    file = io.BytesIO()
    torch.save((unbroken.state_dict(), optimizer.state_dict()), file)
    file.seek(0)
    weights, state = torch.load(file, weights_only=True)
    resumed = small_net()
    resumed.load_state_dict(weights)
    restored = build(resumed.parameters(), 0.01)
    restored.load_state_dict(state)
    train(unbroken, optimizer, 3)
    train(resumed, restored, 3)
    assert torch.equal(weights_of(resumed), weights_of(unbroken))


@pytest.mark.parametrize(
    ("build", "choices", "reference"),
    [
        (sgd.build, {}, lambda p: optim.SGD(p, 0.01, 0.9, weight_decay=5e-4, foreach=False)),
        (
            sgd.build,
            {"momentum": 0.8, "weight_decay": 0.01, "nesterov": True},
            lambda p: optim.SGD(p, 0.01, 0.8, weight_decay=0.01, nesterov=True, foreach=False),
        ),
        (sgd.build, {"momentum": 0.0, "weight_decay": 0.0}, lambda p: optim.SGD(p, 0.01, foreach=False)),
        (adam.build, {}, lambda p: optim.Adam(p, 0.01, foreach=False)),
        (
            adam.build,
            {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1},
            lambda p: optim.Adam(p, 0.01, (0.8, 0.9), 1e-3, 0.1, foreach=False),
        ),
        (adamw.build, {}, lambda p: optim.AdamW(p, 0.01, weight_decay=0.01, foreach=False)),
        (
            adamw.build,
            {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1},
            lambda p: optim.AdamW(p, 0.01, (0.8, 0.9), 1e-3, 0.1, foreach=False),
        ),
        (rmsprop.build, {}, lambda p: optim.RMSprop(p, 0.01, foreach=False)),
        (
            rmsprop.build,
            {"smoothing": 0.9, "momentum": 0.5, "epsilon": 1e-3, "weight_decay": 0.1},
            lambda p: optim.RMSprop(p, 0.01, 0.9, 1e-3, 0.1, 0.5, foreach=False),
        ),
    ],
)
def test_steps_are_those_of_torchs_plain_loop_with_the_same_choices(build, choices, reference) -> None:
    net, expected = small_net(), small_net()
    train(net, build(net.parameters(), 0.01, **choices), 5)
    train(expected, reference(expected.parameters()), 5)
    torch.testing.assert_close(weights_of(net), weights_of(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
def test_training_lowers_the_loss(build) -> None:
    net = small_net()
    optimizer = build(net.parameters(), 0.02)
    first = train(net, optimizer, 1)
    assert train(net, optimizer, 15) < first


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
def test_a_saved_state_goes_on_bit_equal(build) -> None:
    check_that_it_resumes(build)


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(InputError, match="nesterov needs a momentum above 0"):
        sgd.build(small_net().parameters(), 0.1, momentum=0.0, nesterov=True)
