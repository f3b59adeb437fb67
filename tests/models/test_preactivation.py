"""`preact_resnet` and `wide_resnet`."""

import pytest
import timm
import torch
from torch import nn

from ablation.errors import InputError
from ablation.models import preact_resnet, wide_resnet
from ablation.models.stems import adapt_stem


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("depth", "width", "millions"),
    [(40, 1, 0.6), (40, 2, 2.2), (40, 4, 8.9), (16, 8, 11.0), (16, 10, 17.1), (22, 8, 17.2), (28, 10, 36.5)],
)
def test_wide_nets_have_the_parameters_of_the_papers_table_4(depth, width, millions) -> None:
    with torch.device("meta"):
        model = wide_resnet.build(10, 3, depth=depth, width=width)
    assert round(count_parameters(model) / 1e6, 1) == millions
    projections = 3 if width > 1 else 2
    assert sum(isinstance(each, nn.Conv2d | nn.Linear) for each in model.modules()) == depth - 4 + 2 + projections


@pytest.mark.parametrize(("depth", "millions"), [(110, 1.7), (164, 1.7)])
def test_preactivated_nets_are_as_large_and_deep_as_published(depth, millions) -> None:
    """Table 4 of arXiv 1605.07146 has their parameters."""
    with torch.device("meta"):
        model = preact_resnet.build(10, 3, depth=depth)
    assert round(count_parameters(model) / 1e6, 1) == millions
    layers = sum(isinstance(each, nn.Conv2d | nn.Linear) for each in model.modules())
    assert (
        layers - sum("projection" in name for name, each in model.named_modules() if type(each) is nn.Conv2d) == depth
    )


def test_with_timms_weights_it_gives_timms_logits() -> None:
    expected = timm.create_model("resnetv2_18", num_classes=10)
    adapt_stem("resnetv2_18", expected, 3, 32)
    model = preact_resnet.build(10, 3)
    weights = expected.state_dict()
    order = list(weights)
    for name in [name for name in order if "downsample" in name]:  # declared first there, last here
        order.remove(name)
        order.insert(order.index(name.replace("downsample.conv", "conv2")) + 1, name)
    pairs = zip(model.state_dict().items(), order, strict=True)
    model.load_state_dict({ours: weights[name].view(old.shape) for (ours, old), name in pairs})
    images = torch.rand(2, 3, 8, 12)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


def test_a_block_whose_branch_gives_nothing_hands_its_input_on_even_where_nothing_normalises() -> None:
    """Its activation must not overwrite what the shortcut keeps."""
    block = preact_resnet.build(10, 3, depth=20, normalization="none").blocks[0]  # type: ignore[index]
    for weights in block.parameters():
        nn.init.zeros_(weights)
    maps = torch.randn(2, 16, 4, 4)
    assert torch.equal(block(maps), maps)


def test_dropout_lies_between_the_convolutions_of_a_block() -> None:
    with torch.device("meta"):
        model = wide_resnet.build(10, 3, depth=10, width=2, dropout=0.3)
    expected = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout, nn.Conv2d]
    assert [type(layer) for layer in model.blocks[0].branch] == expected  # type: ignore[index, union-attr]


@pytest.mark.parametrize(("build", "smallest"), [(preact_resnet.build, 8), (wide_resnet.build, 4)])
def test_images_below_the_smallest_are_refused(build, smallest) -> None:
    with torch.device("meta"):
        model = build(10, 1)
        assert model(torch.zeros(2, 1, smallest, smallest)).shape == (2, 10)
        with pytest.raises(InputError, match=f"needs images of at least {smallest} x {smallest} pixels"):
            model(torch.zeros(2, 1, smallest - 1, smallest))
