"""One trial from settings to a durable outcome, in this process."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.attempts import open_attempt
from ablation.failures import Failure
from ablation.preparation import prepared
from ablation.run_folder import RunFolder
from ablation.training.evaluation import evaluate
from ablation.trial import Answer, Assignment, Epoch, Outcome, Trial
from ablation.worker import run_trial


class Link:
    """Hears of every epoch and gives the same answer each time."""

    def __init__(self, answer: Answer = "proceed") -> None:
        self.answer: Answer = answer
        self.epochs: list[Epoch] = []

    def report(self, epoch: Epoch) -> Answer:
        self.epochs.append(epoch)
        return self.answer

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 2


def completed(given: Assignment, link: Link | None = None) -> Outcome:
    outcome = run_trial(given, link or Link())
    assert isinstance(outcome, Outcome), outcome
    return outcome


def assignment(folder: RunFolder, trial: Trial, **changes: object) -> Assignment:
    given = {"trial": trial, "folder": folder.open_trial(trial), "data_root": folder.path, **changes}
    return Assignment.model_validate(given)


def first_trial(path: Path) -> Trial:
    return designs.planned_trials(load(path))[0]


def weights(folder: RunFolder, trial: Trial) -> dict[str, bytes]:
    state = torch.load(folder.trial_folder(trial.id) / "weights.pt", weights_only=True)
    return {name: value.numpy().tobytes() for name, value in state.items()}


def test_a_trial_leaves_its_outcome_and_all_that_the_report_needs(write_study: StudyWriter, tmp_path: Path) -> None:
    folder, trial, link = RunFolder(tmp_path), first_trial(write_study()), Link()
    outcome = completed(assignment(folder, trial), link)
    (record,) = folder.records()
    assert record.outcome == outcome
    assert outcome.status == "complete"
    assert outcome.test is not None
    assert outcome.validation is not None
    assert list(record.epochs) == link.epochs
    assert [epoch.epoch for epoch in link.epochs] == [1, 2, 3]
    predictions = np.load(folder.trial_folder(trial.id) / "predictions.npz")
    assert predictions["probabilities"].shape == (96, 3)
    assert predictions["probabilities"].dtype == np.float16
    hits = predictions["probabilities"].argmax(1) == predictions["labels"]
    assert hits.mean() == pytest.approx(outcome.test.accuracy, abs=3 / 96)  # half precision makes ties
    assert sum(map(sum, outcome.confusion)) == 96
    assert outcome.cost is not None
    assert outcome.cost.parameters > 0
    assert outcome.cost.peak_memory_bytes > 10_000_000
    assert outcome.stamp is not None
    assert outcome.stamp.versions["torch"] == torch.__version__.split("+")[0]
    assert len(outcome.stamp.data_fingerprint) == 64
    assert outcome.stamp.precision == "float32"
    assert outcome.stamp.busy == 2  # as the link says


def test_the_same_trial_twice_is_bit_equal(write_study: StudyWriter, tmp_path: Path) -> None:
    study = SMALL.replace("recipe:", "augmentations: {crop: {}, color_jitter: {brightness: 0.5}}\nrecipe:")
    trial = first_trial(write_study(study.replace("width: 4", "width: 4, dropout: 0.3")))
    folders = [RunFolder(tmp_path / name) for name in ("one", "two")]
    outcomes = [completed(assignment(folder, trial)) for folder in folders]
    assert weights(folders[0], trial) == weights(folders[1], trial)
    assert outcomes[0].test == outcomes[1].test


def test_arms_of_a_block_share_initialisation_and_blocks_do_not(write_study: StudyWriter, tmp_path: Path) -> None:
    """With a learning rate of next to nothing the weights that are left are those that it began with."""
    study = load(write_study(SMALL.replace("learning_rate: 0.05", "learning_rate: 1.0e-30")))
    folder = RunFolder(tmp_path)
    began = {}
    for trial in designs.planned_trials(study):
        run_trial(assignment(folder, trial), Link())
        state = weights(folder, trial)
        began[trial.arm.name, trial.block] = b"".join(
            value for name, value in state.items() if name.endswith(".weight")
        )
    assert began["baseline", 0] == began["crop=shifted", 0] == began["flip=flipped", 0]
    assert began["baseline", 0] != began["baseline", 1]


def test_a_trial_that_goes_on_under_other_code_says_so(write_study: StudyWriter, tmp_path: Path) -> None:
    trial = first_trial(write_study())
    for name, after, marks in (("changed", "0ther", 1), ("as it was", "0ne", 0)):
        folder = RunFolder(tmp_path / name)
        given = assignment(folder, trial, package_code="0ne")
        assert run_trial(given, Link("stop")) is None
        outcome = completed(given.model_copy(update={"package_code": after}))
        assert outcome.stamp is not None
        assert outcome.stamp.code.keys() == {
            *("ablation", "dataset synthetic", "model small", "preprocessing normalize"),
            *("optimizer sgd", "schedule one_cycle"),
        }
        assert [stamp.code["ablation"] for stamp in outcome.earlier_stamps] == ["0ne"] * marks
        assert outcome.stamp.code["ablation"] == after


class Stopping(Link):
    """Wants the trial to end at the question of this number."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def stopping(self) -> bool:
        self.left -= 1
        return self.left == 0


def test_a_trial_cut_short_again_and_again_ends_as_one_that_was_not(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablation.watching.ASK_SECONDS", 0.0)  # at every step
    augmentations = "augmentations: {crop: {}, trivialaugment: {}, mixup: {}, color_jitter: {brightness: 0.5}}\nrecipe:"
    text = SMALL.replace("recipe:", augmentations).replace("normalize: {}", "normalize: {}, whiten: {}")
    trial = first_trial(write_study(text.replace("width: 4", "width: 4, dropout: 0.3")))
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    expected = completed(assignment(whole, trial))
    attempts = 0
    while (outcome := run_trial(assignment(broken, trial), Stopping(at=2))) is None:
        attempts += 1
    assert isinstance(outcome, Outcome)
    assert attempts == 4  # nine steps in all, two an attempt
    assert (outcome.test, outcome.validation, outcome.train, outcome.confusion) == (
        *(expected.test, expected.validation, expected.train),
        expected.confusion,
    )
    assert weights(broken, trial) == weights(whole, trial)
    epochs = [[(e.epoch, e.train, e.validation) for e in folder.records()[0].epochs] for folder in (broken, whole)]
    assert epochs[0] == epochs[1]
    assert not list(broken.path.rglob("checkpoint-*"))


def test_a_stopped_trial_has_no_outcome(write_study: StudyWriter, tmp_path: Path) -> None:
    folder, trial = RunFolder(tmp_path), first_trial(write_study())
    assert run_trial(assignment(folder, trial), Link("stop")) is None
    assert folder.records()[0].outcome is None


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_trial_whose_driver_was_taken_over_writes_nothing_more(
    write_study: StudyWriter, tmp_path: Path, epoch: int
) -> None:
    folder, trial = RunFolder(tmp_path), first_trial(write_study())
    given = assignment(folder, trial, checkpoint_seconds=0.0001)
    given = given.model_copy(update={"token": open_attempt(given.folder, "mine")})
    before: dict[str, bytes] = {}

    class TakenOver(Link):
        def report(self, made: Epoch) -> Answer:
            if made.epoch == epoch:
                open_attempt(given.folder, "another's")
                before.update({path.name: path.read_bytes() for path in given.folder.iterdir()})
            return super().report(made)

    assert run_trial(given, TakenOver()) is None
    assert before == {path.name: path.read_bytes() for path in given.folder.iterdir()}


def test_an_attempt_on_a_machine_that_was_taken_for_lost_writes_nothing_beside_the_next(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    """Both are of one driver, and both go on."""
    folder, trial = RunFolder(tmp_path), first_trial(write_study())
    given = assignment(folder, trial, checkpoint_seconds=0.0001)
    lost = given.model_copy(update={"token": open_attempt(given.folder, "the driver's")})
    outcomes: list[Outcome | Failure | None] = []

    class ComesBack(Link):
        def report(self, made: Epoch) -> Answer:
            if made.epoch == 2:  # meanwhile the trial was given elsewhere, and came to its end
                again = given.model_copy(update={"token": open_attempt(given.folder, "the driver's")})
                outcomes.append(run_trial(again, Link()))
                before.update({path.name: path.read_bytes() for path in given.folder.iterdir()})
            return super().report(made)

    before: dict[str, bytes] = {}
    assert run_trial(lost, ComesBack()) is None
    assert [outcome and outcome.status for outcome in outcomes if not isinstance(outcome, Failure)] == ["complete"]
    assert before == {path.name: path.read_bytes() for path in given.folder.iterdir()}


def test_a_pruned_trial_keeps_its_scores(write_study: StudyWriter, tmp_path: Path) -> None:
    outcome = completed(assignment(RunFolder(tmp_path), first_trial(write_study())), Link("prune"))
    assert outcome.status == "pruned"
    assert outcome.test is not None


def test_a_search_never_reads_the_test_images(write_study: StudyWriter, tmp_path: Path) -> None:
    trial = first_trial(write_study()).model_copy(update={"evaluate_on": "validation"})
    folder = RunFolder(tmp_path)
    outcome = completed(assignment(folder, trial))
    assert outcome.test is None
    labels = np.load(folder.trial_folder(trial.id) / "predictions.npz")["labels"]
    assert sum(map(sum, outcome.confusion)) == len(labels) == 9


def test_a_diverged_trial_counts_as_the_uniform_guess(write_study: StudyWriter, tmp_path: Path) -> None:
    trial = first_trial(write_study(SMALL.replace("learning_rate: 0.05", "learning_rate: 1.0e+30")))
    outcome = completed(assignment(RunFolder(tmp_path), trial))
    assert outcome.status == "diverged"
    assert outcome.test is not None
    assert outcome.test.accuracy == pytest.approx(1 / 3)
    assert outcome.test.loss == pytest.approx(np.log(3))


def failed(write_study: StudyWriter, tmp_path: Path, model: str) -> Failure:
    trial = first_trial(write_study(SMALL.replace("model: {name: small, width: 4}", f"model: {model}")))
    folder = RunFolder(tmp_path / "run")
    failure = run_trial(assignment(folder, trial), Link())
    assert isinstance(failure, Failure)
    assert not failure.is_accident
    assert folder.records()[0].outcome is None  # the driver decides whether it is one
    return failure


def test_a_model_that_cannot_take_the_images_fails_with_the_reason(write_study: StudyWriter, tmp_path: Path) -> None:
    failure = failed(write_study, tmp_path, "{name: vgg, depth: 11}")
    assert failure.cause == "input"
    assert "32" in failure.reason
    assert "vgg" in failure.reason


def test_an_error_in_somebodys_component_fails_the_trial_and_leaves_its_traceback(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = (
        "from torch import nn\ndef build(num_classes: int, in_channels: int) -> nn.Module:\n    raise OSError('mine')\n"
    )
    (tmp_path / "broken_net.py").write_text('"""A model that cannot be built."""\n' + module)
    (tmp_path / "broken_lab").mkdir()
    (tmp_path / "broken_net.py").rename(tmp_path / "broken_lab" / "broken_net.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    failure = failed(write_study, tmp_path, "{name: broken_lab.broken_net}")
    place = tmp_path / "broken_lab" / "broken_net.py"
    assert (failure.cause, failure.reason) == ("bug", f"OSError: mine ({place}:4)")
    (log,) = (tmp_path / "run").glob("trials/*/log.txt")
    assert "broken_net.py" in log.read_text()


def test_weights_are_kept_only_where_asked(write_study: StudyWriter, tmp_path: Path) -> None:
    folder, trial = RunFolder(tmp_path), first_trial(write_study())
    run_trial(assignment(folder, trial, keep_weights=False), Link())
    assert not (folder.trial_folder(trial.id) / "weights.pt").exists()


FURTHER = "weight_average: 0.8, gradient_clip: 0.5, mirrored_scoring: true, decay_biases: false"


def test_what_is_scored_and_kept_is_the_average_over_images_and_their_mirror_images(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    trial = first_trial(write_study(SMALL.replace("precision:", f"{FURTHER}, precision:")))
    given = assignment(folder, trial)
    outcome = completed(given)
    built = prepared(given)
    built.ingredients.model.load_state_dict(torch.load(folder.trial_folder(trial.id) / "weights.pt", weights_only=True))
    assert built.data.test is not None
    again = [
        evaluate(built.ingredients.model, built.data.test, built.data.seen, "float32", mirrored=mirrored).scores
        for mirrored in (True, False)
    ]
    assert outcome.test == again[0] != again[1]
    assert outcome.cost is not None
    assert outcome.cost.parameters == sum(each.numel() for each in built.ingredients.model.parameters())


def test_weight_decay_may_leave_out_what_has_one_number_a_channel(write_study: StudyWriter, tmp_path: Path) -> None:
    def groups(further: str) -> list[tuple[float, set[int]]]:
        trial = first_trial(write_study(SMALL.replace("precision:", f"{further}optimizer: sgd, precision:")))
        built = prepared(assignment(RunFolder(tmp_path), trial))
        found = built.ingredients.optimizer.param_groups
        assert sum(len(group["params"]) for group in found) == len(list(built.ingredients.model.parameters()))
        return [(group["weight_decay"], {each.ndim for each in group["params"]}) for group in found]

    assert groups("") == [(5e-4, {1, 2, 4})]
    assert groups("decay_biases: false, ") == [(5e-4, {2, 4}), (0.0, {1})]
