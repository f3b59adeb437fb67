"""`ablate export`: which trial, where to, and what stands in the way."""

import shutil
import sys
from pathlib import Path

import pytest
from commands import ablate
from PIL import Image
from small_studies import SEARCH

from ablation.cli.chosen import chosen_trial
from ablation.errors import InputError
from ablation.keeping import best_first


def test_a_trial_is_named_in_short_by_its_arm_or_as_the_best(digits) -> None:
    records = digits.records()
    best = best_first(records)[0]
    assert chosen_trial(digits, "best") == best
    for record in records:
        assert chosen_trial(digits, record.trial.id) == record
        of_the_arm = [one for one in records if one.trial.arm.name == record.trial.arm.name]
        assert chosen_trial(digits, record.trial.arm.name) == best_first(of_the_arm)[0]
    signature = best.trial.id.partition("-")[0]
    with pytest.raises(InputError, match="Write more"):
        chosen_trial(digits, signature)
    assert chosen_trial(digits, f"{signature}-b001").trial.id == f"{signature}-b001"
    with pytest.raises(InputError, match="has no trial nosuch"):
        chosen_trial(digits, "nosuch")
    with pytest.raises(InputError, match="has no trial"):
        chosen_trial(digits, "")


def test_where_weights_are_gone_it_says_which_are_there(digits, export) -> None:
    gone = next(one for one in digits.records() if not (digits.trial_folder(one.trial.id) / "weights.pt").exists())
    kept = [one.trial.id for one in digits.records() if (digits.trial_folder(one.trial.id) / "weights.pt").exists()]
    done, model = export("pt2", gone.trial.id)
    assert done.returncode == 2
    assert len(kept) == 2
    for text in (*kept, "execution.keep is best-per-arm", "execution: {keep: all}"):
        assert text in done.stderr
    assert not model.parent.exists()


def test_nothing_is_overwritten_unless_that_is_said(export) -> None:
    done, model = export("safetensors")
    assert done.returncode == 0, done.stderr
    model.write_bytes(b"mine")
    done, _ = export("safetensors")
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert model.read_bytes() == b"mine"
    assert export("safetensors", "best", "--force")[0].returncode == 0
    assert model.read_bytes() != b"mine"
    assert sorted(path.name for path in model.parent.iterdir()) == ["MODEL.md", "model.safetensors"]


def test_the_folder_is_named_after_the_trial(trained, tmp_path, digits) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    done = ablate("export", "digits.yaml", "best", "--to", "safetensors", cwd=tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    best = best_first(digits.records())[0].trial.id
    assert (tmp_path / "copy" / f"digits-{best}-safetensors" / "model.safetensors").exists()
    assert f"ablate predict digits-{best}-safetensors/model.safetensors" in done.stderr


def test_an_unknown_format_is_told_with_those_that_there_are(export) -> None:
    done, _ = export("onx")
    assert done.returncode == 2
    assert "Did you mean onnx? Allowed: safetensors, pt2, onnx." in done.stderr


def test_a_missing_package_is_told_with_how_to_have_it(export, monkeypatch) -> None:
    from ablation.exporting import as_onnx

    monkeypatch.setattr(as_onnx, "TO_WRITE", ("nosuch_package",))
    done, model = export("onnx")
    assert done.returncode == 5
    assert "pip install 'ablation-harness[onnx]'" in done.stderr
    assert not model.parent.exists()


def test_a_trial_of_a_search_is_checked_on_its_validation_images(tmp_path: Path) -> None:
    """In colour, and measured in bfloat16."""
    text = SEARCH.replace("trials: 5", "trials: 2").replace("num_classes: 3", "num_classes: 3, channels: 3")
    (tmp_path / "search.yaml").write_text(text.replace("float32", "bfloat16"))
    assert ablate("run", "search.yaml", "--no-tracking", cwd=tmp_path).returncode == 0
    done = ablate("export", "search.yaml", "00001", "--to", "safetensors", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the record of the trial (bfloat16 then)" in done.stderr
    card = (tmp_path / "out" / "MODEL.md").read_text("utf-8")
    for words in ("on 9 of the validation images", "is a search of 2 trials", "in the order red, green, blue"):
        assert words in card
    Image.new("RGB", (12, 12), "red").save(tmp_path / "red.png")
    done = ablate("predict", "out/model.safetensors", "red.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "glyph" in done.stdout


STEP = '''"""Centre images by the mean of the training images."""


def build(*, by: float | None = None):
    """Subtract the mean of all training pixels, or a number."""

    def fit(images):
        mean = images.float().mean().div(255) if by is None else by
        return lambda batch: batch - mean

    return fit
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A study with a model and a preprocessing step from outside the package."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "centre.py").write_text(STEP)
    (tmp_path / "lab" / "line.py").write_text(
        '"""A linear classifier."""\n\nfrom torch import nn\n\n\ndef build(num_classes: int, in_channels: int):\n'
        '    """One linear layer."""\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))\n'
    )
    (tmp_path / "own.yaml").write_text(
        "question: q\ndataset: {name: digits, train_size: 100, test_size: 50}\nmodel: lab.line\n"
        "preprocessing: {lab.centre: {}}\nrecipe: {epochs: 1, batch_size: 32, precision: float32}\n"
        "factors: {flip: {none: {}, some: {augmentations.flip: {}}}}\ndesign: one-factor\nseeds: 1\nmargin: 0.1\n"
    )
    return tmp_path


def test_a_step_of_ones_own_says_what_it_learnt_or_goes_into_a_graph_alone(own: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(own))
    assert ablate("run", "own.yaml", "--no-tracking", cwd=own).returncode == 0
    done = ablate("export", "own.yaml", "best", "--to", "safetensors", "--out", "out", cwd=own)
    assert done.returncode == 2
    assert "give its module a function `learnt`" in done.stderr
    assert not (own / "out").exists()
    done = ablate("export", "own.yaml", "best", "--to", "pt2", "--out", "out", cwd=own)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.centre, lab.line" in done.stderr
    centre = sys.modules["lab.centre"]
    monkeypatch.setattr(centre, "learnt", lambda images, by: {"by": images.float().mean().item() / 255}, raising=False)
    done = ablate("export", "own.yaml", "best", "--to", "safetensors", "--out", "out", cwd=own)
    assert done.returncode == 2, "MODEL.md of the other format would be overwritten"
    done = ablate("export", "own.yaml", "best", "--to", "safetensors", "--out", "out", "--force", cwd=own)
    assert done.returncode == 0, done.stderr
    Image.new("L", (8, 8)).save(own / "black.png")
    done = ablate("predict", "out/model.safetensors", "black.png", cwd=own)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.centre, lab.line" in done.stderr
