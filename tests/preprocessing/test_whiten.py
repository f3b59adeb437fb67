import numpy as np
import pytest
import torch
from torch import Tensor

from ablation.errors import InputError
from ablation.preprocessing import normalize, whiten
from ablation.training.data import to_float


def correlated_images(count: int = 400, channels: int = 3, height: int = 4, width: int = 5) -> Tensor:
    """Smooth noise, in which neighbours and channels go together."""
    stream = torch.Generator().manual_seed(5)
    noise = torch.randn(count, channels, height + 2, width + 2, generator=stream)
    smooth = sum(noise[..., down : down + height, right : right + width] for down in range(3) for right in range(3))
    smooth = smooth + smooth.mean(1, keepdim=True)
    return (smooth * 20 + 120).clamp(0, 255).to(torch.uint8)


def covariance(images: Tensor) -> np.ndarray:
    return np.cov(images.flatten(1).double().numpy().T, bias=True)


def test_mean_and_covariance_are_numpys_batch_after_batch() -> None:
    floats = to_float(correlated_images())
    mean, found = whiten.mean_and_covariance(floats.split(37))
    numbers = floats.flatten(1).double().numpy()
    np.testing.assert_allclose(mean, numbers.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found, np.cov(numbers.T, bias=True), atol=1e-15)


def test_little_is_lost_of_the_variance_of_numbers_far_from_zero() -> None:
    numbers = torch.randn(300, 1, 2, 2, generator=torch.Generator().manual_seed(1)).double()
    _, near = whiten.mean_and_covariance(numbers.split(50))
    _, far = whiten.mean_and_covariance((numbers + 1e6).split(50))
    torch.testing.assert_close(near, far, rtol=0, atol=1e-8)


def test_the_training_split_comes_out_white() -> None:
    images = correlated_images()
    white = whiten.build(epsilon=1e-9)(images)(to_float(images))
    np.testing.assert_allclose(covariance(white), np.eye(60), atol=2e-3)
    assert white.mean(0).abs().max() < 1e-4


def test_of_all_whitenings_it_is_the_one_that_changes_images_least() -> None:
    """The matrix is symmetric, and the square of its inverse is the covariance (Kessy et al. 2018)."""
    found = torch.from_numpy(covariance(to_float(correlated_images())))
    matrix = whiten.whitening_matrix(found, 1e-9)
    torch.testing.assert_close(matrix, matrix.T)
    inverse = torch.linalg.inv(matrix)
    torch.testing.assert_close(inverse @ inverse, found, atol=1e-8, rtol=1e-4)


def test_epsilon_counts_in_mean_variances_so_that_the_scale_of_images_does_not_matter() -> None:
    found = torch.from_numpy(covariance(to_float(correlated_images())))
    matrix = whiten.whitening_matrix(found, 0.1)
    torch.testing.assert_close(whiten.whitening_matrix(found * 100, 0.1), matrix / 10)
    strengths = torch.linalg.eigvalsh(matrix @ found @ matrix)
    variances = torch.linalg.eigvalsh(found)
    torch.testing.assert_close(strengths, variances / (variances + 0.1 * variances.mean()))


def test_more_pixels_than_images_are_no_obstacle() -> None:
    images = correlated_images(20)
    assert whiten.build()(images)(to_float(images)).isfinite().all()


def test_other_images_are_whitened_by_the_training_split() -> None:
    images, others = correlated_images(), to_float(correlated_images(7).flip(3))
    before = others.clone()
    step = whiten.build()(images)
    numbers = to_float(images).flatten(1).double()
    matrix = whiten.whitening_matrix(torch.from_numpy(covariance(to_float(images))), 0.1)
    expected = ((others.flatten(1).double() - numbers.mean(0)) @ matrix).view(others.shape)
    torch.testing.assert_close(step(others).double(), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(step(others[:2]), step(others)[:2])
    assert torch.equal(others, before)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_layout_in_memory_stays(layout) -> None:
    images = correlated_images()
    white = whiten.build()(images)(to_float(images, layout))
    assert white.is_contiguous(memory_format=layout)


def test_after_another_step_it_is_fitted_to_what_that_makes() -> None:
    images = correlated_images()
    contrast = normalize.build(statistics="image")(images)
    seen = contrast(to_float(images))
    white = whiten.build(epsilon=1e-9).fit(seen.split(64))(seen)
    np.testing.assert_allclose(covariance(white)[:59, :59], np.eye(60)[:59, :59], atol=0.05)


def test_images_of_too_many_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="at most 12,288 numbers, and 3 x 65 x 64 are 12,480; choose normalize"):
        whiten.build()(torch.zeros(2, 3, 65, 64, dtype=torch.uint8))
