from dataclasses import replace

import pytest
import torch
from made_splits import some_splits
from torch import Generator, Tensor

from ablation.augmentations import mixup
from ablation.contracts import Augmentation, Mixing
from ablation.training.augmenting import CHUNK, augmented
from ablation.training.data import block_data


def brighten(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    by = torch.randint(0, 100, (len(images), 1, 1, 1), generator=generator)
    return (images + by).clamp(0, 255).to(torch.uint8), targets


def shift(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen[:, None, None, None], images.roll(1, -1), images), targets


def test_only_training_images_are_augmented_and_the_originals_stay() -> None:
    data = block_data(some_splits(), 0, [], "cpu", with_test=True)
    before = data.train.images.clone(), data.validation.images.clone()
    made, targets = augmented(data, {"brighten": brighten}, 0, 1)
    images = made.images
    assert not torch.equal(images, data.train.images)
    assert torch.equal(data.train.images, before[0])
    assert torch.equal(data.validation.images, before[1])
    assert torch.equal(targets.argmax(1), data.train.labels)
    assert torch.equal(targets.sum(1), torch.ones(len(targets)))


def test_another_augmentation_moves_no_draw() -> None:
    """What `shift` did to an image is the same whether `brighten` ran after it or not."""
    data = block_data(some_splits(), 0, [], "cpu", with_test=False)
    alone = augmented(data, {"shift": shift}, 0, 1)[0].images
    both = augmented(data, {"shift": shift, "brighten": brighten}, 0, 1)[0].images
    brightened = augmented(data, {"brighten": brighten}, 0, 1)[0].images
    by = brightened.int() - data.train.images.int()
    unclipped = brightened < 255
    rolled = alone.int() - data.train.images.int()
    moved = rolled.flatten(1).any(1)
    assert 0.2 < moved.float().mean() < 0.8
    kept = ~moved
    assert torch.equal(both[kept].int()[unclipped[kept]], (alone[kept].int() + by[kept])[unclipped[kept]])


def test_draws_differ_between_epochs_and_blocks_but_not_between_repeats() -> None:
    data = block_data(some_splits(), 0, [], "cpu", with_test=False)

    def draw(block: int, epoch: int) -> bytes:
        return augmented(data, {"brighten": brighten}, block, epoch)[0].images.numpy().tobytes()

    assert draw(0, 1) == draw(0, 1)
    assert len({draw(0, 1), draw(0, 2), draw(1, 1)}) == 3


def test_every_image_gets_its_own_draw_beyond_one_chunk() -> None:
    splits = some_splits(per_class=CHUNK)
    data = block_data(splits, 0, [], "cpu", with_test=False)
    augmentations: dict[str, Augmentation] = {"shift": shift}
    images = augmented(data, augmentations, 0, 1)[0].images
    moved = (images != data.train.images).flatten(1).any(1)
    assert len(moved) > 2 * CHUNK
    assert moved[:CHUNK].tolist() != moved[CHUNK : 2 * CHUNK].tolist()
    assert moved.float().mean() == pytest.approx(0.5, abs=0.05)


def test_chunk_after_chunk_gives_what_each_augmentation_gives_for_all_images() -> None:
    def mixed(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Changes shape and targets: wider images, and class probabilities with another's in them."""
        shares = torch.rand(len(images), 1, generator=generator)
        return torch.nn.functional.pad(images, (1, 1)), targets * shares + (1 - shares) / 3

    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    made, targets = augmented(data, {"brighten": brighten, "mixed": mixed}, 0, 1)
    images = made.images
    once = augmented(data, {"brighten": brighten}, 0, 1)[0].images
    _, alone = augmented(data, {"mixed": mixed}, 0, 1)
    assert torch.equal(images, torch.nn.functional.pad(once, (1, 1)))
    assert torch.equal(targets, alone)
    assert images.dtype == torch.uint8


def marked(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Each image gets its neighbour's first row, and half of its class."""
    by = torch.rand(len(images), generator=generator)
    assert len(by) > 1
    mixed = images.clone()
    mixed[:, :, 0] = images.roll(1, 0)[:, :, 0]
    return mixed, (targets + targets.roll(1, 0)) / 2


def test_images_are_mixed_with_others_of_the_whole_split_though_it_is_sorted_by_class() -> None:
    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    made, targets = augmented(data, {"mixup": mixup.build()}, 0, 1)
    assert len(made) == len(data.train) > 2 * CHUNK
    labels = data.train.labels
    others = targets.clone()
    others[torch.arange(len(labels)), labels] = 0
    with_another_class = (others > 1e-6).any(1)
    assert with_another_class.float().mean().item() == pytest.approx(2 / 3, abs=0.03)
    partners = (others[with_another_class] > 0).float().mean(0) * with_another_class.float().mean()
    assert partners.tolist() == pytest.approx([2 / 9] * 3, abs=0.03)


def test_each_image_is_mixed_once_and_stays_in_its_place() -> None:
    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    before = data.train.images.clone()
    made, targets = augmented(data, {"marked": Mixing(marked)}, 0, 1)
    assert torch.equal(made.images[:, :, 1:], before[:, :, 1:])
    first_rows = [each[:, :, 0].flatten(1).tolist() for each in (made.images, before)]
    assert first_rows[0] != first_rows[1]
    assert sorted(first_rows[0]) == sorted(first_rows[1])
    torch.testing.assert_close(targets.sum(0), torch.bincount(data.train.labels).float())
    assert torch.equal(data.train.images, before)


def test_a_mixture_between_others_takes_what_they_made_and_moves_none_of_their_draws() -> None:
    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    steps: dict[str, Augmentation] = {"shift": shift, "marked": Mixing(marked), "brighten": brighten}
    made, targets = augmented(data, steps, 0, 1)
    without, _ = augmented(data, {"shift": shift, "brighten": brighten}, 0, 1)
    assert torch.equal(made.images[:, :, 1:], without.images[:, :, 1:])
    assert not torch.equal(made.images[:, :, 0], without.images[:, :, 0])
    assert torch.equal(targets, augmented(data, {"marked": Mixing(marked)}, 0, 1)[1])


def test_a_mixture_may_change_the_shape_and_is_drawn_anew_each_epoch() -> None:
    def halved(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        mixed, targets = marked(images, targets, generator)
        return mixed[..., ::2], targets

    data = block_data(some_splits(), 0, [], "cpu", with_test=False)
    made = [augmented(data, {"shift": shift, "halved": Mixing(halved)}, 0, epoch) for epoch in (1, 1, 2)]
    images, targets = ([pair[side] for pair in made] for side in (0, 1))
    assert images[0].images.shape[1:] == (3, 6, 3)
    assert torch.equal(images[0].images, images[1].images)
    assert torch.equal(targets[0], targets[1])
    assert not torch.equal(targets[0], targets[2])


@pytest.mark.parametrize("count", [CHUNK + 1, 3 * CHUNK])
def test_no_image_is_left_alone_in_the_last_part(count: int) -> None:
    """`marked` refuses a part of one image."""
    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    few = data.train.first(min(count, len(data.train)))
    augmented(replace(data, train=few), {"marked": Mixing(marked)}, 0, 1)
