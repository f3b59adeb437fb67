import pytest
import torch
from torch import nn
from torchvision.models import VisionTransformer

from ablation.errors import InputError
from ablation.models import vit


def test_with_torchvisions_weights_it_gives_torchvisions_logits() -> None:
    expected = VisionTransformer(8, 4, num_layers=2, num_heads=3, hidden_dim=48, mlp_dim=96, num_classes=10)
    nn.init.normal_(expected.heads.head.weight)
    choices = {"position": "learned", "pooling": "class_token", "image_size": 8}
    model = vit.build(10, 3, depth=2, width=48, heads=3, **choices)  # type: ignore[arg-type]
    weights = expected.state_dict()
    ordered = [weights.pop(name) for name in ("class_token", "encoder.pos_embedding")] + list(weights.values())
    model.load_state_dict(dict(zip(model.state_dict(), ordered, strict=True)))
    images = torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


def test_it_has_the_size_of_lee_et_al() -> None:
    """2.8 million with their class token and learned places, without SPT and LSA (arXiv 2112.13492, table 2)."""
    with torch.device("meta"):
        model = vit.build(10, 3, position="learned", pooling="class_token")
    assert sum(weights.numel() for weights in model.parameters()) / 1e6 == pytest.approx(2.75, abs=0.1)


def test_a_place_has_the_sines_of_its_column_then_of_its_row() -> None:
    places = vit.sines(3, 5, 8, torch.device("cpu"))
    assert places.shape == (15, 8)
    row, column = 2, 4
    fast, slow = 1.0, 1e-4
    expected = [f(x * s) for x in (column, row) for f in (torch.sin, torch.cos) for s in torch.tensor([fast, slow])]
    torch.testing.assert_close(places[row * 5 + column], torch.stack(expected))


def test_without_places_it_does_not_see_the_order_of_patches_and_with_them_it_does() -> None:
    images = torch.rand(1, 3, 8, 8)
    swapped = images.roll(4, dims=3)
    equal = {}
    for position in ("none", "sines"):
        model = vit.build(10, 3, depth=2, width=48, position=position).eval()
        with torch.inference_mode():
            equal[position] = torch.allclose(model(images), model(swapped), atol=1e-5)
    assert equal == {"none": True, "sines": False}


@pytest.mark.parametrize(
    ("choices", "shape", "message"),
    [
        ({}, (10, 8), "cuts images into patches of 4 x 4 pixels, and these have 10 x 8"),
        ({}, (2, 8), "needs images of at least 4 x 4"),
        (
            {"position": "learned"},
            (8, 8),
            "was built for images of 32 x 32 pixels, these have 8 x 8; set image_size: 8",
        ),
    ],
)
def test_images_that_do_not_fit_are_refused(choices, shape, message) -> None:
    with torch.device("meta"), pytest.raises(InputError, match=message):
        vit.build(10, 1, depth=1, **choices)(torch.zeros(2, 1, *shape))


def test_a_width_that_its_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(InputError, match="cannot share a width of 100 among 12 heads"):
        vit.build(10, 1, width=100)
