import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import crop
from ablation.errors import InputError

MODES = ["constant", "reflect", "edge"]


def random_images(count: int, channels: int = 3, height: int = 8, width: int = 11) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [0, 1, 4, 7])
@pytest.mark.parametrize("channels", [1, 3])
def test_padding_is_torchvisions(mode, padding, channels) -> None:
    images = random_images(3, channels)
    expected = oracle.pad(images, [padding] * 4, padding_mode=mode)
    assert torch.equal(crop.pad(images, padding, mode), expected)


@pytest.mark.parametrize("size", [(8, 11), (5, 3), (1, 1), (12, 15)])
def test_crop_batch_is_torchvisions_crop_image_by_image_at_every_corner(size) -> None:
    corners = torch.cartesian_prod(torch.arange(12 - size[0] + 1), torch.arange(15 - size[1] + 1)).view(-1, 2)
    padded = random_images(len(corners), height=12, width=15)
    expected = [oracle.crop(image, *corner, *size) for image, corner in zip(padded, corners.tolist(), strict=True)]
    assert torch.equal(crop.crop_batch(padded, corners, size), torch.stack(expected))


@pytest.mark.parametrize("mode", MODES)
def test_an_augmented_image_is_a_window_of_the_padded_one_at_a_place_uniform_over_all(mode) -> None:
    height, width, padding, count = 8, 11, 3, 9_800
    places = torch.arange(1, height * width + 1, dtype=torch.uint8).view(1, 1, height, width)
    augment = crop.build(padding=padding, padding_mode=mode)
    images, _ = augment(places.expand(count, -1, -1, -1), torch.zeros(count, 2), torch.Generator().manual_seed(1))
    # The pixel in the middle comes from the image itself and tells where the window began.
    middle = images[:, 0, 4, 5].long() - 1
    tops, lefts = middle // width - 4 + padding, middle % width - 5 + padding
    padded = oracle.pad(places[0], [padding] * 4, padding_mode=mode)
    for image, top, left in zip(images[:200], tops.tolist(), lefts.tolist(), strict=False):
        assert torch.equal(image, oracle.crop(padded, top, left, height, width))
    seen = torch.bincount(tops * 7 + lefts, minlength=49)
    expected = count / 49
    chi_square = ((seen - expected) ** 2 / expected).sum().item()
    assert len(seen) == 49
    assert chi_square < 93  # the 0.9999 quantile with 48 degrees of freedom


def test_a_reflection_wider_than_the_image_is_refused() -> None:
    with pytest.raises(InputError, match=r"8 x 11 pixels have no reflection of 8 pixels; choose padding below 8"):
        crop.build(padding=8, padding_mode="reflect")(random_images(2), torch.zeros(2, 2), torch.Generator())
