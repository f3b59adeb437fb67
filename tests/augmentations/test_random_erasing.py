import math

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as oracle

from ablation.augmentations import random_erasing
from ablation.errors import InputError


def random_images(count: int, channels: int = 3, height: int = 12, width: int = 9) -> torch.Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, channels, height, width), generator=stream, dtype=torch.uint8)


def one_box(draws: list[float], size: tuple[int, int], areas: tuple[float, float], aspects: tuple[float, float]):
    """As in torchvision's RandomErasing, but from given draws."""
    for first, second in zip(draws[2::2], draws[3::2], strict=True):
        area = (areas[0] + first * (areas[1] - areas[0])) * size[0] * size[1]
        aspect = math.exp(math.log(aspects[0]) + second * math.log(aspects[1] / aspects[0]))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if height < size[0] and width < size[1]:
            top, left = int(draws[0] * (size[0] - height + 1)), int(draws[1] * (size[1] - width + 1))
            return [top, left, top + height, left + width]
    return None


@pytest.mark.parametrize("areas", [(0.02, 0.33), (0.7, 0.99)])
def test_boxes_are_the_first_that_fit(areas) -> None:
    draws = torch.rand(400, 22, generator=torch.Generator().manual_seed(1))
    boxes = random_erasing.draw_boxes(draws, (12, 9), areas, (0.3, 3.3))
    none = 0
    for row, box in zip(draws.tolist(), boxes.tolist(), strict=True):
        expected = one_box(row, (12, 9), areas, (0.3, 3.3))
        none += expected is None
        assert box == expected if expected else (box[0], box[1]) == (box[2], box[3])
    assert (none > 0) == (areas[0] > 0.5)


def test_boxes_are_distributed_as_torchvisions() -> None:
    draws = torch.rand(4_000, 22, generator=torch.Generator().manual_seed(1))
    boxes = random_erasing.draw_boxes(draws, (32, 32), (0.02, 0.33), (0.3, 3.3)).double()
    torch.manual_seed(0)
    theirs = [v2.RandomErasing(p=1).make_params([torch.zeros(3, 32, 32)]) for _ in range(4_000)]
    expected = torch.tensor([[each["i"], each["j"], each["h"], each["w"]] for each in theirs]).double()
    found = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)
    error = (found.var(0) / 4_000 + expected.var(0) / 4_000).sqrt()
    assert ((found.mean(0) - expected.mean(0)).abs() < 4.5 * error).all()
    torch.testing.assert_close(found.std(0), expected.std(0), rtol=0.06, atol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_box_is_covered_as_by_torchvisions_erase(channels) -> None:
    images = random_images(300, channels)
    boxes = random_erasing.draw_boxes(
        torch.rand(300, 22, generator=torch.Generator().manual_seed(1)), (12, 9), (0.02, 0.33), (0.3, 3.3)
    )
    covers = random_images(300, channels).flip(0)
    for cover in (torch.tensor(9), covers):
        expected = []
        for number, (image, (top, left, bottom, right)) in enumerate(zip(images, boxes.tolist(), strict=True)):
            patch = cover.to(torch.uint8) if cover.ndim == 0 else cover[number, :, top:bottom, left:right]
            expected.append(oracle.erase(image, top, left, bottom - top, right - left, patch))
        assert torch.equal(random_erasing.erase_batch(images, boxes, cover), torch.stack(expected))


@pytest.mark.parametrize("fill", [0, 200, "random"])
def test_half_of_the_images_are_covered_with_what_was_asked_for(fill) -> None:
    images = torch.full((2_000, 3, 12, 9), 77, dtype=torch.uint8)
    changed, _ = random_erasing.build(fill=fill)(images, torch.zeros(2_000, 2), torch.Generator().manual_seed(1))
    covered = (changed != images).any(1)
    assert covered.flatten(1).any(1).float().mean().item() == pytest.approx(0.5, abs=0.045)
    levels = changed[changed != 77]
    if fill == "random":
        assert levels.double().mean().item() == pytest.approx(127.7, abs=1)
        assert (levels.min(), levels.max()) == (0, 255)
    else:
        assert levels.unique().tolist() == [fill]
    shares = covered.flatten(1).double().mean(1)
    assert shares.max() < 0.4


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"min_area": 0.5}, "min_area 0.5 is above max_area 0.33; choose it below"),
        ({"max_aspect": 0.1}, "min_aspect 0.3 is above max_aspect 0.1; choose it below"),
    ],
)
def test_ranges_that_end_before_they_begin_are_refused(choices, message) -> None:
    with pytest.raises(InputError, match=message):
        random_erasing.build(**choices)
