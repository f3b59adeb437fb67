import pytest
import torch
from torch import nn

from ablation.models import plain, resnet


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_a_plain_net_has_the_weights_of_the_residual_net_of_its_depth(depth) -> None:
    """Section 4.2: with option A they have the same number of parameters."""
    with torch.device("meta"):
        shapes = [weights.shape for weights in plain.build(10, 3, depth=depth).parameters()]
        assert shapes == [weights.shape for weights in resnet.build(10, 3, depth=depth).parameters()]


def test_nothing_goes_around_a_block() -> None:
    """Where all filters but the last of a block are zero, the image is lost; a residual net still hands it on."""
    images = torch.rand(2, 3, 8, 8)
    seen = {}
    for build in (plain.build, resnet.build):
        model = build(10, 3, depth=20).eval()
        for weights in model.blocks.parameters():
            nn.init.zeros_(weights)
        with torch.inference_mode():
            first, second = model(images)
        seen[build] = torch.equal(first, second)
    assert seen == {plain.build: True, resnet.build: False}


def test_it_is_the_residual_net_without_shortcuts() -> None:
    nets = []
    for build in (lambda: plain.build(10, 3), lambda: resnet.build(10, 3, depth=20, shortcut="none")):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nets.append(build().state_dict())
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[1])
    assert nets[0].keys() == nets[1].keys()
