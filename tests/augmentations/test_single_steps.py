"""Grayscale, blur, noise, solarize and posterize: what they do to an image, and to how many."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import blur, grayscale, noise, posterize, solarize
from ablation.errors import InputError


def random_images(count: int, channels: int = 3, height: int = 12, width: int = 9) -> Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)


def stacked(images: list[Tensor]) -> Tensor:
    return torch.stack(images)


def test_grey_images_are_torchvisions() -> None:
    images = random_images(40)
    assert torch.equal(grayscale.grayscale_batch(images), oracle.rgb_to_grayscale(images, num_output_channels=3))


@pytest.mark.parametrize("channels", [1, 3])
def test_solarized_images_are_torchvisions_at_every_threshold(channels) -> None:
    thresholds = torch.linspace(0, 255, 90, dtype=torch.float64)
    images = random_images(90, channels)
    expected = [oracle.solarize(image, each) for image, each in zip(images, thresholds.tolist(), strict=True)]
    assert torch.equal(solarize.solarize_batch(images, thresholds), stacked(expected))


def test_posterized_images_are_torchvisions() -> None:
    bits = torch.arange(36) % 9
    images = random_images(36)
    expected = [oracle.posterize(image, each) for image, each in zip(images, bits.tolist(), strict=True)]
    assert torch.equal(posterize.posterize_batch(images, bits), stacked(expected))


@pytest.mark.parametrize("radius", [1, 3, 8])
def test_blurred_images_are_torchvisions_but_for_a_level_where_a_sum_lies_between_two(radius) -> None:
    sigmas = torch.linspace(0.1, radius / 2, 60, dtype=torch.float64)
    images = random_images(60)
    size = [2 * radius + 1] * 2
    expected = [oracle.gaussian_blur(image, size, [each]) for image, each in zip(images, sigmas.tolist(), strict=True)]
    difference = (blur.blur_batch(images, sigmas, radius).int() - stacked(expected).int()).abs()
    assert difference.max() <= 1
    assert difference.float().mean() < 1e-3


def test_a_blur_that_reaches_beyond_the_image_is_refused() -> None:
    with pytest.raises(InputError, match="12 x 9 pixels have no reflection of so many; choose sigma up to 2"):
        blur.build(sigma=3.0)(random_images(2), torch.zeros(2, 2), torch.Generator())
    blur.build(sigma=2.0)(random_images(2), torch.zeros(2, 2), torch.Generator())


def test_widths_of_the_blur_are_even_up_to_sigma() -> None:
    """Of a white dot the blur leaves a share that tells how wide it was."""
    images = torch.zeros(2_000, 1, 9, 9, dtype=torch.uint8)
    images[:, :, 4, 4] = 255
    augment = blur.build(probability=1.0, sigma=1.0)
    found, _ = augment(images, torch.zeros(2_000, 2), torch.Generator().manual_seed(2))
    widest, middle = blur.blur_batch(images[:2], torch.tensor([1.0, 0.55], dtype=torch.float64), 3)[:, 0, 4, 4]
    assert found[:, 0, 4, 4].min() >= widest
    assert (found[:, 0, 4, 4] < middle).float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_noise_is_normal_and_as_strong_as_asked() -> None:
    images = torch.full((300, 3, 20, 20), 128, dtype=torch.uint8)
    added = noise.build(levels=12.0)(images, torch.zeros(300, 2), torch.Generator().manual_seed(1))[0].double() - 128
    assert added.mean().item() == pytest.approx(0, abs=0.1)
    assert added.std().item() == pytest.approx((144 + 1 / 12) ** 0.5, abs=0.1)  # whole levels add a twelfth
    assert (added.abs() > 24).double().mean().item() == pytest.approx(0.0412, abs=0.002)
    assert (added**4).mean().item() / added.var().item() ** 2 == pytest.approx(3, abs=0.05)
    assert abs(torch.corrcoef(added.flatten(1).T[:2])[0, 1].item()) < 0.25


def test_noise_takes_the_ends_of_its_draws_and_stays_within_the_levels() -> None:
    shares = torch.tensor([0.0, 2**-24, 0.5, 1 - 2**-24]).view(1, 1, 2, 2)
    grey = torch.full((1, 1, 2, 2), 100, dtype=torch.uint8)
    assert noise.add_noise(grey, shares.clone(), 10.0).flatten().tolist() == [46, 48, 100, 154]
    assert noise.add_noise(grey, shares.clone(), 255.0).flatten().tolist() == [0, 0, 100, 255]


@pytest.mark.parametrize(("component", "usual"), [(grayscale, 0.2), (blur, 0.5), (solarize, 0.2), (posterize, 0.5)])
@pytest.mark.parametrize("probability", [None, 0.0, 0.3, 1.0])
def test_images_are_changed_as_often_as_asked(component, usual, probability) -> None:
    choices = {} if probability is None else {"probability": probability}
    images = random_images(1).expand(2_000, -1, -1, -1)
    changed, _ = component.build(**choices)(images, torch.zeros(2_000, 2), torch.Generator().manual_seed(3))
    share = (changed != images).flatten(1).any(1).float().mean().item()
    expected = usual if probability is None else probability
    least = 0.75 if component is blur else 1.0  # one of less than 0.3 pixels changes nothing
    assert share <= expected + 4 * (expected * (1 - expected) / 2_000) ** 0.5
    assert share >= least * expected - 4 * (expected * (1 - expected) / 2_000) ** 0.5


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_only_colours_can_be_taken_away(channels) -> None:
    with pytest.raises(InputError, match=f"grayscale needs images of 3 channels, not {channels}"):
        grayscale.build()(random_images(2, channels), torch.zeros(2, 2), torch.Generator())
