"""Metrics beside accuracy and loss: what they are given, and what they cannot spoil."""

import math

import pytest
import torch

from ablation.errors import InputError
from ablation.training.measuring import measured, measured_guess
from ablation.trial import Scores

SCORES = Scores(loss=0.5, accuracy=0.75)
PROBABILITIES = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
LABELS = torch.tensor([0, 1, 1])


def test_without_metrics_scores_are_as_they_were_and_so_are_their_bytes() -> None:
    assert measured(SCORES, PROBABILITIES, LABELS, {}) is SCORES
    assert SCORES.model_dump_json() == '{"loss":0.5,"accuracy":0.75}'


def test_each_metric_stands_under_its_name() -> None:
    found = measured(SCORES, PROBABILITIES, LABELS, {"least": lambda p, _: p.min(), "images": lambda _, y: len(y)})
    assert found.others == {"least": pytest.approx(0.1), "images": 3.0}
    assert [found.on(name) for name in ("loss", "accuracy", "images")] == [0.5, 0.75, 3.0]
    assert Scores.model_validate_json(found.model_dump_json()) == found


def test_a_metric_changes_neither_what_it_is_given_nor_the_generators_of_a_training() -> None:
    def meddles(probabilities: torch.Tensor, labels: torch.Tensor) -> float:
        probabilities.zero_()
        labels.zero_()
        return torch.rand(()).item()

    before, state = PROBABILITIES.clone(), torch.get_rng_state()
    first = measured(SCORES, PROBABILITIES, LABELS, {"meddles": meddles})
    assert torch.equal(PROBABILITIES, before)
    assert LABELS.tolist() == [0, 1, 1]
    assert torch.equal(torch.get_rng_state(), state)
    assert measured(SCORES, PROBABILITIES, LABELS, {"meddles": meddles}) == first


@pytest.mark.parametrize(
    ("given", "says"),
    [(math.nan, "metric odd gives nan on 3 images"), (math.inf, "gives inf"), ("much", "gives str and not a number"),
     (torch.ones(2), "gives Tensor and not a number")],
)  # fmt: skip
def test_what_is_no_finite_number_is_told(given: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        measured(SCORES, PROBABILITIES, LABELS, {"odd": lambda *_: given})  # type: ignore[dict-item]


def test_the_uniform_guess_is_measured_too() -> None:
    found = measured_guess(LABELS, 4, {"surest": lambda p, _: p.max().item()})
    assert (found.accuracy, found.loss, found.others) == (0.25, math.log(4), {"surest": 0.25})
