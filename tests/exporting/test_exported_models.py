"""What comes out of an export: a file that gives what the trial gave, in each format."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ablate
from exported import DIGITS, FORMATS
from PIL import Image

from ablation.datasets import digits as data
from ablation.exporting import open_model
from ablation.keeping import best_first

LIGHT = """
import sys
from pathlib import Path
import numpy as np
from ablation.exporting import open_model
open_model(sys.argv[1]).load()(np.zeros((1, 1, 8, 8), np.uint8))
assert "torch" not in sys.modules
"""


def measured():
    return data.build(Path(), train_size=300, test_size=200).test


@pytest.mark.parametrize("to", FORMATS)
def test_a_model_gives_what_its_trial_recorded(to: str, export, digits) -> None:
    done, model = export(to)
    assert done.returncode == 0, done.stderr
    best = best_first(digits.records())[0]
    recorded = np.load(digits.trial_folder(best.trial.id) / "predictions.npz", allow_pickle=False)
    images = measured()
    given = open_model(model).load()(images.images)
    assert given.dtype == np.float32
    assert given.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(given - recorded["probabilities"]).max() < 1e-3
    assert (given.argmax(1) == recorded["probabilities"].argmax(1)).all()
    assert (given.argmax(1) == images.labels).mean() == pytest.approx(best.outcome.test.accuracy)
    assert "best" not in str(model)
    assert f"wrote {best.trial.id} ({best.trial.arm.name}, seed block {best.trial.block})" in done.stderr


def test_what_is_written_is_what_was_scored(tmp_path: Path) -> None:
    """The average of the weights, over images and mirror images; the export itself holds it against the record."""
    recipe = "weight_average: 0.9, mirrored_scoring: true, precision: float32"
    (tmp_path / "digits.yaml").write_text(
        DIGITS.replace("precision: float32", recipe).replace("epochs: 4", "epochs: 1")
    )
    assert ablate("run", "digits.yaml", "--no-tracking", "--set", "seeds=1", cwd=tmp_path).returncode == 0
    done = ablate("export", "digits.yaml", "best", "--to", "safetensors", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert open_model(tmp_path / "out" / "model.safetensors").description.mirrored


@pytest.mark.parametrize("to", FORMATS)
def test_any_number_of_images_may_be_given_at_once(to: str, models) -> None:
    run = open_model(models(to)).load()
    images = measured().images
    whole = run(images)
    assert np.concatenate([run(images[:1]), run(images[1:4]), run(images[4:])]) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_says_of_itself_what_it_is(to: str, models, digits) -> None:
    said = open_model(models(to)).description
    best = best_first(digits.records())[0]
    assert (said.study, said.trial, said.arm) == ("digits", best.trial.id, best.trial.arm.name)
    assert said.digest == digits.beginning().digest
    assert said.classes == tuple("0123456789")
    assert said.shape == (1, 8, 8)
    (step,) = said.preprocessing
    assert step.choices["statistics"] == "given"


@pytest.mark.parametrize("to", FORMATS)
def test_pictures_of_test_images_get_the_class_that_was_recorded(to: str, models, digits, tmp_path) -> None:
    images, wanted = measured().images[:20], recorded_classes(digits)[:20]
    paths = [tmp_path / f"image {number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image[0]).save(path)
    done = ablate("predict", str(models(to)), *map(str, paths), "--top", "1", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert [each["image"] for each in found] == [str(path) for path in paths]
    assert [each["predictions"][0]["class"] for each in found] == [str(each) for each in wanted]
    assert not any(each["changes"] for each in found)


@pytest.mark.parametrize("to", FORMATS)
def test_the_lines_on_the_card_load_the_model(to: str, models) -> None:
    model = models(to)
    code = (model.parent / "MODEL.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) == 3
    images = measured().images
    if to == "pt2":
        import torch

        given = torch.from_numpy(images)
    else:
        given = images
    names = {"images": given}
    with contextlib.chdir(model.parent):
        exec(code, names)
    assert np.asarray(names["probabilities"].tolist()) == pytest.approx(open_model(model).load()(images), abs=1e-5)


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_names_no_place_of_this_machine_and_holds_no_image(to: str, models, trained) -> None:
    content = models(to).read_bytes()
    for place in (str(trained), str(Path.home()), str(Path(__file__).parents[2]), sys.prefix):
        assert place.encode() not in content


@pytest.mark.parametrize("to", FORMATS[2:])
def test_opening_onnx_needs_no_torch(to: str, models) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, models(to)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def recorded_classes(digits) -> np.ndarray:
    place = digits.trial_folder(best_first(digits.records())[0].trial.id)
    return np.load(place / "predictions.npz", allow_pickle=False)["probabilities"].argmax(1)
