"""A training that was cut short anywhere goes on and ends with the bits of one that was not."""
# ruff: noqa: NPY002 - NumPy's old global generator is among what goes on

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ablation.settings import Recipe
from ablation.splits import LabelledImages, Splits
from ablation.training import checkpoints
from ablation.training.averaging import averaged_copy
from ablation.training.checkpoints import Checkpoint, checkpoint_files
from ablation.training.data import BlockData, block_data
from ablation.training.fit import Fitted, fit
from ablation.training.generators import forked_generator
from ablation.training.state import Ingredients
from ablation.trial import Answer, Epoch

STEPS = 4  # 54 training images in batches of 16
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.05, precision="bfloat16")
FULL_RECIPE = RECIPE.model_copy(update={"weight_average": 0.9, "gradient_clip": 0.5, "mirrored_scoring": True})


def noise(images: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = torch.randint(0, 30, images.shape, generator=generator)
    return (images // 2 + drawn).to(torch.uint8), targets


def some_data() -> BlockData:
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    part = LabelledImages(random.integers(0, 256, (60, 1, 6, 6), dtype=np.uint8), labels)
    return block_data(Splits(part, part, ("a", "b", "c"), ""), 0, [], "cpu", with_test=False)


def ingredients(pieces: int = 1) -> Ingredients:
    with forked_generator("cpu", 1):
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.4), nn.Linear(64, 3)
        ).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
    return Ingredients(model, optimizer, lambda progress: 1 - progress, {"noise": noise}, pieces)


class Watch:
    """Saves at one step and stops there; counts what it heard."""

    def __init__(self, folder: Path, stop_after: int | None = None, answer_again: Answer = "proceed") -> None:
        self.folder, self.stop_after, self.answer_again = folder, stop_after, answer_again
        self.steps = 0
        self.epochs: list[Epoch] = []
        self.said: list[str] = []
        self.told_again: Epoch | None = None

    def begin(self) -> Checkpoint | None:
        return checkpoints.load(self.folder, self.said.append)

    def stepped(self, take: Callable[[], Checkpoint]) -> bool:
        self.steps += 1
        if self.steps != self.stop_after:
            return False
        checkpoints.save(take(), self.folder)
        return True

    def ended_epoch(self, epoch: Epoch, take: Callable[[], Checkpoint]) -> Answer:
        self.epochs.append(epoch)
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:
        self.told_again = epoch
        return self.answer_again


def train(watch: Watch, recipe: Recipe = RECIPE) -> tuple[Fitted, bytes]:
    made = ingredients()
    if recipe.weight_average or recipe.swa:
        made = replace(made, averaged=averaged_copy(made.model))
    fitted = fit(made, some_data(), recipe, 0, watch)
    state = {**made.model.state_dict(), "momenta": made.optimizer.state_dict()["state"]}
    state["scored"] = made.scored.state_dict()
    return fitted, repr([(name, _bytes(value)) for name, value in state.items()]).encode()


def _bytes(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().tobytes()
    return {key: _bytes(each) for key, each in value.items()} if isinstance(value, dict) else value


def scores(epochs: list[Epoch]) -> list[tuple[int, float, float]]:
    return [(epoch.epoch, epoch.train.loss, epoch.validation.loss) for epoch in epochs]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[tuple[int, float, float]]]:
    watch = Watch(tmp_path_factory.mktemp("undisturbed"))
    _, weights = train(watch)
    assert watch.steps == 3 * STEPS
    return weights, scores(watch.epochs)


@pytest.mark.parametrize("step", range(1, 3 * STEPS + 1))
def test_cut_short_at_any_step_it_ends_with_the_same_bits(
    tmp_path: Path, undisturbed: tuple[bytes, list[tuple[int, float, float]]], step: int
) -> None:
    first, second = Watch(tmp_path, stop_after=step), Watch(tmp_path)
    stopped, _ = train(first)
    assert stopped.ended == "stopped"
    fitted, weights = train(second)
    assert fitted.ended == "complete"
    assert first.steps + second.steps == 3 * STEPS  # no step is made twice
    assert weights == undisturbed[0]
    assert scores([*first.epochs, *second.epochs]) == undisturbed[1]


def test_cut_short_after_every_single_step_it_ends_with_the_same_bits(
    tmp_path: Path, undisturbed: tuple[bytes, list[tuple[int, float, float]]]
) -> None:
    heard: list[Epoch] = []
    for _ in range(3 * STEPS):
        watch = Watch(tmp_path, stop_after=1)
        assert train(watch)[0].ended == "stopped"
        heard += watch.epochs
    watch = Watch(tmp_path)
    assert train(watch)[1] == undisturbed[0]
    assert scores([*heard, *watch.epochs]) == undisturbed[1]


SWA_RECIPE = RECIPE.model_copy(update={"swa": 0.7})


@pytest.mark.parametrize("recipe", [FULL_RECIPE, SWA_RECIPE], ids=["from step to step", "of the last epochs"])
@pytest.mark.parametrize("step", [1, 3, STEPS, STEPS + 2, 2 * STEPS, 2 * STEPS + 1, 3 * STEPS])
def test_with_an_average_of_the_weights_it_ends_with_the_same_bits_too(
    tmp_path: Path, step: int, recipe: Recipe
) -> None:
    whole = Watch(tmp_path / "whole")
    _, expected = train(whole, recipe)
    first, second = Watch(tmp_path, stop_after=step), Watch(tmp_path)
    train(first, recipe)
    assert train(second, recipe)[1] == expected
    assert scores([*first.epochs, *second.epochs]) == scores(whole.epochs)
    assert expected != train(Watch(tmp_path / "plain"))[1]


def test_a_checkpoint_of_before_there_were_averages_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(name for name in Checkpoint.__slots__ if name != "averaged")
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "__slots__", names)
        train(Watch(tmp_path, stop_after=2))
    found = checkpoints.load(tmp_path, pytest.fail)
    assert found is not None
    assert (found.step, dict(found.averaged)) == (2, {})


class Drawing(nn.Module):
    """Draws from Python's generator, from NumPy's and from torch's, in training and in evaluation."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images * (0.5 + random.random() * np.random.rand() + torch.rand(()).item()) + random.gauss(0, 0.1)


@pytest.mark.parametrize("step", [1, STEPS, STEPS + 2])
def test_a_net_that_draws_from_every_global_generator_goes_on_bit_equal(tmp_path: Path, step: int) -> None:
    def trained(folder: Path, stop_after: int | None = None) -> tuple[list[bytes], list[Epoch]]:
        made, watch = ingredients(), Watch(folder, stop_after)
        made.model.insert(1, Drawing())
        random.seed(step)  # whatever the process drew before
        np.random.seed(step)
        before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        fit(made, some_data(), RECIPE, 0, watch)
        assert before == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
        return [value.detach().numpy().tobytes() for value in made.model.parameters()], watch.epochs

    (tmp_path / "whole").mkdir()
    weights, epochs = trained(tmp_path / "whole")
    first = trained(tmp_path, stop_after=step)
    np.random.standard_normal()  # in between the process draws on
    second = trained(tmp_path)
    assert second[0] == weights != first[0]
    assert scores([*first[1], *second[1]]) == scores(epochs)


class StopsAtEpochs(Watch):
    """Writes a checkpoint at the end of each epoch, and stops there."""

    def ended_epoch(self, epoch: Epoch, take: Callable[[], Checkpoint]) -> Answer:
        checkpoints.save(take(), self.folder)
        return "stop"


@pytest.mark.parametrize(("answer", "ended", "steps"), [("proceed", "complete", 2 * STEPS), ("prune", "pruned", 0)])
def test_the_epoch_that_a_checkpoint_ends_with_is_answered_before_the_next_step(
    tmp_path: Path, answer: Answer, ended: str, steps: int
) -> None:
    assert train(StopsAtEpochs(tmp_path))[0].ended == "stopped"
    watch = Watch(tmp_path, answer_again=answer)
    assert train(watch)[0].ended == ended
    assert watch.told_again is not None
    assert watch.told_again.epoch == 1
    assert watch.steps == steps


def two_checkpoints(folder: Path) -> list[Path]:
    for _ in range(2):
        train(Watch(folder, stop_after=1))
    return checkpoint_files(folder)


def test_two_are_kept_with_their_sums(tmp_path: Path) -> None:
    for _ in range(5):
        train(Watch(tmp_path, stop_after=1))
    assert [path.stem for path in checkpoint_files(tmp_path)] == [
        "checkpoint-00002-0000001",
        "checkpoint-00001-0000004",
    ]
    assert len(list(tmp_path.iterdir())) == 4


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def lose_the_sum(path: Path) -> None:
    path.with_suffix(".sha256").unlink()


def write_anything_with_its_sum(path: Path) -> None:
    path.write_bytes(b"anything")
    write_sum(path)


def write_sum(path: Path) -> None:
    path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("damage", [flip_a_bit, cut_off, lose_the_sum, write_anything_with_its_sum])
def test_a_damaged_checkpoint_falls_back_to_the_one_before_then_to_the_start(
    tmp_path: Path, undisturbed: tuple[bytes, list[tuple[int, float, float]]], damage: Callable[[Path], None]
) -> None:
    newest, before = two_checkpoints(tmp_path)
    damage(newest)
    watch = Watch(tmp_path)
    _, weights = train(watch)
    assert watch.steps == 3 * STEPS - 1
    assert weights == undisturbed[0]
    assert newest.name in watch.said[0]
    damage(before)
    watch = Watch(tmp_path)
    assert train(watch)[1] == undisturbed[0]
    assert watch.steps == 3 * STEPS


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    newest, _ = two_checkpoints(tmp_path)

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))

    torch.save(Bomb(), newest)
    write_sum(newest)
    watch = Watch(tmp_path)
    train(watch)
    assert watch.steps == 3 * STEPS - 1
    assert not (tmp_path / "ran").exists()
    assert "damaged" in watch.said[0]


@pytest.mark.parametrize("pieces", [2, 3, 16])
def test_a_batch_in_pieces_has_the_gradient_of_the_whole(pieces: int) -> None:
    """Without batch norm, whose statistics are those of a piece, one step comes to the same weights."""

    def after_one_epoch(pieces: int) -> torch.Tensor:
        with forked_generator("cpu", 1):
            model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
        recipe = RECIPE.model_copy(update={"precision": "float32", "epochs": 1})
        made = Ingredients(model, optimizer, lambda progress: 1.0, {}, pieces)
        fitted = fit(made, some_data(), recipe, 0, Watch(Path("/nonexistent")))
        assert fitted.ended == "complete"
        return torch.cat([parameter.flatten() for parameter in model.parameters()])

    torch.testing.assert_close(after_one_epoch(pieces), after_one_epoch(1))
