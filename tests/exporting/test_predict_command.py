"""`ablate predict`: classes of image files, by models and files of all sorts."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import ablate
from exported import FORMATS
from markdown import code, rows, section
from PIL import Image
from source_tree import ROOT
from test_documentation import keys_of

from ablation.datasets import digits as data


@pytest.fixture
def model(models) -> Path:
    return models("safetensors")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(data.build(Path()).test.images[0, 0]).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def test_it_prints_the_most_probable_classes(model: Path, picture: Path, tmp_path: Path) -> None:
    done = ablate("predict", str(model), "digit.png", "--top", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, first, second = done.stdout.splitlines()
    assert head.split() == ["image", "class", "probability"]
    assert first.startswith("digit.png")
    values = [float(line.split()[-1]) for line in (first, second)]
    assert values == sorted(values, reverse=True)
    as_json = json.loads(ablate("predict", str(model), "digit.png", "--json", cwd=tmp_path).stdout)
    assert [round(each["probability"], 4) for each in as_json[0]["predictions"]][:2] == values
    assert len(as_json[0]["predictions"]) == 3
    assert first.split()[1] == as_json[0]["predictions"][0]["class"]


def test_a_bad_file_is_named_and_the_others_are_predicted(model: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    names = ["text.png", "digit.png", "missing.png", "folder.png"]
    done = ablate("predict", str(model), *names, "--json", cwd=tmp_path)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [each["image"] for each in found] == names
    assert [bool(each["predictions"]) for each in found] == [False, True, False, False]
    assert [bool(each["error"]) for each in found] == [True, False, True, True]
    for name in ("text.png", "missing.png", "folder.png"):
        assert re.search(f"^error: {name} cannot be read", done.stderr, re.MULTILINE)
    done = ablate("predict", str(model), "text.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")


def test_what_was_changed_is_said(model: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "photo.jpg")
    done = ablate("predict", str(model), "photo.jpg", cwd=tmp_path)
    assert done.returncode == 0
    assert "photo.jpg: made grey" in done.stderr
    assert "photo.jpg: resized from 40 x 30 to 8 x 8 pixels, which changes its proportions" in done.stderr


def test_the_reference_has_every_key_of_the_json(model: Path, picture: Path, tmp_path: Path) -> None:
    done = ablate("predict", str(model), "digit.png", "--json", cwd=tmp_path)
    listed = [code(row[0])[0] for row in rows(section(ROOT / "docs" / "reference" / "json.md", "## Predict"))]
    assert listed == list(keys_of(json.loads(done.stdout)))


@pytest.mark.parametrize("suffix", ["safetensors", "pt2", "onnx", "pickle"])
@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04" + bytes(60)])
def test_a_file_that_is_no_model_is_one_error(tmp_path: Path, picture: Path, suffix: str, content: bytes) -> None:
    if suffix == "onnx":
        pytest.importorskip("onnxruntime")
    (tmp_path / f"model.{suffix}").write_bytes(content)
    done = ablate("predict", f"model.{suffix}", "digit.png", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: model.{suffix}")
    assert done.stdout == ""


def test_a_missing_model_is_one_error(tmp_path: Path, picture: Path) -> None:
    for name in ("model.pt2", "."):
        done = ablate("predict", name, "digit.png", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")


def test_tensors_without_a_description_are_no_model(tmp_path: Path, picture: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    done = ablate("predict", "model.safetensors", "digit.png", cwd=tmp_path)
    assert done.returncode == 2
    assert "was not written by `ablate export`" in done.stderr


@pytest.mark.parametrize("to", FORMATS)
def test_a_truncated_model_is_one_error(to: str, models, picture: Path, tmp_path: Path) -> None:
    (tmp_path / f"model.{to}").write_bytes(models(to).read_bytes()[:-100])
    done = ablate("predict", f"model.{to}", "digit.png", cwd=tmp_path)
    assert done.returncode == 2
    assert f"model.{to} cannot be read" in done.stderr
