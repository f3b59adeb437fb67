from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from ablation.settings import Recipe
from ablation.splits import LabelledImages, Splits
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, block_data
from ablation.training.evaluation import evaluate
from ablation.training.fit import Fitted, Ingredients, fit
from ablation.training.generators import forked_generator
from ablation.trial import Answer, Epoch

RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.05, precision="float32")


def bright_or_dark() -> BlockData:
    """Two classes that a linear model can tell: bright images and dark ones."""
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    images = random.integers(0, 120, (200, 1, 6, 6)) + 120 * labels[:, None, None, None]
    part = LabelledImages(images.astype(np.uint8), labels)
    return block_data(Splits(part, part, ("dark", "bright"), ""), 0, [], "cpu", with_test=True)


def a_model(dropout: float = 0.0) -> nn.Module:
    with forked_generator("cpu", 1):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(64, 2)
        )


class Watch:
    """Hears of every step and epoch; nothing is saved."""

    def __init__(self, answer: Callable[[Epoch], Answer]) -> None:
        self.answer = answer
        self.epochs: list[Epoch] = []

    def begin(self) -> Checkpoint | None:
        return None

    def stepped(self, take: Callable[[], Checkpoint]) -> bool:
        return False

    def ended_epoch(self, epoch: Epoch, take: Callable[[], Checkpoint]) -> Answer:
        self.epochs.append(epoch)
        return self.answer(epoch)

    def went_on(self, epoch: Epoch) -> Answer:
        return self.answer(epoch)


def train(
    recipe: Recipe = RECIPE, model: nn.Module | None = None, answer: Callable[[Epoch], Answer] = lambda epoch: "proceed"
) -> tuple[Fitted, nn.Module, list[Epoch]]:
    model, watch = model or a_model(), Watch(answer)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
    ingredients = Ingredients(model, optimizer, lambda progress: 1 - progress, {})
    return fit(ingredients, bright_or_dark(), recipe, 0, watch), model, watch.epochs


def weights(model: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


def test_it_learns_and_tells_of_every_epoch() -> None:
    fitted, model, epochs = train()
    assert fitted.ended == "complete"
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert epochs[-1].validation.accuracy > 0.9
    assert epochs[-1].train.loss < epochs[0].train.loss
    assert fitted.train == epochs[-1].train
    data = bright_or_dark()
    assert data.test is not None
    measured = evaluate(model, data.test, data.seen, "float32")
    assert measured.scores.accuracy > 0.9
    assert sum(map(sum, measured.confusion)) == 200
    assert sum(row[label] for label, row in enumerate(measured.confusion)) / 200 == measured.scores.accuracy


def test_the_same_trial_twice_is_bit_equal() -> None:
    runs = [train(model=a_model(dropout=0.3)) for _ in range(2)]
    assert weights(runs[0][1]) == weights(runs[1][1])
    assert [epoch.validation for epoch in runs[0][2]] == [epoch.validation for epoch in runs[1][2]]


def test_the_global_generator_is_left_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(model=a_model(dropout=0.3))
    assert torch.equal(torch.rand(3), expected)


def test_the_schedule_is_followed_step_by_step() -> None:
    _, _, epochs = train()
    steps = 12  # 180 training images in batches of 16
    assert epochs[-1].learning_rate == pytest.approx(0.05 * (1 - (3 * steps - 1) / (3 * steps)))


def test_the_training_scores_agree_with_their_definition_when_nothing_is_learned() -> None:
    model = a_model()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    fitted, _, _ = train(RECIPE.model_copy(update={"epochs": 1, "learning_rate": 1e-30, "batch_size": 180}), model)
    data = bright_or_dark()
    model.train()
    with torch.no_grad():
        logits = model(data.transform(data.train.images.float() / 255))
    assert fitted.train is not None
    assert fitted.train.loss == pytest.approx(nn.functional.cross_entropy(logits, data.train.labels).item(), rel=1e-5)
    assert fitted.train.accuracy == pytest.approx((logits.argmax(1) == data.train.labels).float().mean().item())


def test_label_smoothing_raises_the_loss_of_a_sure_model() -> None:
    plain, _, _ = train()
    smooth, _, _ = train(RECIPE.model_copy(update={"label_smoothing": 0.2}))
    assert smooth.train is not None
    assert plain.train is not None
    assert smooth.train.loss > plain.train.loss + 0.1


@pytest.mark.parametrize(("answer", "ended"), [("prune", "pruned"), ("stop", "stopped")])
def test_the_driver_can_end_it(answer: Answer, ended: str) -> None:
    fitted, _, epochs = train(answer=lambda epoch: answer if epoch.epoch == 2 else "proceed")
    assert fitted.ended == ended
    assert len(epochs) == 2


def test_a_loss_that_is_not_finite_ends_it_as_diverged() -> None:
    fitted, _, epochs = train(RECIPE.model_copy(update={"learning_rate": 1e30}))
    assert fitted.ended == "diverged"
    assert fitted.train is None
    assert epochs == []


def test_bfloat16_reaches_the_same_accuracy() -> None:
    fitted, _, epochs = train(RECIPE.model_copy(update={"precision": "bfloat16"}))
    assert fitted.ended == "complete"
    assert epochs[-1].validation.accuracy > 0.9
