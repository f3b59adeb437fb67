import pytest
import torch
from torch import nn
from torchvision.models import resnet as oracle

from ablation.errors import InputError
from ablation.models import resnet
from ablation.models.residual import Residual, ZeroPadding


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("depth", "millions"),
    [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.73), (18, 11.17), (34, 21.28), (50, 23.52)],
)
def test_parameters_are_as_many_as_published(depth, millions) -> None:
    """Table 6 of arXiv 1512.03385 for 20 to 110; torchvision's less its stem and 990 classes for the others."""
    with torch.device("meta"):
        model = resnet.build(10, 3, depth=depth)
    assert round(count_parameters(model) / 1e6, 2) == millions


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_the_nets_of_section_4_2_have_6n_plus_2_layers(depth) -> None:
    with torch.device("meta"):
        model = resnet.build(10, 3, depth=depth)
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules()) == depth


@pytest.mark.parametrize(
    ("depth", "shortcut", "count"),
    [(20, "A", 269_722), (20, "B", 272_474), (18, "B", 11_173_962), (18, "A", 11_000_138)],
)
def test_only_projections_add_parameters_to_shortcuts(depth, shortcut, count) -> None:
    with torch.device("meta"):
        assert count_parameters(resnet.build(10, 3, depth=depth, shortcut=shortcut)) == count


@pytest.mark.parametrize(("depth", "build"), [(18, oracle.resnet18), (50, oracle.resnet50)])
def test_with_torchvisions_weights_it_gives_torchvisions_logits(depth, build) -> None:
    expected = build(num_classes=10)
    expected.conv1, expected.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    model = resnet.build(10, 3, depth=depth)
    names, weights = list(model.state_dict()), list(expected.state_dict().values())
    model.load_state_dict(dict(zip(names, weights, strict=True)))
    images = torch.rand(2, 3, 8, 12)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(images), expected.eval()(images), rtol=1e-4, atol=1e-4)


def test_the_shortcut_of_option_a_subsamples_and_pads_with_zeros() -> None:
    maps = torch.arange(2 * 4 * 4.0).view(1, 2, 4, 4)
    padded = ZeroPadding(new_channels=2, stride=2)(maps)
    assert padded.shape == (1, 4, 2, 2)
    assert padded[0, 0].tolist() == padded[0, 3].tolist() == [[0, 0], [0, 0]]
    assert padded[0, 1].tolist() == [[0, 2], [8, 10]]


def test_a_block_whose_branch_gives_nothing_passes_its_input_on() -> None:
    block = Residual(nn.Conv2d(3, 3, 1), nn.Identity(), nn.ReLU())
    for weights in block.parameters():
        nn.init.zeros_(weights)
    maps = torch.rand(2, 3, 4, 4)
    assert torch.equal(block(maps), maps)


@pytest.mark.parametrize(("depth", "smallest"), [(20, 4), (18, 8), (50, 8)])
def test_images_below_the_smallest_are_refused(depth, smallest) -> None:
    with torch.device("meta"):
        model = resnet.build(10, 1, depth=depth)
        assert model(torch.zeros(2, 1, smallest, smallest)).shape == (2, 10)
        message = rf"model resnet \(depth {depth}\) needs images of at least {smallest} x {smallest} pixels"
        with pytest.raises(InputError, match=message):
            model(torch.zeros(2, 1, smallest - 1, smallest))


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({"normalization": "none"}, {nn.Conv2d, nn.ReLU}),
        ({"normalization": "group", "activation": "gelu"}, {nn.Conv2d, nn.GroupNorm, nn.GELU}),
        ({"global_pooling": "max"}, {nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.AdaptiveMaxPool2d}),
    ],
)
def test_parts_are_exchanged_everywhere(choices, expected) -> None:
    with torch.device("meta"):
        model = resnet.build(10, 3, depth=50, **choices)
    leaves = {type(module) for module in model.modules() if not list(module.children())}
    always = {nn.Linear, nn.Flatten, nn.Identity}
    assert leaves - always - {nn.AdaptiveAvgPool2d} == expected
    biased = {module.bias is not None for module in model.modules() if isinstance(module, nn.Conv2d)}
    assert biased == {choices.get("normalization") == "none"}


def test_filters_of_5_take_the_place_of_3_and_bottlenecks_keep_their_1() -> None:
    with torch.device("meta"):
        sizes = [
            m.kernel_size[0] for m in resnet.build(10, 3, depth=50, filter_size=5).modules() if type(m) is nn.Conv2d
        ]
    assert sizes[:4] == [5, 1, 5, 1]
    assert set(sizes) == {1, 5}


def test_dropout_and_width_leave_the_names_of_all_but_the_last_layer() -> None:
    with torch.device("meta"):
        plain, other = resnet.build(10, 3, depth=20), resnet.build(10, 3, depth=20, width=8, dropout=0.5)
    names = [name for name in plain.state_dict() if not name.startswith("classifier")]
    assert [name for name in other.state_dict() if not name.startswith("classifier")] == names
    assert other.stem[0].out_channels == 8
    assert isinstance(other.classifier[2], nn.Dropout)
