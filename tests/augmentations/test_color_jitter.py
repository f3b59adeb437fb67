import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import color_jitter
from ablation.errors import InputError

FACTORS = [0.0, 1e-4, 0.3, 0.999, 1.0, 1.001, 1.7, 40.0]
SHIFTS = [-0.5, -1e-9, 0.0, 1e-9, 1 / 6, 1 / 3, 0.4999, 0.5]
STEPS = {
    "brightness": (color_jitter.adjust_brightness, oracle.adjust_brightness, FACTORS),
    "contrast": (color_jitter.adjust_contrast, oracle.adjust_contrast, FACTORS),
    "saturation": (color_jitter.adjust_saturation, oracle.adjust_saturation, FACTORS),
    "hue": (color_jitter.adjust_hue, oracle.adjust_hue, SHIFTS),
}


def assorted_images(channels: int, height: int = 9, width: int = 7) -> torch.Tensor:
    """Noise, dark noise, greys, two-valued noise, black and white: sixteen of each but the last two."""
    stream = torch.Generator().manual_seed(5)
    noise = torch.randint(0, 256, (16, channels, height, width), generator=stream, dtype=torch.uint8)
    grey = noise[:, :1].expand_as(noise)
    even = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, channels, height, width)
    return torch.cat([noise, noise // 60, grey, (noise > 127) * 255, even]).to(torch.uint8)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shape", [(3, 9, 7), (1, 9, 7), (3, 32, 32), (1, 8, 8)])
def test_each_step_is_torchvisions_image_by_image_to_the_last_bit(step, shape) -> None:
    adjust, expected, special = STEPS[step]
    images = assorted_images(*shape)
    spread = torch.rand(len(images), generator=torch.Generator().manual_seed(7))
    factors = spread - 0.5 if step == "hue" else 2 * spread
    factors[: 2 * len(special)] = torch.tensor(special).repeat(2)
    one_by_one = [expected(image, float(factor)) for image, factor in zip(images, factors, strict=True)]
    assert torch.equal(adjust(images, factors), torch.stack(one_by_one))


@pytest.mark.parametrize("shift", [-0.5, -0.37, -0.05, 0.0, 1 / 12, 0.21, 0.5])
def test_hue_is_torchvisions_over_the_colour_cube(shift) -> None:
    levels = torch.arange(0, 256, 5, dtype=torch.uint8)
    cube = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 52, -1)
    shifts = torch.tensor([shift])
    assert torch.equal(color_jitter.adjust_hue(cube, shifts)[0], oracle.adjust_hue(cube[0], float(shifts)))


@pytest.mark.parametrize("count", [5, 150])
def test_build_runs_the_four_steps_in_their_order_with_factors_uniform_in_their_ranges(count) -> None:
    images = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    augment = color_jitter.build(brightness=0.4, contrast=1.5, saturation=0.9, hue=0.3)
    changed, _ = augment(images, torch.zeros(count, 2), torch.Generator().manual_seed(2))
    shares = torch.rand(count, 4, generator=torch.Generator().manual_seed(2))
    lows, highs = torch.tensor([0.6, 0.0, 0.1, -0.3]), torch.tensor([1.4, 2.5, 1.9, 0.3])
    factors = torch.lerp(lows.double(), highs.double(), shares.double())
    near = 0
    for image, result, (brightness, contrast, saturation, hue) in zip(images, changed, factors.tolist(), strict=True):
        expected = oracle.adjust_contrast(oracle.adjust_brightness(image, brightness), contrast)
        expected = oracle.adjust_hue(oracle.adjust_saturation(expected, saturation), hue)
        # Factors differ in the last bit of float32 from these, which moves a pixel by a level now and then.
        near += ((result.int() - expected.int()).abs() <= 2).float().mean().item() / count
    assert near > 0.999


def test_brightness_is_drawn_evenly_over_its_range_and_not_below_zero() -> None:
    images = torch.full((4_000, 1, 1, 1), 100, dtype=torch.uint8)
    changed, _ = color_jitter.build(brightness=1.5)(images, torch.zeros(4_000, 2), torch.Generator().manual_seed(4))
    levels = changed.flatten().double()
    assert levels.min() < 2
    assert levels.max() > 247
    assert levels.mean().item() == pytest.approx(124.5, abs=5)
    assert levels.std().item() == pytest.approx(250 / 12**0.5, abs=3)


def test_a_step_added_does_not_move_the_draws_of_the_others() -> None:
    images = assorted_images(1).repeat(1, 3, 1, 1)  # grey, of which a turn of the hue changes nothing
    alone, _ = color_jitter.build(contrast=0.5)(images, torch.zeros(66, 2), torch.Generator().manual_seed(4))
    with_more = color_jitter.build(contrast=0.5, hue=0.1)
    assert torch.equal(with_more(images, torch.zeros(66, 2), torch.Generator().manual_seed(4))[0], alone)


def test_without_choices_nothing_changes() -> None:
    images = assorted_images(3)
    assert torch.equal(color_jitter.build()(images, torch.zeros(66, 2), torch.Generator())[0], images)


@pytest.mark.parametrize("choices", [{"saturation": 0.2}, {"brightness": 0.2, "hue": 0.1}])
def test_colours_that_images_do_not_have_are_not_changed_in_silence(choices) -> None:
    with pytest.raises(InputError, match="no saturation and no hue"):
        color_jitter.build(**choices)(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, 2), torch.Generator())


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(InputError, match="1 or 3 channels, not 2"):
        color_jitter.build(hue=0.1)(torch.zeros(4, 2, 8, 8, dtype=torch.uint8), torch.zeros(4, 2), torch.Generator())
