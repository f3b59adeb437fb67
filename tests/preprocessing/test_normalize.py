import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.errors import InputError
from ablation.preprocessing import normalize


def random_images(count: int = 50, channels: int = 3) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (count, channels, 8, 9), generator=stream, dtype=torch.uint8)
    return images // torch.arange(1, channels + 1)[:, None, None].to(torch.uint8)


def test_statistics_are_those_of_numpy_in_double_precision() -> None:
    images = random_images()
    mean, std = normalize.channel_statistics(images)
    values = images.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(mean, values.mean((0, 2, 3)), rtol=1e-14)
    np.testing.assert_allclose(std, values.std((0, 2, 3)), rtol=1e-12)


def test_statistics_do_not_depend_on_the_order_of_images_or_on_their_layout() -> None:
    images = random_images()
    expected = normalize.channel_statistics(images)
    assert (
        normalize.channel_statistics(images[torch.randperm(50, generator=torch.Generator().manual_seed(1))]) == expected
    )
    assert normalize.channel_statistics(images.to(memory_format=torch.channels_last)) == expected


def test_the_training_split_comes_out_with_mean_zero_and_deviation_one() -> None:
    images = random_images()
    normalized = normalize.build()(images)(images / 255)
    torch.testing.assert_close(normalized.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalized.std((0, 2, 3), correction=0), torch.ones(3))


def test_other_images_are_normalized_by_the_training_split() -> None:
    images, others = random_images(), torch.rand(4, 3, 8, 9)
    mean, std = normalize.channel_statistics(images)
    before = others.clone()
    torch.testing.assert_close(normalize.build()(images)(others), oracle.normalize(others, mean, std))
    assert torch.equal(others, before)


@pytest.mark.parametrize("level", [0, 37, 255])
def test_a_constant_channel_becomes_zero(level) -> None:
    images = random_images()
    images[:, 1] = level
    normalized = normalize.build()(images)(images / 255)
    torch.testing.assert_close(normalized[:, 1], torch.zeros(50, 8, 9), atol=1e-6, rtol=0)
    assert normalized.isfinite().all()


def test_given_statistics_are_used_and_not_the_splits() -> None:
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]
    batch = torch.rand(4, 3, 8, 9)
    transform = normalize.build(statistics="given", mean=mean, std=std)(random_images())
    torch.testing.assert_close(transform(batch), oracle.normalize(batch, mean, std))


def test_image_statistics_are_each_images_own() -> None:
    batch = (
        torch.rand(4, 3, 8, 9, generator=torch.Generator().manual_seed(2))
        * torch.tensor([1, 0.5, 0.1, 1e-3])[:, None, None, None]
    )
    normalized = normalize.build(statistics="image")(random_images())(batch).numpy().astype(np.float64)
    values = batch.numpy().astype(np.float64)
    deviations = np.maximum(values.std((1, 2, 3), keepdims=True), 1 / np.sqrt(3 * 8 * 9))
    expected = (values - values.mean((1, 2, 3), keepdims=True)) / deviations
    np.testing.assert_allclose(normalized, expected, atol=1e-5)
    assert normalized[3].std() < 0.02  # the bound holds for the last, faint image


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_an_even_image_becomes_zero(level) -> None:
    transform = normalize.build(statistics="image")(random_images())
    torch.testing.assert_close(transform(torch.full((2, 3, 8, 9), level)), torch.zeros(2, 3, 8, 9), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"statistics": "given"}, "needs both mean and std"),
        ({"statistics": "given", "mean": [0.5] * 3}, "needs both mean and std"),
        ({"statistics": "given", "mean": [0.5] * 3, "std": [0.2, 0.0, 0.2]}, "must be above 0"),
        ({"mean": [0.5] * 3, "std": [0.2] * 3}, "only with statistics given, not dataset; leave them out"),
        ({"statistics": "image", "std": [0.2]}, "only with statistics given, not image; leave them out"),
    ],
)
def test_choices_that_do_not_fit_together_are_refused(choices, message) -> None:
    with pytest.raises(InputError, match=message):
        normalize.build(**choices)


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.2] * 3), ([0.5] * 3, [0.2]), ([0.5], [0.2]), ([], [])])
def test_given_lists_must_have_an_entry_a_channel(mean, std) -> None:
    with pytest.raises(InputError, match=f"the images have 3, mean has {len(mean)} and std {len(std)} entries"):
        normalize.build(statistics="given", mean=mean, std=std)(random_images())
