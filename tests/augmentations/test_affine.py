import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import rotate, translate
from ablation.augmentations.affine import rotations, warp

SIZES = [(32, 32), (9, 14)]


def random_images(count: int, channels: int = 3, height: int = 9, width: int = 14) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)


def angles() -> torch.Tensor:
    some = 360 * torch.rand(60, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 180
    return torch.cat([some, torch.tensor([0.0, 15, -15, 30, 45, -45, 60, 90, -90, 135, 180, -180]).double()])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_rotation_is_torchvisions_image_by_image_to_the_last_bit(size, interpolation, channels) -> None:
    images, degrees = random_images(len(angles()), channels, *size), angles()
    one_by_one = [
        oracle.rotate(image, angle, interpolation=oracle.InterpolationMode(interpolation))
        for image, angle in zip(images, degrees.tolist(), strict=True)
    ]
    assert torch.equal(warp(images, rotations(degrees), interpolation, 0), torch.stack(one_by_one))


def test_what_comes_in_has_the_level_asked_for() -> None:
    images, degrees = random_images(60), angles()[:60]
    expected = [oracle.rotate(image, angle, fill=[77]) for image, angle in zip(images, degrees.tolist(), strict=True)]
    assert torch.equal(warp(images, rotations(degrees), "nearest", 77), torch.stack(expected))


def test_between_image_and_fill_no_edge_is_darker_than_both() -> None:
    """torchvision weighs such pixels twice: a white image turned on white gets grey edges there."""
    white = torch.full((60, 3, 9, 14), 255, dtype=torch.uint8)
    assert torch.equal(warp(white, rotations(angles()[:60]), "bilinear", 255), white)


@pytest.mark.parametrize("fill", [0, 200])
def test_a_translation_is_torchvisions_image_by_image_to_the_last_bit(fill) -> None:
    moves = torch.cartesian_prod(torch.arange(-4, 5), torch.arange(-6, 7))
    images = random_images(len(moves))
    expected = [
        oracle.affine(image, angle=0, translate=[right, down], scale=1, shear=[0], fill=[fill])
        for image, (down, right) in zip(images, moves.tolist(), strict=True)
    ]
    assert torch.equal(translate.translate_batch(images, moves, fill), torch.stack(expected))


def test_angles_are_even_over_their_range() -> None:
    """Where the brightest pixel of an image went tells its angle."""
    images = torch.zeros(3_000, 1, 41, 41, dtype=torch.uint8)
    images[:, :, 19:22, 39:41] = 255
    turned, _ = rotate.build(degrees=60)(images, torch.zeros(3_000, 2), torch.Generator().manual_seed(1))
    weights = turned[:, 0].double()
    positions = torch.arange(41) - 20.0
    down = (weights.sum(2) * positions).sum(1)
    right = (weights.sum(1) * positions).sum(1)
    found = torch.rad2deg(torch.atan2(-down, right))
    assert found.abs().max() < 61
    assert found.mean().item() == pytest.approx(0, abs=3)
    assert found.std().item() == pytest.approx(120 / 12**0.5, abs=1.5)


def test_moves_are_even_over_whole_pixels_within_the_shares_of_the_sides() -> None:
    count = 9_000
    images = torch.zeros(count, 1, 9, 21, dtype=torch.uint8)
    images[:, :, 4, 10] = 255
    augment = translate.build(horizontal=0.1, vertical=0.25, fill=0)
    moved, _ = augment(images, torch.zeros(count, 2), torch.Generator().manual_seed(1))
    seen = (moved[:, 0] == 255).sum(0)
    assert seen.sum() == count
    reached = seen[2:7, 8:13].flatten()  # a quarter of 9 and a tenth of 21 are 2 pixels
    assert reached.sum() == count
    chi_square = ((reached - count / 25) ** 2 / (count / 25)).sum().item()
    assert chi_square < 61  # the 0.9999 quantile with 24 degrees of freedom


def test_without_a_range_nothing_moves() -> None:
    images, targets = random_images(20), torch.zeros(20, 2)
    assert torch.equal(rotate.build(degrees=0)(images, targets, torch.Generator())[0], images)
    assert torch.equal(translate.build(horizontal=0, vertical=0)(images, targets, torch.Generator())[0], images)
