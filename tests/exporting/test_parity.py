"""A model that does not give what its trial gave is not written."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import ablate
from made_runs import resealed

from ablation.errors import ParityError
from ablation.exporting import parity
from ablation.exporting.parity import agreement
from ablation.keeping import best_first
from ablation.run_folder import RunFolder
from ablation.sealed import sum_of


@pytest.fixture
def altered(trained: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the study that a test may alter, and the folder of its best trial."""
    shutil.copytree(trained, tmp_path / "copy")
    folder = RunFolder(tmp_path / "copy" / "runs" / "digits")
    return tmp_path / "copy", folder.trial_folder(best_first(folder.records())[0].trial.id)


def rewrite(place: Path, name: str, content: bytes) -> None:
    """Another content, as if the trial had written it."""
    (place / name).write_bytes(content)
    outcome = json.loads((place / "outcome.json").read_bytes())
    outcome["files"][name] = sum_of(content)
    (place / "outcome.json").write_text(resealed(outcome))


def export(cwd: Path):
    return ablate("export", "digits.yaml", "best", "--to", "safetensors", "--out", "out", cwd=cwd)


def test_weights_that_are_not_those_of_the_record_are_not_exported(altered) -> None:
    cwd, place = altered
    weights = torch.load(place / "weights.pt", weights_only=True)
    name = "classifier.3.bias"
    changed = io.BytesIO()
    torch.save({**weights, name: weights[name] + torch.linspace(0, 0.1, 10)}, changed)
    rewrite(place, "weights.pt", changed.getvalue())
    done = export(cwd)
    assert done.returncode == 8
    assert "the written model is not the record of" in done.stderr
    assert not (cwd / "out").exists()


def test_a_record_of_nan_is_no_agreement(altered) -> None:
    cwd, place = altered
    read = dict(np.load(place / "predictions.npz", allow_pickle=False))
    read["probabilities"][7, 3] = np.nan
    changed = io.BytesIO()
    np.savez(changed, **read)
    rewrite(place, "predictions.npz", changed.getvalue())
    assert export(cwd).returncode == 8


@pytest.mark.parametrize(("images", "code"), [(1, 0), (200, 8)])
def test_of_a_record_in_bfloat16_single_images_may_differ(altered, images: int, code: int) -> None:
    cwd, place = altered
    read = dict(np.load(place / "predictions.npz", allow_pickle=False))
    read["probabilities"][:images] = np.roll(read["probabilities"][:images], 1, axis=1)
    changed = io.BytesIO()
    np.savez(changed, **read)
    outcome = json.loads((place / "outcome.json").read_bytes())
    outcome["stamp"]["precision"] = "bfloat16"
    (place / "outcome.json").write_text(resealed(outcome))
    rewrite(place, "predictions.npz", changed.getvalue())
    done = export(cwd)
    assert done.returncode == code, done.stderr
    assert f"{images} of 200 images have another class" in done.stderr


def test_damaged_weights_are_named(altered) -> None:
    cwd, place = altered
    content = bytearray((place / "weights.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (place / "weights.pt").write_bytes(bytes(content))
    done = export(cwd)
    assert done.returncode == 5
    assert f"{place.relative_to(cwd)}/weights.pt is damaged" in done.stderr


def test_other_data_than_the_trial_saw_are_refused(altered) -> None:
    cwd, place = altered
    outcome = json.loads((place / "outcome.json").read_bytes())
    outcome["stamp"]["data_fingerprint"] = "f00d"
    (place / "outcome.json").write_text(resealed(outcome))
    done = export(cwd)
    assert done.returncode == 2
    assert "--data-dir" in done.stderr
    assert not (cwd / "out").exists()


def test_a_trial_without_predictions_cannot_be_checked(altered) -> None:
    cwd, place = altered
    (place / "predictions.npz").unlink()
    done = export(cwd)
    assert done.returncode == 5
    assert "predictions.npz" in done.stderr


def test_differences_are_counted() -> None:
    given = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], np.float32)
    wanted = np.array([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5]])
    found = agreement("record", (given, wanted), "largest", 0.3)
    assert (found.images, found.other_class) == (3, 1)
    assert found.largest == pytest.approx(0.2)
    assert found.moved == pytest.approx(0.1)
    assert found.holds
    assert not agreement("record", (given, wanted), "largest", 0.15).holds
    assert agreement("record", (given, wanted), "moved", 0.15).holds
    assert not agreement("record", (given, wanted), "moved", 0.05).holds


@pytest.mark.parametrize("off", [2 * parity.EAGER, float("nan")])
def test_a_file_whose_runtime_errs_is_refused(off: float, digits, trained) -> None:
    """As a runtime with a wrong operator would."""
    from ablation.exporting.classifier import running
    from ablation.exporting.restoring import restored

    trial = restored(digits, best_first(digits.records())[0], trained)
    run = running(trial.classifier)
    assert all(one.holds for one in parity.check(run, trial, "cpu"))
    with pytest.raises(ParityError, match="eager model"):
        parity.check(lambda images: run(images) + np.float32(off), trial, "cpu")
