"""Mixup and cutmix: partners, shares and boxes."""

from unittest.mock import ANY

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import v2

from ablation.augmentations import cutmix, mixup
from ablation.augmentations.partners import beta_quantiles, ring


def random_images(count: int, channels: int = 3, height: int = 12, width: int = 9) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)


def even_draws(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("count", [2, 3, 50])
def test_everybody_is_a_partner_once_and_nobody_ones_own(count) -> None:
    for seed in range(20):
        partners = ring(even_draws(count, seed=seed))
        assert sorted(partners.tolist()) == list(range(count))
        assert (partners != torch.arange(count)).all()


def test_all_partners_are_equally_likely() -> None:
    seen = torch.zeros(6, 6)
    for seed in range(1_500):
        seen[torch.arange(6), ring(even_draws(6, seed=seed))] += 1
    others = seen[~torch.eye(6, dtype=torch.bool)].view(6, 5)
    chi_square = ((others - 300) ** 2 / 300).sum().item()
    assert chi_square < 60  # the 0.9999 quantile with 24 degrees of freedom, as of six independent rows


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.5, 1.0, 1.5, 4.0, 30.0, 100.0])
def test_shares_are_beta_quantiles_as_scipy_has_them(alpha) -> None:
    draws = torch.cat([torch.tensor([0.0, 0.5, 1 - 2**-53]).double(), even_draws(5_000)])
    expected = stats.beta.ppf(draws.numpy(), alpha, alpha)
    np.testing.assert_allclose(beta_quantiles(draws, alpha).numpy(), expected, atol=3e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_mixed_images_are_torchvisions_rounded_to_levels(channels) -> None:
    images, targets, shares = random_images(40, channels), torch.eye(40), even_draws(40)
    mixed, wanted = mixup.mixup_batch(images, targets, torch.arange(40).roll(1), shares)
    transform = v2.MixUp(num_classes=40)
    for number, share in enumerate(shares.tolist()):
        pair = torch.stack([images[number], images[number - 1]]).float()
        labels = torch.stack([targets[number], targets[number - 1]])
        expected = transform.transform(pair, {"labels": ANY, "batch_size": 2, "lam": share})
        assert torch.equal(mixed[number], expected[0].round().to(torch.uint8))
        torch.testing.assert_close(wanted[number], transform._mixup_label(labels, lam=share)[0])


def test_boxes_and_cut_images_are_torchvisions() -> None:
    """Its own drawing, from our draws."""
    images, targets, kept, middles = random_images(60), torch.eye(60), even_draws(60), even_draws(60, 2, seed=2)
    boxes = cutmix.boxes_around(middles, kept, images.shape[-2:])
    mixed, wanted = cutmix.cutmix_batch(images, targets, torch.arange(60).roll(1), boxes)
    transform = v2.CutMix(num_classes=60)
    for number, (share, (down, across)) in enumerate(zip(kept.tolist(), middles.tolist(), strict=True)):
        half = 0.5 * (1 - share) ** 0.5
        row, column, tall, wide = int(down * 12), int(across * 9), int(half * 12), int(half * 9)
        x, y = sorted((max(0, column - wide), min(9, column + wide))), sorted((max(0, row - tall), min(12, row + tall)))
        pair = torch.stack([images[number], images[number - 1]])
        adjusted = 1 - (x[1] - x[0]) * (y[1] - y[0]) / (12 * 9)
        expected = transform.transform(pair, {"labels": ANY, "batch_size": 2, "box": (x[0], y[0], x[1], y[1])})
        assert torch.equal(mixed[number], expected[0])
        labels = torch.stack([targets[number], targets[number - 1]])
        torch.testing.assert_close(wanted[number], transform._mixup_label(labels, lam=adjusted)[0])


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_keeps_shares_of_the_distribution_asked_for(alpha) -> None:
    _, targets = mixup.build(alpha=alpha)(random_images(3_000), torch.eye(3_000), torch.Generator().manual_seed(1))
    assert stats.kstest(targets.diag().double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_cutmix_cuts_as_often_as_asked(probability) -> None:
    images = random_images(2_000)
    changed, targets = cutmix.build(probability=probability)(images, torch.eye(2_000), torch.Generator().manual_seed(1))
    cut = targets.diag() < 1
    expected = probability * 0.97  # boxes of less than two pixels a side are none
    assert cut.float().mean().item() == pytest.approx(expected, abs=0.045)
    assert torch.equal((changed != images).flatten(1).any(1), cut)
