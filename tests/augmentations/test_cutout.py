import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import cutout
from ablation.errors import InputError


def random_images(count: int, channels: int = 3) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, 6, 9), generator=stream, dtype=torch.uint8)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 30])
@pytest.mark.parametrize("channels", [1, 3])
def test_cutout_batch_is_torchvisions_erase_image_by_image_at_every_centre(size, channels) -> None:
    centres = torch.cartesian_prod(torch.arange(6), torch.arange(9))
    images = random_images(len(centres), channels)
    expected = []
    for image, (row, column) in zip(images, centres.tolist(), strict=True):
        top, left = max(0, row - size // 2), max(0, column - size // 2)
        bottom, right = min(6, row - size // 2 + size), min(9, column - size // 2 + size)
        grey = torch.full((channels, 1, 1), 77, dtype=torch.uint8)
        expected.append(oracle.erase(image, top, left, bottom - top, right - left, grey))
    assert torch.equal(cutout.cutout_batch(images, centres, size, 77), torch.stack(expected))


def test_centres_are_uniform_over_the_pixels_and_the_choices_reach_the_images() -> None:
    count = 10_800
    images, _ = cutout.build(size=1, fill=9)(
        torch.zeros(count, 1, 6, 9, dtype=torch.uint8), torch.zeros(count, 2), torch.Generator().manual_seed(1)
    )
    assert set(images.unique().tolist()) == {0, 9}
    assert torch.equal((images == 9).sum((1, 2, 3)), torch.ones(count, dtype=torch.int64))
    seen = (images == 9).sum(0).flatten()
    chi_square = ((seen - count / 54) ** 2 / (count / 54)).sum().item()
    assert chi_square < 100  # the 0.9999 quantile with 53 degrees of freedom


def test_a_square_that_covers_every_image_whole_is_refused() -> None:
    images, targets = torch.zeros(500, 1, 8, 8, dtype=torch.uint8), torch.zeros(500, 2)
    with pytest.raises(InputError, match="15 pixels covers an image of 8 x 8 pixels wherever it lies"):
        cutout.build(size=15)(images, targets, torch.Generator())
    assert (cutout.build(size=14)(images, targets, torch.Generator().manual_seed(0))[0] == 0).any()
