import pytest
import torch
from torch import nn

from ablation.errors import InputError
from ablation.models import mlp


def test_it_is_linear_layers_between_activations() -> None:
    with torch.device("meta"):
        model = mlp.build(10, 1, image_size=8, depth=2, width=16, normalization="batch", activation="tanh")
    types = [type(layer) for layer in model.layers if not isinstance(layer, nn.Dropout)]
    assert types == [nn.Flatten, *[nn.Linear, nn.BatchNorm1d, nn.Tanh] * 2, nn.Linear]
    assert sum(weights.numel() for weights in model.parameters()) == 65 * 16 + 17 * 16 + 2 * 32 + 17 * 10


def test_it_does_not_know_which_pixels_are_neighbours() -> None:
    """Pixels in any order, with the first layer's weights in the same order, give the same logits."""
    model, order = mlp.build(10, 1, image_size=4, width=8), torch.randperm(16)
    images = torch.rand(2, 1, 4, 4)
    before = model(images)
    with torch.no_grad():
        model.layers[1].weight.copy_(model.layers[1].weight[:, order])
    torch.testing.assert_close(model(images.flatten()[torch.cat([order, 16 + order])].view(2, 1, 4, 4)), before)


def test_hidden_layers_start_with_the_variance_of_he() -> None:
    first = mlp.build(10, 3, image_size=16, width=64).layers[1]
    assert first.weight.std().item() == pytest.approx((2 / 768) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "message"), [((8, 8), "set image_size: 8"), ((32, 8), "it takes square images alone")]
)
def test_images_of_another_size_are_refused(shape, message) -> None:
    with pytest.raises(InputError, match=rf"mlp was built for images of 32 x 32 pixels.*{message}"):
        mlp.build(10, 1)(torch.zeros(2, 1, *shape))
