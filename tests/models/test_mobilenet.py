import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from ablation.errors import InputError
from ablation.models import mobilenet


@pytest.mark.parametrize("width", [0.35, 1.0, 1.4])
def test_with_torchvisions_weights_it_gives_torchvisions_logits(width) -> None:
    expected = mobilenet_v2(num_classes=10, width_mult=width)
    expected.features[0][0].stride = expected.features[2].conv[1][0].stride = (1, 1)
    model = mobilenet.build(10, 3, width=width)
    weights = expected.state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    images = torch.rand(2, 3, 8, 16)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


def test_parts_can_be_taken_away() -> None:
    with torch.device("meta"):
        model = mobilenet.build(10, 3, shortcut=False, linear_bottleneck=False, activation="relu", expansion=3)
        shapes = [weights.shape for weights in mobilenet.build(10, 3, expansion=3).parameters()]
    blocks = [each for each in model.modules() if isinstance(each, mobilenet.InvertedResidual)]
    assert not any(block.adds for block in blocks)
    assert all(isinstance(block.after, nn.ReLU) for block in blocks)
    assert [weights.shape for weights in model.parameters()] == shapes


def test_images_of_seven_pixels_are_refused() -> None:
    with torch.device("meta"), pytest.raises(InputError, match="mobilenet needs images of at least 8 x 8 pixels"):
        mobilenet.build(10, 1)(torch.zeros(2, 1, 7, 8))
