import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import flip

IMAGES = torch.randint(0, 256, (40, 3, 6, 7), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)


@pytest.mark.parametrize(("axis", "mirrored"), [(3, oracle.horizontal_flip), (2, oracle.vertical_flip)])
def test_flip_batch_is_torchvisions_flip_image_by_image(axis, mirrored) -> None:
    flipped = torch.arange(40) % 3 == 0
    expected = [mirrored(image) if yes else image for image, yes in zip(IMAGES, flipped, strict=True)]
    assert torch.equal(flip.flip_batch(IMAGES, flipped, axis), torch.stack(expected))


@pytest.mark.parametrize(("direction", "axis"), [("horizontal", 3), ("vertical", 2)])
def test_the_choices_reach_the_images(direction, axis) -> None:
    always = flip.build(probability=1.0, direction=direction)
    never = flip.build(probability=0.0, direction=direction)
    assert torch.equal(always(IMAGES, torch.zeros(40, 2), torch.Generator())[0], IMAGES.flip(axis))
    assert torch.equal(never(IMAGES, torch.zeros(40, 2), torch.Generator())[0], IMAGES)


@pytest.mark.parametrize("probability", [0.5, 0.2])
def test_images_are_flipped_as_often_as_asked(probability) -> None:
    images = torch.tensor([0, 1], dtype=torch.uint8).expand(20_000, 1, 1, 2)
    flipped, _ = flip.build(probability=probability)(images, torch.zeros(20_000, 2), torch.Generator().manual_seed(3))
    share = flipped[:, 0, 0, 0].float().mean().item()
    assert share == pytest.approx(probability, abs=4 * (probability * (1 - probability) / 20_000) ** 0.5)
