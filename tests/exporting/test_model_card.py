"""The card beside a model says what is true of it."""

import json

import pytest
import yaml
from commands import ablate
from exported import DIGITS
from statsmodels.stats.proportion import proportion_confint

from ablation.analysis.images import wilson
from ablation.keeping import best_first
from ablation.sealed import sum_of

HEADINGS = [
    "Model details",
    "How to get started with the model",
    "Training details",
    "Evaluation",
    "Parity",
    "Bias, risks, and limitations",
    "Technical specifications",
]


@pytest.fixture
def card(models) -> str:
    return (models("safetensors").parent / "MODEL.md").read_text("utf-8")


def test_it_has_the_headings_of_a_card(card: str) -> None:
    assert [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")] == HEADINGS


def test_its_metadata_are_yaml(card: str, digits) -> None:
    _, front, _ = card.split("---\n", 2)
    best = best_first(digits.records())[0]
    read = yaml.safe_load(front)
    assert read["pipeline_tag"] == "image-classification"
    assert read["datasets"] == ["digits"]
    (result,) = read["model-index"][0]["results"]
    assert result["dataset"] == {"type": "digits", "name": "digits", "split": "test"}
    assert result["metrics"][0] == {"type": "accuracy", "value": best.outcome.test.accuracy}


def test_it_says_how_good_the_model_is_and_on_how_many_images(card: str, digits) -> None:
    best = best_first(digits.records())[0]
    right = round(200 * best.outcome.test.accuracy)
    low, high = (100 * value for value in proportion_confint(right, 200, method="wilson"))
    assert f"{right / 2:.2f} % ({right} of 200; 95 % interval [{low:.2f}, {high:.2f}] %, Wilson)" in card
    others = [one.outcome.test.accuracy for one in digits.records_of(best.trial.arm)]
    assert f"accuracies of {100 * min(others):.2f} % to {100 * max(others):.2f} % on test images in its 2" in card


def test_it_says_where_the_model_comes_from(card: str, digits) -> None:
    best, begun = best_first(digits.records())[0], digits.beginning()
    for text in (begun.digest, best.trial.id, "Does shifting digits help to read them?", best.outcome.stamp.device):
        assert text in card
    for name, version in best.outcome.stamp.versions.items():
        assert f"{name} {version}" in card.replace("\\", "")
    assert "training, " in card
    assert "30 validation, 200 test" in card


def test_it_is_about_the_file_beside_it(models) -> None:
    model = models("safetensors")
    card = (model.parent / "MODEL.md").read_text("utf-8")
    assert f"`model.safetensors`, {model.stat().st_size:,} bytes, sha256 `{sum_of(model.read_bytes())}`" in card


@pytest.mark.parametrize(("right", "images"), [(0, 10), (10, 10), (187, 200), (1, 3)])
def test_the_interval_is_wilsons(right: int, images: int) -> None:
    assert wilson(right, images) == pytest.approx(proportion_confint(right, images, method="wilson"), abs=1e-12)


def test_names_from_outside_cannot_write_the_card(tmp_path) -> None:
    """An arm's name is what a study file says: it stays text."""
    hostile = "x | y <b>z</b> ## q"
    text = DIGITS.replace("some:", f'"{hostile}":').replace("seeds: 2", "seeds: 1").replace("epochs: 4", "epochs: 1")
    (tmp_path / "hostile.yaml").write_text(text)
    assert ablate("run", "hostile.yaml", "--no-tracking", cwd=tmp_path).returncode == 0
    arm = next(
        json.loads(file.read_bytes())["arm"]["name"]
        for file in (tmp_path / "runs" / "hostile" / "trials").glob("*/trial.json")
        if b"x |" in file.read_bytes()
    )
    done = ablate("export", "hostile.yaml", arm, "--to", "safetensors", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "out" / "MODEL.md").read_text("utf-8")
    assert "<b>" not in card
    assert [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")] == HEADINGS
    assert "the only complete one" in card
