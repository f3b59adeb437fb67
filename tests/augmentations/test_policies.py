"""AutoAugment, RandAugment and TrivialAugment against torchvision's, which draws one policy for a whole batch."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from ablation.augmentations import autoaugment, randaugment, trivialaugment
from ablation.augmentations.operations import Look, apply
from ablation.augmentations.ranges import USUAL, WIDE, Range, magnitudes
from ablation.errors import InputError

THEIRS = {
    "identity": "Identity",
    "shear_x": "ShearX",
    "shear_y": "ShearY",
    "translate_x": "TranslateX",
    "translate_y": "TranslateY",
    "rotate": "Rotate",
    "brightness": "Brightness",
    "color": "Color",
    "contrast": "Contrast",
    "sharpness": "Sharpness",
    "posterize": "Posterize",
    "solarize": "Solarize",
    "auto_contrast": "AutoContrast",
    "equalize": "Equalize",
    "invert": "Invert",
}
SPACES: dict[str, tuple[v2.Transform, dict[str, Range], int]] = {
    "autoaugment": (v2.AutoAugment(), autoaugment.RANGES, autoaugment.STEPS),
    "randaugment": (v2.RandAugment(), USUAL, randaugment.STEPS),
    "trivialaugment": (v2.TrivialAugmentWide(), WIDE, trivialaugment.STEPS),
}
NAMES = tuple(THEIRS)


def assorted_images(count: int, channels: int = 3, height: int = 11, width: int = 13) -> Tensor:
    """Noise, dark noise, greys, few levels, and even images, in turn."""
    stream = torch.Generator().manual_seed(5)
    noise = torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)
    noise[1::5] //= 9
    noise[2::5] = noise[2::5, :1]
    noise[3::5] = noise[3::5] // 100 * 100
    noise[4::10] = noise[4::10, :, :1, :1]
    return noise


def theirs(
    image: Tensor, name: str, magnitude: float, interpolation: str = "nearest", fill: int | None = None
) -> Tensor:
    if name == "identity":
        return image
    filled = v2.TrivialAugmentWide(fill=None if fill is None else [fill])
    return filled._apply_image_or_video_transform(image, THEIRS[name], magnitude, interpolation, filled._fill)


@pytest.mark.parametrize("space", SPACES)
def test_ranges_are_torchvisions(space) -> None:
    transform, ranges, steps = SPACES[space]
    expected = transform._AUGMENTATION_SPACE
    assert {THEIRS[name] for name in ranges} - {"Identity"} == expected.keys() - {"Identity"}
    found = magnitudes(ranges, steps, torch.zeros(1, 3, 24, 40))
    for name, row in zip(ranges, found, strict=True):
        values = expected.get(THEIRS[name], (lambda *_: None,))[0](steps, 24, 40)
        assert row.tolist() == ([0.0] * steps if values is None else [float(value) for value in values])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "identity"])
@pytest.mark.parametrize("shape", [(3, 11, 13), (1, 8, 16), (3, 32, 32)], ids=str)
def test_each_operation_is_torchvisions_image_by_image_to_the_last_bit(name, shape) -> None:
    by = torch.cat(
        [
            magnitudes({name: ranges[name]}, 31, torch.zeros(1, *shape))[0]
            for ranges in (WIDE, autoaugment.RANGES)
            if name in ranges
        ]
    )
    signed = torch.cat([by, -by]) if name not in ("posterize", "solarize") else by
    signed = signed.repeat_interleave(5)
    images = assorted_images(len(signed), *shape)
    drawn = torch.full((len(signed),), NAMES.index(name)), signed
    expected = [theirs(image, name, magnitude) for image, magnitude in zip(images, signed.tolist(), strict=True)]
    assert torch.equal(apply(images, NAMES, drawn, Look()), torch.stack(expected))


def test_where_torchvision_rounds_the_last_pixels_of_an_image_otherwise_it_is_by_one_level() -> None:
    """Its vectors of pixels multiply and add at once, the pixels left over after the last vector in two steps."""
    images = torch.full((31, 1, 11, 13), 165, dtype=torch.uint8)
    by = magnitudes({"contrast": WIDE["contrast"]}, 31, images)[0]
    found = apply(images, NAMES, (torch.full((31,), NAMES.index("contrast")), by), Look())
    expected = torch.stack([theirs(image, "contrast", each) for image, each in zip(images, by.tolist(), strict=True)])
    assert (found.int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("look", [Look("bilinear", 0), Look("nearest", 90)])
def test_moved_images_look_as_asked(look: Look) -> None:
    operations = torch.arange(120) % len(NAMES)
    by = torch.linspace(-0.3, 0.9, 120).double().abs()
    images = assorted_images(120)
    expected = [
        theirs(image, NAMES[number], magnitude, look.interpolation, look.fill or None)
        for image, number, magnitude in zip(images, operations.tolist(), by.tolist(), strict=True)
    ]
    assert torch.equal(apply(images, NAMES, (operations, by), look), torch.stack(expected))


@pytest.mark.parametrize("policy", ["cifar10", "imagenet", "svhn"])
def test_what_was_learned_is_torchvisions(policy) -> None:
    expected = v2.AutoAugment(v2.AutoAugmentPolicy(policy))._policies
    found = [[(THEIRS[name], chance, step) for name, chance, step in pair] for pair in autoaugment.POLICIES[policy]]
    assert found == [[(name, chance, step or 0) for name, chance, step in pair] for pair in expected]


def drawn_by_trivialaugment(draws: Tensor, table: Tensor) -> list[tuple[str, float]]:
    operation, step = int(draws[0] * 14), int(draws[1] * 31)
    return [with_sign(list(WIDE)[operation], table[operation, step].item(), draws[2])]


def drawn_by_randaugment(draws: Tensor, table: Tensor) -> list[tuple[str, float]]:
    found = []
    for operation, side in draws.view(2, 2):
        number = int(operation * 14)
        found.append(with_sign(list(USUAL)[number], table[number, 9].item(), side))
    return found


def drawn_by_autoaugment(draws: Tensor, table: Tensor) -> list[tuple[str, float]]:
    pair, found = autoaugment.POLICIES["cifar10"][int(draws[0] * 25)], []
    for (name, chance, step), done, side in zip(pair, draws[1:3], draws[3:], strict=True):
        if done < chance:
            found.append(with_sign(name, table[list(autoaugment.RANGES).index(name), step].item(), side))
    return found


def with_sign(name: str, magnitude: float, side: Tensor) -> tuple[str, float]:
    turns = WIDE.keys() - {"posterize", "solarize", "auto_contrast", "equalize", "identity"}
    return name, -magnitude if name in turns and side < 0.5 else magnitude


@pytest.mark.parametrize(
    ("component", "width", "reading"),
    [
        (trivialaugment, 3, drawn_by_trivialaugment),
        (randaugment, 4, drawn_by_randaugment),
        (autoaugment, 5, drawn_by_autoaugment),
    ],
)
def test_each_image_gets_what_it_drew(component, width, reading: Callable[..., list[tuple[str, float]]]) -> None:
    images = assorted_images(150)
    changed, _ = component.build()(images, torch.zeros(150, 2), torch.Generator().manual_seed(4))
    draws = torch.rand(150, width, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    _, ranges, steps = SPACES[component.__name__.rpartition(".")[2]]
    table = magnitudes(ranges, steps, images)
    for image, result, row in zip(images, changed, draws, strict=True):
        expected = image
        for name, magnitude in reading(row, table):
            expected = theirs(expected, name, magnitude)
        assert torch.equal(result, expected)


@pytest.mark.parametrize("component", [autoaugment, randaugment, trivialaugment])
def test_other_numbers_of_channels_are_refused(component) -> None:
    with pytest.raises(InputError, match="needs images of 1 or 3 channels, not 2"):
        component.build()(torch.zeros(4, 2, 8, 8, dtype=torch.uint8), torch.zeros(4, 2), torch.Generator())
