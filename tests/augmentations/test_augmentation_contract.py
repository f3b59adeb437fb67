"""What every augmentation promises to the trainer."""

import pytest
import torch
from torch import Generator, Tensor

from ablation import components
from ablation.augmentations import (
    autoaugment,
    blur,
    color_jitter,
    crop,
    cutmix,
    cutout,
    flip,
    grayscale,
    mixup,
    noise,
    posterize,
    randaugment,
    random_erasing,
    rotate,
    solarize,
    translate,
    trivialaugment,
)
from ablation.contracts import Augmentation, Mixing

PLAIN = {
    "flip": flip.build(),
    "flip vertical": flip.build(direction="vertical"),
    "crop": crop.build(),
    "crop reflect": crop.build(padding_mode="reflect"),
    "crop edge": crop.build(padding_mode="edge"),
    "cutout": cutout.build(size=5),
    "color_jitter of grey": color_jitter.build(brightness=0.4, contrast=0.4),
    "color_jitter": color_jitter.build(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2),
    "translate": translate.build(),
    "rotate": rotate.build(),
    "rotate nearest": rotate.build(interpolation="nearest", fill=128),
    "grayscale": grayscale.build(),
    "blur": blur.build(),
    "noise": noise.build(),
    "solarize": solarize.build(),
    "posterize": posterize.build(),
    "random_erasing": random_erasing.build(),
    "random_erasing random": random_erasing.build(fill="random"),
    "autoaugment": autoaugment.build(),
    "autoaugment imagenet": autoaugment.build(policy="imagenet"),
    "autoaugment svhn": autoaugment.build(policy="svhn"),
    "randaugment": randaugment.build(),
    "trivialaugment": trivialaugment.build(),
    "trivialaugment bilinear": trivialaugment.build(interpolation="bilinear", fill=77),
}
MIXING = {"mixup": mixup.build(), "cutmix": cutmix.build(), "cutmix always": cutmix.build(probability=1.0)}
OF_COLOURS = {"color_jitter", "grayscale"}


@pytest.fixture(params=PLAIN.values(), ids=PLAIN.keys())
def plain(request: pytest.FixtureRequest) -> Augmentation:
    return request.param


@pytest.fixture(params=MIXING.values(), ids=MIXING.keys())
def mixing(request: pytest.FixtureRequest) -> Augmentation:
    return request.param


@pytest.fixture(params=[*PLAIN.values(), *MIXING.values()], ids=[*PLAIN, *MIXING])
def augment(request: pytest.FixtureRequest) -> Augmentation:
    return request.param


def test_every_augmentation_of_the_package_is_held_to_this() -> None:
    assert {name.partition(" ")[0] for name in (*PLAIN, *MIXING)} == set(components.names("augmentation"))
    assert all(isinstance(each, Mixing) for each in MIXING.values())
    assert not any(isinstance(each, Mixing) for each in PLAIN.values())


def random_images(count: int, channels: int = 3, height: int = 12, width: int = 9) -> Tensor:
    return torch.randint(0, 256, (count, channels, height, width), generator=seeded(99), dtype=torch.uint8)


def targets_of(count: int) -> Tensor:
    return torch.eye(4)[torch.arange(count) % 4]


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*PLAIN, *MIXING])
def test_images_keep_their_type_and_shape_and_the_inputs_are_left_alone(name: str, channels: int) -> None:
    if channels == 1 and name in OF_COLOURS:
        pytest.skip("images of one channel have no colours to change, which it says")
    images, targets = random_images(70, channels), targets_of(70)
    before = images.clone(), targets.clone()
    new_images, new_targets = {**PLAIN, **MIXING}[name](images, targets, seeded())
    assert new_images.dtype == torch.uint8
    assert new_images.shape == images.shape
    assert not torch.equal(new_images, images)
    assert new_targets.dtype == torch.float32
    if name in PLAIN:
        assert torch.equal(new_targets, targets)
    else:
        assert not torch.equal(new_targets, targets)
        torch.testing.assert_close(new_targets.sum(1), torch.ones(70))
    new_images.zero_()
    assert torch.equal(images, before[0])
    assert torch.equal(targets, before[1])


def test_equal_images_are_changed_each_in_its_own_way(plain: Augmentation) -> None:
    images = random_images(1).expand(64, -1, -1, -1)
    changed, _ = plain(images, targets_of(64), seeded())
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
def test_the_size_of_a_batch_does_not_move_a_draw(plain: Augmentation, cut: int) -> None:
    images, targets = random_images(100), targets_of(100)
    whole, _ = plain(images, targets, seeded())
    stream = seeded()
    parts = [plain(*pair, stream)[0] for pair in zip(images.split(cut), targets.split(cut), strict=True)]
    assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize("cut", [2, 7, 64])
def test_of_a_mixture_the_size_of_a_batch_moves_the_partners_but_not_the_shares(mixing: Augmentation, cut: int) -> None:
    images, targets = random_images(100), torch.eye(100)
    _, whole = mixing(images, targets, seeded())
    stream = seeded()
    parts = [mixing(*pair, stream)[1] for pair in zip(images.split(cut), targets.split(cut), strict=True)]
    assert torch.equal(torch.cat(parts).diag(), whole.diag())


def test_mixed_images_are_what_their_targets_say(mixing: Augmentation) -> None:
    """Of images of one level each, the mean level tells the shares."""
    images = torch.arange(0, 240, 4, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 12, 9)
    mixed, targets = mixing(images, torch.eye(60), seeded())
    expected = targets.double() @ images[:, 0, 0, 0].double()
    assert (mixed.double().mean((1, 2, 3)) - expected).abs().max() <= 0.5
    assert ((targets > 0).sum(1) <= 2).all()
    assert (targets.diag() < 1).sum() > 15


def test_a_mixture_of_one_image_is_that_image(mixing: Augmentation) -> None:
    images, targets = random_images(1), targets_of(1)
    mixed, wanted = mixing(images, targets, seeded())
    assert torch.equal(mixed, images)
    torch.testing.assert_close(wanted, targets)


def test_images_need_not_be_contiguous(augment: Augmentation) -> None:
    images, targets = random_images(20), targets_of(20)
    strided = images.to(memory_format=torch.channels_last)
    assert torch.equal(augment(strided, targets, seeded())[0], augment(images, targets, seeded())[0])
