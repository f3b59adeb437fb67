"""Nets of timm and torchvision, fitted to small images."""

import sys

import pytest
import torch
from torch import nn

from ablation.errors import AblationError, InputError
from ablation.models import mobilenet, resnet, timm, torchvision


@pytest.mark.parametrize("library", [timm, torchvision])
def test_resnet_18_of_a_library_becomes_the_one_here(library) -> None:
    """The stem of stride 2 and its pooling go; with its weights `resnet` gives the same logits."""
    fitted, model = library.build(10, 3, architecture="resnet18"), resnet.build(10, 3)
    weights = fitted.state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), fitted.eval()(images), rtol=1e-4, atol=1e-4)


def test_mobilenet_of_torchvision_becomes_the_one_here() -> None:
    fitted, model = torchvision.build(10, 3, architecture="mobilenet_v2"), mobilenet.build(10, 3)
    weights = fitted.state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), fitted.eval()(images), rtol=1e-4, atol=1e-4)


def convolutions(model: nn.Module, channels: int, size: int) -> list[tuple[int, int, int]]:
    """Pixels a side, filter and stride of each convolution, in the order of a pass."""
    seen: list[tuple[int, int, int]] = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda layer, given, _: seen.append((given[0].shape[-1], layer.kernel_size[0], layer.stride[0]))
            )
    with torch.inference_mode():
        model.eval()(torch.rand(2, channels, size, size))
    return seen


@pytest.mark.parametrize(
    ("library", "architecture", "size", "first", "last"),
    [
        (timm, "resnet18", 64, (64, 3, 1), (4, 3, 1)),  # half as much: the pooling stays
        (timm, "convnext_atto", 32, (32, 1, 1), (4, 1, 1)),
        (timm, "vit_tiny_patch16_224", 32, (32, 4, 4), (32, 4, 4)),
        (timm, "repvgg_a0", 32, (32, 1, 1), (8, 3, 2)),  # parallel filters of 1 and 3
        (timm, "dla34", 32, (32, 7, 1), None),  # begins at full size
        (torchvision, "squeezenet1_1", 32, (32, 3, 1), (7, 1, 1)),
    ],
)
def test_small_images_are_reduced_less_and_by_the_first_layers(library, architecture, size, first, last) -> None:
    seen = convolutions(library.build(10, 1, architecture=architecture, image_size=size), 1, size)
    assert seen[0] == first
    assert last is None or seen[-1] == last


@pytest.mark.parametrize("library", [timm, torchvision])
def test_the_original_stem_is_left_alone(library) -> None:
    seen = convolutions(library.build(10, 3, stem="original"), 3, 32)
    assert (seen[0], seen[-1]) == ((32, 7, 2), (1, 3, 1))


def test_a_smaller_filter_gives_as_much_variance_as_the_larger_did() -> None:
    images = torch.randn(64, 3, 32, 32)
    spread = []
    for stem in ("auto", "original"):
        net = timm.build(10, 3, stem=stem).net
        spread.append(net.conv1(images)[:, :, 4:12, 4:12].std().item())  # type: ignore[operator, union-attr]
    assert spread[0] == pytest.approx(spread[1], rel=0.15)


def test_dropout_and_stochastic_depth_reach_timm() -> None:
    model = timm.build(10, 3, architecture="convnext_atto", image_size=16, drop_path=0.5, dropout=0.25)
    drops = [module for module in model.modules() if type(module).__name__ == "DropPath"]
    assert drops[-1].drop_prob == pytest.approx(0.5)
    assert any(isinstance(module, nn.Dropout) and module.p == 0.25 for module in model.modules())


@pytest.mark.parametrize(
    ("library", "choices", "message"),
    [
        (
            timm,
            {"architecture": "resnet81"},
            r'timm has no architecture "resnet81" among its \d+; the nearest names: .*',
        ),
        (timm, {"architecture": "hf-hub:timm/resnet18"}, 'timm has no architecture "hf-hub:timm/resnet18"'),
        (timm, {"architecture": "tresnet_m"}, "reduces images before its first convolution.*Set stem: original"),
        (
            timm,
            {"architecture": "levit_128"},
            "the stem of timm .levit_128. cannot be found: .* cannot take images of 128 x 128",
        ),
        (timm, {"architecture": "convmixer_768_32"}, "cannot reduce images 4 times less than it does: stem.0 7-fold"),
        (timm, {"architecture": "vgg11", "drop_path": 0.1}, "cannot be made with .*drop_path_rate 0.1"),
        (torchvision, {"architecture": "fcn_resnet50"}, 'torchvision has no architecture "fcn_resnet50"'),
        (torchvision, {"architecture": "vit_b_16"}, "the patches of torchvision .vit_b_16. cannot be adapted"),
    ],
)
def test_what_cannot_be_made_or_fitted_is_refused(library, choices, message) -> None:
    with pytest.raises(InputError, match=message):
        library.build(10, 3, **choices)


@pytest.mark.parametrize("library", [timm, torchvision])
def test_images_of_another_size_are_refused(library) -> None:
    with pytest.raises(
        InputError, match="was built for images of 32 x 32 pixels, these have 28 x 28; set image_size: 28"
    ):
        library.build(10, 3)(torch.zeros(2, 3, 28, 28))


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_library_that_is_missing_is_told_with_how_to_get_it(library, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    build = {"timm": timm.build, "torchvision": torchvision.build}[library]
    with pytest.raises(
        AblationError, match=rf"needs the package {library}.*pip install 'ablation-harness\[{library}\]'"
    ):
        build(10, 3)
