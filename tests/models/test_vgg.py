import pytest
import torch
from torch import nn
from torchvision.models import vgg as oracle

from ablation.errors import InputError
from ablation.models import vgg

NAMES = {11: "A", 13: "B", 16: "D", 19: "E"}
"""Of torchvision's lists, as in the paper's table 1."""


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("depth", NAMES)
def test_features_are_those_of_torchvision(depth, batch_norm) -> None:
    with torch.device("meta"):
        model = vgg.build(10, 3, depth=depth, normalization="batch" if batch_norm else "none")
        expected = oracle.make_layers(oracle.cfgs[NAMES[depth]], batch_norm)
    shapes = {name: weights.shape for name, weights in expected.state_dict().items()}
    assert {name: weights.shape for name, weights in model.features.state_dict().items()} == shapes
    assert [type(layer) for layer in model.features] == [type(layer) for layer in expected]
    assert sum(weights.numel() for weights in model.classifier.parameters()) == 512 * 10 + 10


@pytest.mark.parametrize(("depth", "count"), [(11, 9_225_984), (13, 9_410_880), (16, 14_723_136), (19, 20_035_392)])
def test_features_have_the_known_numbers_of_parameters(depth, count) -> None:
    """Those of torchvision's vgg*_bn, 132.87 to 143.68 million, less the 123,642,856 of its classifier."""
    with torch.device("meta"):
        model = vgg.build(10, 3, depth=depth)
    assert sum(weights.numel() for weights in model.features.parameters()) == count


def test_with_torchvisions_weights_it_gives_torchvisions_features() -> None:
    model, expected = vgg.build(10, 3, depth=11).eval(), oracle.make_layers(oracle.cfgs["A"], batch_norm=True).eval()
    model.features.load_state_dict(expected.state_dict())
    images = torch.rand(1, 3, 32, 64)
    torch.testing.assert_close(model(images), model.classifier[-1](expected(images).mean((2, 3))))


@pytest.mark.parametrize(("height", "width"), [(31, 40), (8, 8)])
def test_images_that_the_poolings_would_use_up_are_refused(height, width) -> None:
    with torch.device("meta"):
        model = vgg.build(10, 1, depth=13)
        message = rf"model vgg \(depth 13\) needs images of at least 32 x 32 pixels, these have {height} x {width}"
        with pytest.raises(InputError, match=message):
            model(torch.zeros(2, 1, height, width))


@pytest.mark.parametrize(
    ("count", "largest", "sizes"),
    [
        (1, 5, [3]),
        (2, 5, [5]),
        (3, 5, [5, 3]),
        (4, 5, [5, 5]),
        (2, 7, [5]),
        (3, 7, [7]),
        (4, 7, [7, 3]),
        (4, 3, [3] * 4),
    ],
)
def test_fewer_larger_filters_see_as_many_pixels(count, largest, sizes) -> None:
    assert vgg.stack(count, largest, kept=True) == sizes
    assert sum(size - 1 for size in sizes) == 2 * count
    assert vgg.stack(count, largest, kept=False) == [largest] * count


def test_depth_13_with_filters_of_5_is_the_shallow_net_of_section_4_1() -> None:
    """One 5x5 layer for each pair of 3x3 layers."""
    with torch.device("meta"):
        model = vgg.build(10, 3, depth=13, filter_size=5)
    convolutions = [layer for layer in model.features if isinstance(layer, nn.Conv2d)]
    assert [layer.kernel_size for layer in convolutions] == [(5, 5)] * 5
    assert [layer.out_channels for layer in convolutions] == [64, 128, 256, 512, 512]


@pytest.mark.parametrize("pooling", ["max", "average", "stride"])
@pytest.mark.parametrize("receptive_field", ["kept", "grows"])
def test_every_stage_halves_the_image_whatever_its_filters(pooling, receptive_field) -> None:
    with torch.device("meta"):
        model = vgg.build(10, 3, width=4, filter_size=7, pooling=pooling, receptive_field=receptive_field)
        assert model.features(torch.zeros(1, 3, 64, 32)).shape == (1, 32, 2, 1)
    pools = [type(layer) for layer in model.features if "Pool" in type(layer).__name__]
    assert pools == {"max": [nn.MaxPool2d] * 5, "average": [nn.AvgPool2d] * 5, "stride": []}[pooling]
