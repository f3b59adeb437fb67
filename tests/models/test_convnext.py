import pytest
import torch
from torchvision.models import ConvNeXt
from torchvision.models.convnext import CNBlockConfig

from ablation.errors import InputError
from ablation.models import convnext
from ablation.models.stochastic_depth import StochasticDepth, probabilities


def test_with_torchvisions_weights_it_gives_torchvisions_logits() -> None:
    settings = [
        CNBlockConfig(40, 80, 2),
        CNBlockConfig(80, 160, 2),
        CNBlockConfig(160, 320, 6),
        CNBlockConfig(320, None, 2),
    ]
    expected = ConvNeXt(settings, layer_scale=0.5, num_classes=10)
    model = convnext.build(10, 3, patch_size=4)
    names = {name: each.shape for name, each in model.state_dict().items()}
    pairs = zip(names.items(), expected.state_dict().values(), strict=True)
    model.load_state_dict({name: weights.view(shape) for (name, shape), weights in pairs})
    images = torch.rand(2, 3, 32, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "millions"), [("atto", 3.7), ("femto", 5.2), ("pico", 9.1), ("nano", 15.6), ("tiny", 28.6)]
)
def test_parameters_are_as_many_as_published(size, millions) -> None:
    """Of ImageNet's 1,000 classes with patches of 4 x 4 (arXiv 2301.00808; V2 itself has some thousands more)."""
    with torch.device("meta"):
        model = convnext.build(1000, 3, size=size, patch_size=4)
    assert sum(weights.numel() for weights in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)


def test_a_dropped_branch_is_scaled_up_elsewhere_and_kept_in_evaluation() -> None:
    drop, maps = StochasticDepth(0.25), torch.ones(2000, 1, 2, 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        dropped = drop(maps)
    assert sorted(set(dropped.flatten().tolist())) == pytest.approx([0, 4 / 3])
    assert torch.equal(dropped.amin((1, 2, 3)), dropped.amax((1, 2, 3)))
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(drop.eval()(maps), maps)
    assert probabilities(3, 0.2) == [0.0, 0.1, 0.2]
    assert probabilities(1, 0.2) == [0.0]


def test_images_of_fifteen_pixels_are_refused() -> None:
    with torch.device("meta"), pytest.raises(InputError, match="convnext needs images of at least 16 x 16 pixels"):
        convnext.build(10, 1)(torch.zeros(2, 1, 15, 16))
