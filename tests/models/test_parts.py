"""Normalisation, activations and starting weights, which several models share."""

from typing import get_args

import pytest
import torch
from torch import nn

from ablation.models.activations import Activation, activated
from ablation.models.initialisation import initialise
from ablation.models.normalization import normalized


@pytest.mark.parametrize(("channels", "groups"), [(16, 1), (64, 4), (512, 32), (24, 2), (8, 1), (17, 17), (30, 2)])
def test_a_group_has_16_channels_or_the_most_below_that_divide_them(channels, groups) -> None:
    (layer,) = normalized("group", channels)
    assert layer.num_groups == groups


@pytest.mark.parametrize("name", get_args(Activation))
def test_every_activation_is_torchs_own_and_only_a_rectifier_overwrites(name) -> None:
    given = torch.linspace(-2, 2, 9)
    before = given.clone()
    expected = getattr(nn.functional, name)(given)
    assert torch.equal(activated(name)(given), expected)
    assert torch.equal(given, before) == (name != "relu")
    assert torch.equal(activated(name, inplace=False)(before), expected)


@pytest.mark.parametrize(
    ("kind", "spread"),
    [
        ("he", (2 / (64 * 9)) ** 0.5),
        ("glorot", (2 / ((32 + 64) * 9)) ** 0.5),
        ("normal", 0.1),
        ("torch", (1 / (3 * 32 * 9)) ** 0.5),
    ],
)
def test_convolutions_start_with_the_spread_of_their_kind(kind, spread) -> None:
    layer = nn.Conv2d(32, 64, 3)
    initialise(layer, kind)
    assert layer.weight.std().item() == pytest.approx(spread, rel=0.03)
    assert layer.bias is not None
    assert layer.bias.any() == (kind == "torch")
