import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ablation.errors import InputError
from ablation.models import small


def count_parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_it_is_as_large_and_as_costly_as_it_says() -> None:
    model = small.build(10, 3)
    assert count_parameters(model) == 288_746
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 3, 32, 32)).sum().backward()
    assert counter.get_total_flops() / 2 == pytest.approx(0.23e9, rel=0.01)


def test_width_scales_every_stage() -> None:
    channels = [
        module.out_channels for module in small.build(10, 3, width=8).modules() if hasattr(module, "out_channels")
    ]
    assert channels == [8, 8, 16, 16, 32, 32]


def test_dropout_acts_in_training_only() -> None:
    model = small.build(10, 1, width=4, dropout=0.5)
    images = torch.rand(4, 1, 8, 8)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_images_of_three_pixels_are_refused() -> None:
    with pytest.raises(InputError, match=r"model small needs images of at least 4 x 4 pixels, these have 8 x 3"):
        small.build(10, 1)(torch.zeros(2, 1, 8, 3))


def test_pooling_before_the_rectifier_gives_the_bits_of_pooling_after_it() -> None:
    """Forward and backward, where many places are zero and tie."""
    images = torch.randint(-2, 3, (4, 8, 6, 6), generator=torch.Generator().manual_seed(1)).float()
    pool, rectifier = torch.nn.MaxPool2d(2), torch.nn.ReLU()
    results = []
    for first, second in ((pool, rectifier), (rectifier, pool)):
        given = images.clone().requires_grad_()
        made = second(first(given))
        (made * torch.arange(made.numel()).view_as(made)).sum().backward()
        assert given.grad is not None
        results.append((made, given.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    layers = [type(layer) for layer in small.build(10, 3).features]  # type: ignore[operator]
    assert layers[4:8] == [torch.nn.BatchNorm2d, torch.nn.MaxPool2d, torch.nn.ReLU, torch.nn.Conv2d]
