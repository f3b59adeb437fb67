import copy
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn, update_bn

from ablation.settings import Recipe
from ablation.splits import LabelledImages, Splits
from ablation.training.averaging import averaged_copy
from ablation.training.checkpoints import Checkpoint
from ablation.training.data import BlockData, block_data
from ablation.training.evaluation import evaluate
from ablation.training.fit import Fitted, fit
from ablation.training.generators import forked_generator
from ablation.training.state import Ingredients
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


def two_steps(recipe: Recipe) -> tuple[Ingredients, list[dict[str, torch.Tensor]]]:
    """A training of one epoch with a plain step, and the weights before it and after each step."""
    model = a_model()
    averaged = averaged_copy(model) if recipe.weight_average else None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    made = Ingredients(model, optimizer, lambda progress: 1.0, {}, averaged=averaged)
    seen = [copy.deepcopy(model.state_dict())]

    class Recording(Watch):
        def stepped(self, take: Callable[[], Checkpoint]) -> bool:
            seen.append(copy.deepcopy(model.state_dict()))
            return False

    fit(made, bright_or_dark(), recipe, 0, Recording(lambda epoch: "proceed"))
    return made, seen


ONE_EPOCH = RECIPE.model_copy(update={"epochs": 1, "batch_size": 60})


@pytest.mark.parametrize("clip", [1e-3, 0.05])
def test_gradients_longer_than_the_clip_are_shortened_and_others_are_not(clip: float) -> None:
    parameters = [name for name, _ in a_model().named_parameters()]

    def lengths(recipe: Recipe) -> list[float]:
        _, seen = two_steps(recipe)
        moves = [[after[name] - before[name] for name in parameters] for before, after in pairwise(seen)]
        return [torch.cat([each.flatten() for each in move]).norm().item() / recipe.learning_rate for move in moves]

    free = lengths(ONE_EPOCH)
    assert len(free) == 3
    assert min(free) > 0.05
    assert lengths(ONE_EPOCH.model_copy(update={"gradient_clip": clip})) == pytest.approx([clip] * 3, rel=1e-3)
    assert lengths(ONE_EPOCH.model_copy(update={"gradient_clip": 1e6})) == free


def test_gradient_norms_are_told_as_they_were_before_they_were_clipped() -> None:
    _, _, free = train(RECIPE.model_copy(update={"epochs": 1, "batch_size": 180}))
    _, _, clipped = train(RECIPE.model_copy(update={"epochs": 1, "batch_size": 180, "gradient_clip": 1e-3}))
    assert free[0].gradient_norms == clipped[0].gradient_norms


@pytest.mark.parametrize("decay", [0.1, 0.9])
def test_the_average_follows_the_weights_and_is_what_is_scored(decay: float) -> None:
    made, seen = two_steps(ONE_EPOCH.model_copy(update={"weight_average": decay}))
    plain, others = two_steps(ONE_EPOCH)
    assert weights(plain.model) == weights(made.model)
    assert all(torch.equal(one[name], other[name]) for one, other in zip(seen, others, strict=True) for name in one)
    expected = seen[0]
    for step, state in enumerate(seen[1:], start=1):
        kept = min(decay, (1 + step) / (10 + step))
        expected = {
            name: kept * expected[name] + (1 - kept) * value if value.is_floating_point() else value
            for name, value in state.items()
        }
    for name, value in made.scored.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert made.scored is not made.model
    assert not torch.equal(made.scored.state_dict()["0.weight"], made.model.state_dict()["0.weight"])


def test_the_average_of_the_last_epochs_is_that_of_torch() -> None:
    """Three of six epochs; the statistics are those of the training images under the average."""
    recipe = RECIPE.model_copy(update={"epochs": 6, "swa": 0.5})
    model, data = a_model(), bright_or_dark()
    made = Ingredients(model, torch.optim.SGD(model.parameters()), lambda _: 1.0, {}, averaged=averaged_copy(model))
    expected, scored = AveragedModel(copy.deepcopy(model), multi_avg_fn=get_swa_multi_avg_fn()), []

    def after(epoch: Epoch) -> Answer:
        if epoch.epoch > 3:
            expected.update_parameters(model)
        scored.append(torch.equal(made.scored[0].weight, model[0].weight))
        return "proceed"

    watch = Watch(after)
    fit(made, data, recipe, 0, watch)
    update_bn([data.seen(data.train.between(at, at + 16)) for at in range(0, len(data.train), 16)], expected)
    state = made.scored.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in expected.module.state_dict().items())
    assert scored == [True] * 4 + [False] * 2  # the average of a single epoch is that epoch
    loss = evaluate(expected.module, data.validation, data.seen, "float32").scores.loss
    assert watch.epochs[-1].validation.loss == loss


def test_steps_are_the_same_whether_epochs_are_averaged_or_not() -> None:
    found = []
    for swa in (0.0, 0.5):
        model, watch = a_model(dropout=0.3), Watch(lambda epoch: "proceed")
        averaged = averaged_copy(model) if swa else None
        made = Ingredients(model, torch.optim.SGD(model.parameters()), lambda _: 1.0, {}, averaged=averaged)
        fit(made, bright_or_dark(), RECIPE.model_copy(update={"epochs": 4, "swa": swa}), 0, watch)
        found.append((weights(model), [epoch.train for epoch in watch.epochs]))
    assert found[0] == found[1]


def test_only_one_average_is_taken() -> None:
    with pytest.raises(ValueError, match="weight_average and swa both average the weights; keep one"):
        Recipe(weight_average=0.9, swa=0.5)
    assert "swa" not in Recipe().model_dump()


def test_validation_is_of_the_average_and_of_mirror_images_where_the_recipe_says_so() -> None:
    recipe = ONE_EPOCH.model_copy(update={"weight_average": 0.9, "mirrored_scoring": True})
    model, data, watch = a_model(), bright_or_dark(), Watch(lambda epoch: "proceed")
    made = Ingredients(model, torch.optim.SGD(model.parameters()), lambda _: 1.0, {}, averaged=averaged_copy(model))
    fit(made, data, recipe, 0, watch)
    images = data.validation.images
    with torch.inference_mode():
        logits = made.scored.eval()(data.seen(images)) + made.scored(data.seen(images.flip(3)))
    expected = torch.nn.functional.cross_entropy(logits / 2, data.validation.labels).item()
    assert watch.epochs[0].validation.loss == pytest.approx(expected, rel=1e-5)
    assert evaluate(made.scored, data.validation, data.seen, "float32").scores.loss != pytest.approx(expected, rel=1e-5)
