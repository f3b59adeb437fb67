"""Which images two arms fail on, and on which they differ, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ablation.analysis import gallery as module
from ablation.analysis.gallery import gallery
from ablation.analysis.image_layer import ImageLayer
from ablation.analysis.predictions import Predictions

LABELS = np.array([0, 1, 2, 0, 1])


def layer(said: dict[tuple[str, int], list[int]]) -> ImageLayer:
    read = {place: Predictions(np.array(predicted), LABELS) for place, predicted in said.items()}
    return ImageLayer(("a", "b"), ("cat", "dog", "emu"), {}, read)


def test_images_are_found_and_ordered_by_how_telling_they_are() -> None:
    found = gallery(
        layer(
            {
                ("a", 0): [0, 2, 0, 1, 1],  # right: 0 and 4
                ("a", 1): [0, 2, 0, 1, 2],
                ("b", 0): [0, 0, 0, 0, 1],
                ("b", 1): [1, 0, 0, 0, 1],
            }
        ),
        "a",
        "b",
    )
    assert found is not None
    assert found.seed_blocks == 2
    assert [one.image for one in found.both_wrong] == [1, 2]  # all four trials agree in their class for each
    assert found.num_both_wrong == 2
    assert (found.both_wrong[0].true, found.both_wrong[0].a, found.both_wrong[0].b) == ("dog", "emu", "cat")
    assert [one.image for one in found.apart] == [3, 1]
    three = found.apart[0]
    assert (three.true, three.a, three.b, three.a_right, three.b_right) == ("cat", "dog", "cat", 0.0, 1.0)
    assert found.num_apart == 2


def test_unanimous_failures_come_first_and_no_more_are_shown_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {("a", 0): [1, 0, 0, 1, 0], ("a", 1): [1, 2, 0, 2, 0], ("b", 0): [1, 0, 0, 1, 2], ("b", 1): [2, 2, 0, 1, 2]}
    found = gallery(layer(said), "a", "b")
    assert found is not None
    assert found.both_wrong[0].image == 2
    monkeypatch.setattr(module, "MOST", 2)
    cut = gallery(layer(said), "a", "b")
    assert cut is not None
    assert (len(cut.both_wrong), cut.num_both_wrong) == (2, 5)


def test_only_seed_blocks_that_both_have_count_and_without_one_there_is_nothing() -> None:
    said = {("a", 0): [0] * 5, ("a", 1): [0] * 5, ("b", 1): [0] * 5}
    found = gallery(layer(said), "a", "b")
    assert found is not None
    assert found.seed_blocks == 1
    assert gallery(layer({("a", 0): [0] * 5, ("b", 1): [0] * 5}), "a", "b") is None
    assert gallery(layer(said), "a", "a") is None
    assert gallery(layer(said), "a", "") is None
