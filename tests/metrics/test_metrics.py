"""Each metric against scikit-learn, or against what its paper's formula gives by hand."""

import pytest
import torch
from sklearn.metrics import f1_score, top_k_accuracy_score
from torch import Tensor

from ablation import components
from ablation.errors import InputError
from ablation.metrics import calibration_error, macro_f1, top_k

NAMES = components.names("metric")


def drawn(classes: int = 7, images: int = 500, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Probabilities that know something of the labels, and labels of which the last class has none."""
    stream = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes - 1, (images,), generator=stream)
    logits = torch.randn(images, classes, generator=stream)
    logits[torch.arange(images), labels] += 1.0
    return logits.softmax(1), labels


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_that_of_scikit_learn(k: int) -> None:
    probabilities, labels = drawn()
    expected = top_k_accuracy_score(labels, probabilities, k=k, labels=range(7))
    assert top_k.build(k=k)(probabilities, labels) == pytest.approx(expected)


def test_top_1_is_accuracy_and_ties_go_to_the_lower_class() -> None:
    even = torch.full((4, 4), 0.25)
    labels = torch.arange(4)
    assert top_k.build(k=1)(even, labels) == (even.argmax(1) == labels).double().mean().item() == 0.25
    assert top_k.build(k=3)(even, labels) == 0.75


def test_top_k_of_all_classes_is_refused() -> None:
    with pytest.raises(InputError, match="among 7 of 7 classes every image is right; lower k"):
        top_k.build(k=7)(*drawn())


@pytest.mark.parametrize("seed", [0, 1])
def test_macro_f1_is_that_of_scikit_learn_where_a_class_has_no_image(seed: int) -> None:
    probabilities, labels = drawn(seed=seed)
    expected = f1_score(labels, probabilities.argmax(1), average="macro")
    assert macro_f1.build()(probabilities, labels) == pytest.approx(expected)


def test_macro_f1_by_hand() -> None:
    """Predictions 0, 0, 1, 1 of labels 0, 1, 1, 1: F1 is 2/3 and 4/5; the third class neither occurs nor is said."""
    probabilities = torch.eye(3)[[0, 0, 1, 1]]
    assert macro_f1.build()(probabilities, torch.tensor([0, 1, 1, 1])) == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_calibration_error_by_hand() -> None:
    """Of five equal bins (0.4, 0.6] has confidences 0.5 and 0.55, one right; (0.8, 1] has 0.9 and 1.0, both right."""
    confidence = torch.tensor([0.5, 0.55, 0.9, 1.0])
    probabilities = torch.stack([confidence, 1 - confidence], 1)
    found = calibration_error.build(bins=5)(probabilities, torch.tensor([0, 1, 0, 0]))
    assert found == pytest.approx(0.5 * abs(0.525 - 0.5) + 0.5 * abs(0.95 - 1.0), abs=1e-6)


def test_calibration_error_is_the_formula_of_guo_et_al_bin_by_bin() -> None:
    probabilities, labels = drawn()
    confidence, predicted = probabilities.double().max(1)
    expected = 0.0
    for edge in range(15):
        inside = (confidence > edge / 15) & (confidence <= (edge + 1) / 15)
        if inside.any():
            gap = (predicted == labels)[inside].double().mean() - confidence[inside].mean()
            expected += inside.double().mean().item() * abs(gap.item())
    assert calibration_error.build()(probabilities, labels) == pytest.approx(expected)
    assert expected > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_is_good_of_it(name: str) -> None:
    """Perfect predictions are as good as can be, and better than the drawn ones, in the direction that is said."""
    probabilities, labels = drawn()
    measure = components.load("metric", name)()
    better = components.complete_metric(components.Part(name=name)).higher_is_better
    perfect, other = measure(torch.eye(7)[labels], labels), measure(probabilities, labels)
    assert (perfect > other) == better
    assert perfect == (1.0 if better else 0.0)
