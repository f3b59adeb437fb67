import pytest
import torch
from torch import nn
from torchvision.models import DenseNet

from ablation.errors import InputError
from ablation.models import densenet


@pytest.mark.parametrize(
    ("depth", "growth", "dense", "millions"),
    [(100, 12, True, 0.8), (250, 24, True, 15.3), (190, 40, True, 25.6), (40, 12, False, 1.0), (100, 24, False, 27.2)],
)
def test_parameters_are_those_of_table_2(depth, growth, dense, millions) -> None:
    with torch.device("meta"):
        model = densenet.build(10, 3, depth=depth, growth=growth, bottleneck=dense, compression=0.5 if dense else 1.0)
    assert round(sum(weights.numel() for weights in model.parameters()) / 1e6, 1) == millions
    layers = sum(isinstance(each, nn.Conv2d | nn.Linear) for each in model.modules())
    assert layers == depth


def test_with_torchvisions_weights_it_gives_torchvisions_logits() -> None:
    expected = DenseNet(growth_rate=12, block_config=(3, 3, 3), num_init_features=24, num_classes=10)
    expected.features.conv0 = nn.Conv2d(3, 24, 3, padding=1, bias=False)
    expected.features.norm0 = expected.features.relu0 = expected.features.pool0 = nn.Identity()
    model = densenet.build(10, 3, depth=22)
    weights = expected.state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    images = torch.rand(2, 3, 8, 12)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


def test_a_layer_keeps_what_it_is_given_before_its_own_maps() -> None:
    model = densenet.build(10, 3, depth=22)
    layer, maps = model.features[1], torch.rand(2, 24, 4, 4)  # type: ignore[index]
    assert layer(maps).shape == (2, 36, 4, 4)
    assert torch.equal(layer(maps)[:, :24], maps)


def test_images_of_three_pixels_are_refused() -> None:
    with torch.device("meta"), pytest.raises(InputError, match=r"densenet \(depth 22\) needs images of at least 4 x 4"):
        densenet.build(10, 1, depth=22)(torch.zeros(2, 1, 8, 3))
