"""A training function of somebody's own in the place of the shared one: by another step, or by a loop of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from commands import ablate, environment
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.failures import Failure
from ablation.run_folder import RunFolder
from ablation.settings import Recipe
from ablation.study import Study
from ablation.trial import Answer, Assignment, Epoch, Outcome, Trial
from ablation.worker import run_trial

SHARP = '''"""Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412)."""

import torch

from ablation.settings import NotNegative
from ablation.training.fit import fit_by
from ablation.training.state import Training


def build(*, rho: NotNegative = 0.05):
    """Steps by the gradients at the worst weights within rho."""

    def step(training, gradients):
        gradients()
        weights = [each for each in training.ingredients.model.parameters() if each.grad is not None]
        with torch.no_grad():
            norm = torch.stack([each.grad.norm() for each in weights]).norm()
            climbed = [each.grad * (rho / (norm + 1e-12)) for each in weights]
            torch._foreach_add_(weights, climbed)
        gradients()
        with torch.no_grad():
            torch._foreach_sub_(weights, climbed)
        training.change_weights()

    def fit(ingredients, data, recipe, block, watch):
        return fit_by(step, Training(ingredients, data, recipe, block), watch)

    return fit
'''

LOOP = '''"""A loop of its own: plain gradient descent without augmentations, which makes no checkpoint."""

import time

import torch
from torch.nn import functional

from ablation.training.data import batches
from ablation.training.evaluation import evaluate
from ablation.training.fit import Fitted
from ablation.trial import Epoch, Scores


def build(*, pause: float = 0.0):
    """Plain gradient descent; after each step it waits for `pause` seconds."""

    def fit(ingredients, data, recipe, block, watch):
        model, train = ingredients.model, data.train
        watch.begin()
        begun, scores = time.perf_counter(), None
        for epoch in range(1, recipe.epochs + 1):
            started, losses, right = time.perf_counter(), [], 0
            model.train()
            for rows in batches(len(train), recipe.batch_size, block, epoch):
                logits = model(data.seen(train.pick(rows, "cpu")))
                loss = functional.cross_entropy(logits, train.labels[rows])
                loss.backward()
                with torch.no_grad():
                    for weights in model.parameters():
                        weights -= recipe.learning_rate * weights.grad
                        weights.grad = None
                losses.append(loss.item())
                right += int((logits.argmax(1) == train.labels[rows]).sum())
                time.sleep(pause)
                if watch.stepped(lambda: None):
                    return Fitted("stopped", scores, 0.0, 0.0)
            scores = Scores(loss=sum(losses) / len(losses), accuracy=right / len(train))
            seconds = time.perf_counter() - started
            answer = watch.ended_epoch(
                Epoch(
                    epoch=epoch,
                    train=scores,
                    validation=evaluate(model, data.validation, data.seen, "float32").scores,
                    learning_rate=recipe.learning_rate,
                    seconds=seconds,
                    images_per_second=len(train) / seconds,
                ),
                lambda: None,
            )
            if answer != "proceed":
                return Fitted("pruned" if answer == "prune" else "stopped", scores, 0.0, 0.0)
        seconds = time.perf_counter() - begun
        return Fitted("complete", scores, recipe.epochs * len(train) / seconds, seconds)

    return fit
'''

SAM = SMALL.replace("precision:", "trainer: {name: lab.sharp, rho: 0.1}, precision:")
OWN = SMALL.replace("precision:", "trainer: lab.loop, precision:")
LEVELS = SMALL.replace("flip: {none: {}, flipped: {augmentations.flip: {}}}",
                       "steps: {usual: {}, sharp: {recipe.trainer: lab.sharp}}")  # fmt: skip


class Link:
    """Lets go on, or asks for a stop after so many epochs."""

    def __init__(self, stop_after: int | None = None, answer: Answer = "proceed") -> None:
        self.stop_after, self.answer = stop_after, answer
        self.epochs: list[Epoch] = []

    def report(self, epoch: Epoch) -> Answer:
        self.epochs.append(epoch)
        return "stop" if len(self.epochs) == self.stop_after else self.answer

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "lab"
    place.mkdir()
    (place / "sharp.py").write_text(SHARP)
    (place / "loop.py").write_text(LOOP)
    monkeypatch.chdir(tmp_path)
    return place


def baseline_trial(path: Path) -> Trial:
    """Of the first seed block; the order of the arms is drawn by what they are."""
    return next(trial for trial in designs.planned_trials(load(path)) if trial.arm.baseline)


def run(folder: RunFolder, trial: Trial, link: Link) -> Outcome | Failure | None:
    given = Assignment(trial=trial, folder=folder.open_trial(trial), data_root=folder.path, checkpoint_seconds=1e-9)
    return run_trial(given, link)


def weights(folder: RunFolder, trial: Trial) -> dict[str, bytes]:
    state = torch.load(folder.trial_folder(trial.id) / "weights.pt", weights_only=True)
    return {name: value.numpy().tobytes() for name, value in state.items()}


def test_without_the_key_a_study_and_its_arms_are_what_they_were(small_study: Study, write_study: StudyWriter) -> None:
    assert "trainer" not in json.loads(small_study.model_dump_json())["baseline"]["recipe"]
    assert load(write_study(SMALL.replace("precision:", "trainer: null, precision:"))) == small_study
    assert Recipe().model_dump().keys() == Recipe.model_validate(Recipe().model_dump()).model_dump().keys()


def test_a_trainer_by_another_step_is_stopped_and_ends_with_the_same_bits(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    trial, whole, cut = baseline_trial(write_study(SAM)), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "cut")
    outcome = run(whole, trial, Link())
    assert isinstance(outcome, Outcome), outcome
    assert outcome.stamp is not None
    assert "lab.sharp" in outcome.stamp.code
    assert run(cut, trial, Link(stop_after=2)) is None
    link = Link()
    again = run(cut, trial, link)
    assert [epoch.epoch for epoch in link.epochs] == [2, 3]
    assert isinstance(again, Outcome)
    assert again.test == outcome.test
    assert weights(cut, trial) == weights(whole, trial)


def test_its_steps_are_its_own_and_with_nothing_to_climb_those_of_the_shared_trainer(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    """The scores of training are those before the climb; two passes move the running statistics further."""
    found = {}
    for name, text in {"shared": SMALL, "flat": SAM.replace("rho: 0.1", "rho: 0.0"), "sharp": SAM}.items():
        folder, trial, link = RunFolder(tmp_path / name), baseline_trial(write_study(text)), Link()
        assert isinstance(run(folder, trial, link), Outcome)
        found[name] = [epoch.train for epoch in link.epochs]
    assert found["flat"] == found["shared"]
    assert found["sharp"][0] != found["shared"][0]


def test_a_loop_of_its_own_trains_and_is_told_of_like_any_other(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(OWN)
    done = ablate("run", "small.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.loop" in done.stderr
    assert "warning" not in done.stderr
    for record in RunFolder(tmp_path / "runs/small").records():
        assert record.outcome is not None
        assert record.outcome.status == "complete"
        assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
        assert record.outcome.train == record.epochs[-1].train
    page = (tmp_path / "runs/small/report.html").read_text()
    assert "trained by lab.loop" in page


def test_one_that_makes_no_checkpoint_starts_over_and_says_so(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    trial, folder = baseline_trial(write_study(OWN)), RunFolder(tmp_path / "run")
    assert run(folder, trial, Link(stop_after=2)) is None
    link = Link()
    outcome = run(folder, trial, link)
    assert isinstance(outcome, Outcome)
    assert [epoch.epoch for epoch in link.epochs] == [1, 2, 3]
    record = folder.record(trial.id)
    assert record is not None
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
    log = (folder.trial_folder(trial.id) / "log.txt").read_text()
    assert "no checkpoint: this trainer makes none, so a trial that is cut short starts over" in log


def test_a_run_is_stopped_in_the_middle_of_it_and_goes_on(lab: Path, write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(
        OWN.replace("trainer: lab.loop", "trainer: {name: lab.loop, pause: 0.1}").replace("seeds: 2", "seeds: 1")
    )
    command = [sys.executable, "-m", "ablation", "run", "small.yaml", "--no-tracking", "--slots", "1"]
    running = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/small/trials/*/events.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    statuses = RunFolder(tmp_path / "runs/small").statuses()
    assert set(statuses.values()) == {"complete"}


def test_a_trainer_may_be_a_factor(lab: Path, write_study: StudyWriter, tmp_path: Path) -> None:
    study = load(write_study(LEVELS))
    trainers = {arm.name: arm.settings.recipe.trainer for arm in designs.arms(study)}
    assert trainers["baseline"] is None
    sharp = trainers["steps=sharp"]
    assert sharp is not None
    assert (sharp.name, sharp.choices) == ("lab.sharp", {"rho": 0.05})


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("watch.begin()", "watch.started()", "AttributeError: '_Follower' object has no attribute 'started'"),
        (
            '        return Fitted("complete"',
            '        return print("complete"',
            "trainer lab.loop gives NoneType and not",
        ),
        ("loss.backward()", "loss.backwards()", "no attribute 'backwards' ("),
    ],
)
def test_a_trainer_that_cannot_run_is_told_before_the_study_is_begun(
    lab: Path, write_study: StudyWriter, tmp_path: Path, before: str, after: str, says: str
) -> None:
    (lab / "loop.py").write_text(LOOP.replace(before, after))
    write_study(OWN)
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    told = done.stderr.splitlines()[-1]
    assert told.startswith("error: small.yaml:5:67: ")
    assert says in told
    if "Error" in says or "(" in says:
        line = (lab / "loop.py").read_text().splitlines().index(next(
            each for each in (lab / "loop.py").read_text().splitlines() if after in each)) + 1  # fmt: skip
        assert told.endswith(f"({lab / 'loop.py'}:{line})")
    assert not RunFolder(tmp_path / "runs/small").begun()


def test_one_that_tells_of_no_epoch_is_warned_of_and_one_that_fails_later_has_its_place_in_the_reason(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    silent = LOOP.replace("watch.ended_epoch(", "(lambda *_: 'proceed')(")
    late = silent.replace(
        "            model.train()\n", "            assert epoch < 2, 'it was late'\n            model.train()\n"
    )
    (lab / "loop.py").write_text(late)
    write_study(OWN.replace("seeds: 2", "seeds: 1"))
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert (
        "warning: small.yaml:5:67: the trainer lab.loop told its watch of 0 epochs where one was trained" in done.stderr
    )
    assert done.returncode == 1
    for record in RunFolder(tmp_path / "runs/small").records():
        assert record.outcome is not None
        line = late.splitlines().index("            assert epoch < 2, 'it was late'") + 1
        assert record.outcome.reason == f"AssertionError: it was late ({lab / 'loop.py'}:{line})"


def test_a_name_without_dots_is_told_to_be_none(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("precision:", "trainer: sam, precision:"))
    done = ablate("plan", "small.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        'there is no trainer "sam". Allowed: none. For one of your own write its dotted name: mylab.sam.' in done.stderr
    )


def test_what_a_trial_costs_is_measured_by_the_trainer_that_it_has(
    lab: Path, write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(OWN.replace("trainer: lab.loop", "trainer: {name: lab.loop, pause: 0.2}"))
    done = ablate("plan", "small.yaml", "--calibrate", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["estimated_seconds"] > 6 * 3 * 3 * 0.2 * 0.8 / 2
