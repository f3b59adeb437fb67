"""What only an accelerator can show; skipped, with the reason, where there is none."""

from pathlib import Path

import pytest
import torch
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.preparation import prepared
from ablation.run_folder import RunFolder
from ablation.training import fit as fit_module
from ablation.training.devices import has_accelerator, resolve_device, resolve_precision
from ablation.training.fit import fit
from ablation.trial import Answer, Assignment, Epoch, Outcome
from ablation.worker import run_trial

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not has_accelerator(), reason="needs an accelerator that torch can use; this machine has none"),
]


class Unheard:
    def report(self, epoch: Epoch) -> Answer:
        return "proceed"

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


def trained(path: Path, folder: Path, device: str) -> Outcome:
    trial, run = designs.planned_trials(load(path))[0], RunFolder(folder)
    given = Assignment(trial=trial, folder=run.open_trial(trial), data_root=folder, device=device)
    outcome = run_trial(given, Unheard())
    assert isinstance(outcome, Outcome), outcome
    assert outcome.status == "complete", outcome.reason
    return outcome


def test_a_trial_runs_on_the_accelerator_and_twice_gives_the_same(write_study: StudyWriter, tmp_path: Path) -> None:
    path = write_study(SMALL.replace("recipe:", "augmentations: {crop: {padding: 3}, cutout: {size: 3}}\nrecipe:"))
    device = resolve_device("auto")
    first, second = (trained(path, tmp_path / name, device) for name in ("one", "two"))
    assert first.test == second.test
    assert first.cost is not None
    assert 0 < first.cost.peak_memory_bytes < torch.cuda.get_device_properties(0).total_memory


def test_the_accelerator_agrees_with_the_cpu_on_what_was_drawn(write_study: StudyWriter, tmp_path: Path) -> None:
    """The same augmented images and the same order: one epoch's training loss differs by rounding alone."""
    path = write_study(SMALL.replace("epochs: 3", "epochs: 1").replace("recipe:", "augmentations: {crop: {}}\nrecipe:"))
    device = resolve_device("auto")
    there, here = trained(path, tmp_path / "there", device), trained(path, tmp_path / "here", "cpu")
    assert there.train is not None
    assert here.train is not None
    assert there.train.loss == pytest.approx(here.train.loss, rel=1e-3)


AUGMENTED = """\
question: Does every augmentation of the package run there?
dataset: {name: synthetic, train_size: 96, test_size: 96, num_classes: 3, channels: 3}
model: {name: small, width: 4}
preprocessing: {normalize: {}, whiten: {}}
augmentations:
  crop: {padding: 2, padding_mode: reflect}
  flip: {}
  cutout: {size: 3}
  color_jitter: {brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1}
  translate: {}
  rotate: {}
  grayscale: {}
  blur: {sigma: 0.5}
  noise: {}
  solarize: {}
  posterize: {}
  random_erasing: {fill: random}
  autoaugment: {}
  randaugment: {}
  trivialaugment: {}
  mixup: {}
  cutmix: {}
recipe: {epochs: 3, batch_size: 32, learning_rate: 0.05, precision: float32}
factors:
  flip: {with: {}, without: {augmentations.flip: null}}
design: one-factor
seeds: 2
margin: 0.05
"""


class Unwatched:
    def begin(self) -> None:
        return None

    def stepped(self, take: object) -> bool:
        return False

    def ended_epoch(self, epoch: Epoch, take: object) -> Answer:
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:
        return "proceed"


def test_the_host_never_waits_within_an_epoch(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the augmentation to the last step; between epochs scores are read, which waits."""
    device = resolve_device("auto")
    if device != "cuda":
        pytest.skip("only CUDA can say when the host waits")
    trial = designs.planned_trials(load(write_study(AUGMENTED)))[0]
    built = prepared(Assignment(trial=trial, folder=tmp_path, data_root=tmp_path, device=device))
    one_epoch, epochs = fit_module._one_epoch, []

    def strictly(*given: object) -> bool:
        epochs.append(given)
        torch.cuda.set_sync_debug_mode("error" if len(epochs) > 1 else "default")  # kernels are loaded in the first
        try:
            return one_epoch(*given)  # type: ignore[arg-type]
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(fit_module, "_one_epoch", strictly)
    recipe = trial.arm.settings.recipe
    assert fit(built.ingredients, built.data, recipe, trial.block, Unwatched()).ended == "complete"
    assert len(epochs) == recipe.epochs > 1


def test_images_that_do_not_fit_give_the_scores_of_those_that_do(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, device = write_study(AUGMENTED), resolve_device("auto")
    there = trained(path, tmp_path / "there", device)
    monkeypatch.setattr("ablation.training.data.has_room", lambda device, size: False)
    assert trained(path, tmp_path / "here", device).test == there.test


def test_the_precision_is_one_that_the_hardware_has() -> None:
    assert resolve_precision(resolve_device("auto")) in ("float32", "bfloat16")
