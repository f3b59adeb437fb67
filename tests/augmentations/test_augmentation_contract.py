"""What every augmentation promises to the trainer."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from ablation.augmentations import color_jitter, crop, cutout, flip

Augmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]

AUGMENTATIONS = {
    "flip": flip.build(),
    "flip vertical": flip.build(direction="vertical"),
    "crop": crop.build(),
    "crop reflect": crop.build(padding_mode="reflect"),
    "crop edge": crop.build(padding_mode="edge"),
    "cutout": cutout.build(size=5),
    "color_jitter of grey": color_jitter.build(brightness=0.4, contrast=0.4),
    "color_jitter": color_jitter.build(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2),
}


@pytest.fixture(params=AUGMENTATIONS.values(), ids=AUGMENTATIONS.keys())
def augment(request: pytest.FixtureRequest) -> Augmentation:
    return request.param


def random_images(count: int, channels: int = 3, height: int = 12, width: int = 9) -> Tensor:
    return torch.randint(0, 256, (count, channels, height, width), generator=seeded(99), dtype=torch.uint8)


def targets_of(count: int) -> Tensor:
    return torch.eye(4)[torch.arange(count) % 4]


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_keep_their_type_and_shape_and_the_inputs_are_left_alone(augment: Augmentation, channels: int) -> None:
    if channels == 1 and augment is AUGMENTATIONS["color_jitter"]:
        pytest.skip("images of one channel have no colours to change, which it says")
    images, targets = random_images(70, channels), targets_of(70)
    before = images.clone(), targets.clone()
    new_images, new_targets = augment(images, targets, seeded())
    assert new_images.dtype == torch.uint8
    assert new_images.shape == images.shape
    assert not torch.equal(new_images, images)
    new_images.zero_()
    assert torch.equal(images, before[0])
    assert torch.equal(targets, before[1])
    assert torch.equal(new_targets, targets)


def test_equal_images_are_changed_each_in_its_own_way(augment: Augmentation) -> None:
    images = random_images(1).expand(64, -1, -1, -1)
    changed, _ = augment(images, targets_of(64), seeded())
    assert len(changed.flatten(1).unique(dim=0)) > 1


def test_equal_streams_give_equal_images_and_others_do_not(augment: Augmentation) -> None:
    images, targets = random_images(64), targets_of(64)
    first, _ = augment(images, targets, seeded(1))
    assert torch.equal(first, augment(images, targets, seeded(1))[0])
    assert not torch.equal(first, augment(images, targets, seeded(2))[0])


def test_the_number_of_draws_does_not_depend_on_pixels(augment: Augmentation) -> None:
    states = []
    for images in (random_images(33), torch.zeros_like(random_images(33))):
        stream = seeded()
        augment(images, targets_of(33), stream)
        states.append(stream.get_state())
    assert torch.equal(*states)
    assert not torch.equal(states[0], seeded().get_state())


@pytest.mark.parametrize("cut", [1, 7, 64])
def test_the_size_of_a_batch_does_not_move_a_draw(augment: Augmentation, cut: int) -> None:
    images, targets = random_images(100), targets_of(100)
    whole, _ = augment(images, targets, seeded())
    stream = seeded()
    parts = [augment(*pair, stream)[0] for pair in zip(images.split(cut), targets.split(cut), strict=True)]
    assert torch.equal(torch.cat(parts), whole)


def test_images_need_not_be_contiguous(augment: Augmentation) -> None:
    images, targets = random_images(20), targets_of(20)
    strided = images.to(memory_format=torch.channels_last)
    assert torch.equal(augment(strided, targets, seeded())[0], augment(images, targets, seeded())[0])
