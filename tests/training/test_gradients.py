"""Gradient norms by layer: what is recorded at an epoch's end is what autograd gives."""

import pytest
import torch
from torch import nn

from ablation import components
from ablation.training.gradients import as_numbers, gradient_norms, layer_names


def test_norms_are_those_of_autograd_in_the_order_of_declaration() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    model(torch.arange(32.0).view(2, 1, 4, 4)).square().sum().backward()
    assert layer_names(model) == ("0", "3")
    weights = (model[0].weight, model[3].weight)
    assert as_numbers(gradient_norms(model)) == pytest.approx([each.grad.norm().item() for each in weights], rel=1e-3)


def test_a_layer_without_gradient_counts_as_nought_and_one_without_end_as_none() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight.grad = torch.full((2, 2), torch.inf)
    assert as_numbers(gradient_norms(model)) == (0.0, None)
    assert as_numbers(gradient_norms(nn.ReLU())) == ()


def test_torchs_attention_is_named_by_its_weight() -> None:
    names = layer_names(nn.TransformerEncoderLayer(8, 2, 16))
    assert names == ("self_attn.in_proj", "self_attn.out_proj", "linear1", "linear2")


def test_plain_depth_lets_gradients_vanish_and_batch_normalisation_does_not() -> None:
    """What the figure is there to show: VGG-19 from torch's own start, without normalisation and with it."""

    def reach(normalization: str) -> float:
        torch.manual_seed(0)
        model = components.load("model", "vgg")(10, 3, depth=19, normalization=normalization)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()
        nn.functional.cross_entropy(model(torch.randn(4, 3, 32, 32)), torch.arange(4)).backward()
        norms = as_numbers(gradient_norms(model))
        assert norms[0] is not None
        assert norms[-1] is not None
        return norms[0] / norms[-1]

    assert reach("none") < 1e-3 < reach("batch")
