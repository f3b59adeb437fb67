"""The second layer of a study's findings: what it reads, what it leaves out and says so, and that it is quick."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_runs import CLASSES, NUM_IMAGES, Planted, made_run
from scipy import stats

from ablation import designs
from ablation.analysis.analyse import analyse
from ablation.analysis.contrasts import Contrast
from ablation.analysis.image_layer import ImageLayer, image_layer
from ablation.analysis.predictions import Predictions, read_predictions
from ablation.analysis.results import from_records
from ablation.analysis.routes import Rule
from ablation.findings import Analysis
from ablation.run_folder import RunFolder
from ablation.study import Study

DROP = {"crop=shifted": 0.7, "flip=flipped": 0.8}


@pytest.fixture
def study(small_study: Study) -> Study:
    return small_study.model_copy(update={"seeds": 4})


def analysed(folder: RunFolder, study: Study) -> Analysis:
    arms, records = designs.arms(study), folder.records()
    layer = image_layer(folder, records, [arm.name for arm in arms], study.evaluate_on == "test")
    return analyse(from_records(study, arms, records), layer)


def predictions(folder: RunFolder, arm: str, block: int) -> Path:
    record = next(one for one in folder.records() if (one.trial.arm.name, one.trial.block) == (arm, block))
    return folder.trial_folder(record.trial.id) / "predictions.npz"


def test_an_image_has_one_value_its_difference_of_mean_correctness(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    found = analysed(folder, study).findings[0].images
    right = {
        arm: [read_predictions(predictions(folder, arm, block).parent).correct for block in range(4)]
        for arm in ("baseline", "crop=shifted")
    }
    values = np.mean(right["crop=shifted"], axis=0) - np.mean(right["baseline"], axis=0)
    assert (found.effect, found.standard_error) == pytest.approx((values.mean(), stats.sem(values)))
    assert (found.gained, found.lost) == ((values > 0).sum(), (values < 0).sum())
    assert (found.images, found.seed_blocks) == (NUM_IMAGES, 4)


def test_the_layer_agrees_with_the_finding_beside_it(tmp_path: Path, study: Study) -> None:
    finding = analysed(made_run(tmp_path / "run", study, Planted(DROP)), study).findings[0]
    assert finding.effect == pytest.approx(finding.images.effect)
    assert finding.effect == pytest.approx(np.mean([one.effect for one in finding.classes]))  # classes of equal size
    assert [one.name for one in finding.classes] == list(CLASSES)


def test_a_planted_drop_survives_in_every_class_and_no_drop_in_none(tmp_path: Path, study: Study) -> None:
    many = study.model_copy(update={"seeds": 8})
    planted = Planted({"crop=shifted": 0.6, "flip=flipped": 0.8}, sd=0.002)
    dropped, level = analysed(made_run(tmp_path / "run", many, planted), many).findings
    assert all(one.survives and one.high < 0 for one in dropped.classes)
    assert not any(one.survives for one in level.classes)


def test_one_seed_block_has_changes_and_marks_none(tmp_path: Path, study: Study) -> None:
    one = study.model_copy(update={"seeds": 1})
    finding = analysed(made_run(tmp_path / "run", one, Planted(DROP)), one).findings[0]
    assert all(each.effect is not None and each.low is None and not each.survives for each in finding.classes)
    assert finding.images.standard_error > 0


def test_before_the_plan_is_complete_nothing_survives(tmp_path: Path, study: Study) -> None:
    planted = Planted({"crop=shifted": 0.5}, statuses={("flip=flipped", 3): "missing"}, sd=0.001)
    finding = analysed(made_run(tmp_path / "run", study, planted), study).findings[0]
    assert finding.verdict == "provisional"
    assert all(each.effect < -0.1 and each.low is None and each.p_adjusted is None for each in finding.classes)


def test_what_is_missing_is_left_out_and_said(tmp_path: Path, study: Study) -> None:
    statuses = {("crop=shifted", 0): "failed", ("crop=shifted", 1): "diverged"}
    folder = made_run(tmp_path / "run", study, Planted(DROP, statuses=statuses))
    predictions(folder, "flip=flipped", 2).unlink()
    damaged = predictions(folder, "baseline", 3)
    damaged.write_bytes(damaged.read_bytes()[:200])
    crop, flip = (analysis := analysed(folder, study)).findings
    assert (crop.images.seed_blocks, flip.images.seed_blocks) == (1, 2)
    assert [one.seed_blocks for one in crop.classes] == [2, 2, 2]  # their matrices are there
    (note,) = [note for note in analysis.notes if "predictions" in note]
    assert note == (
        "Of 10 complete trials the images leave out: 1 trial without predictions.npz; 1 trial whose predictions.npz is "
        f"damaged ({damaged.parent.name})."
    )


def test_without_any_prediction_only_the_images_are_missing(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    for file in folder.path.rglob("predictions.npz"):
        file.unlink()
    analysis = analysed(folder, study)
    assert all(one.images is None and one.classes for one in analysis.findings)
    assert any("12 trials without predictions.npz" in note for note in analysis.notes)


def test_trials_on_other_images_are_left_out_and_said(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    other = predictions(folder, "baseline", 0)
    stored = dict(np.load(other))
    np.savez(other, probabilities=stored["probabilities"], labels=stored["labels"][::-1])
    analysis = analysed(folder, study)
    assert [one.images.seed_blocks for one in analysis.findings] == [3, 3]
    assert any("1 trial evaluated on other images" in note for note in analysis.notes)


def test_validation_images_of_unlike_blocks_are_not_taken_for_the_same(tmp_path: Path, study: Study) -> None:
    """Their classes may stand in the same order, and the images are others all the same."""
    validated = study.model_copy(update={"evaluate_on": "validation"})
    analysis = analysed(made_run(tmp_path / "run", validated, Planted(DROP)), validated)
    assert all(one.images is None and one.classes for one in analysis.findings)


def test_an_arm_without_any_trial_has_no_layer_and_takes_nothing_from_the_others(tmp_path: Path, study: Study) -> None:
    statuses = {("crop=shifted", block): "failed" for block in range(4)}
    crop, flip = analysed(made_run(tmp_path / "run", study, Planted(DROP, statuses=statuses)), study).findings
    assert (crop.images, crop.classes) == (None, ())
    assert flip.images.seed_blocks == 4


def said(right: np.ndarray) -> Predictions:
    """Predictions of class 0 for images that are of it where they are right, else of class 1."""
    return Predictions(np.zeros(len(right), dtype=np.int64), np.where(right, 0, 1))


def test_an_interaction_is_a_difference_of_differences_image_by_image() -> None:
    right = np.random.default_rng(2).random((4, 3, 50)) < 0.7
    arms = ("00", "01", "10", "11")
    layer = ImageLayer(
        arms, (), {}, {(arm, block): said(right[at, block]) for at, arm in enumerate(arms) for block in range(3)}
    )
    crossed = Contrast("interaction", "a × b", "", "", (1.0, -1.0, -1.0, 1.0))
    means = right.mean(axis=1)
    values = means[0] - means[1] - means[2] + means[3]
    assert layer.image_effect(crossed).effect == pytest.approx(values.mean())
    assert layer.image_effect(crossed).gained == (values > 1e-9).sum()


def test_a_hundred_trials_of_ten_thousand_images_take_a_moment(tmp_path: Path) -> None:
    draws = np.random.default_rng(3)
    arms = tuple(map(str, range(10)))
    correct = {(arm, block): said(draws.random(10_000) < 0.9) for arm in arms for block in range(10)}
    recalls = {place: draws.random(10) for place in correct}
    layer = ImageLayer(arms, tuple(map(str, range(10))), recalls, correct)
    file = tmp_path / "predictions.npz"
    np.savez(file, probabilities=draws.random((10_000, 10)).astype(np.float16), labels=np.arange(10_000) % 10)
    begun = time.process_time()
    for arm in range(1, 10):
        contrast = Contrast("main", "", "", "", tuple(float(at == arm) - float(at == 0) for at in range(10)))
        assert layer.image_effect(contrast).images == 10_000
        assert len(layer.class_effects(contrast, told=True)) == 10
    for _ in range(100):
        read_predictions(tmp_path)
    assert time.process_time() - begun < 4  # measured: 0.5 s


def test_a_withheld_main_effect_has_no_layer() -> None:
    from made_tables import made_table, noise

    scores = noise(4, 6) + np.array([0, 0.1, 0.1, -0.2])[:, None]
    table = made_table(scores, {"crop": ["with", "without"], "flip": ["with", "without"]}, "factorial")
    arms = tuple(table.arms)
    right = np.random.default_rng(4).random((4, 6, 30)) < 0.8
    places = {(arm, block): said(right[at, block]) for at, arm in enumerate(arms) for block in range(6)}
    recalls = {place: np.array([0.5, 0.6]) for place in places}
    found = analyse(table, ImageLayer(arms, ("cat", "dog"), recalls, places)).findings
    withheld = [one for one in found if "withheld" in one.sentence]
    assert withheld
    assert all(one.images is None and one.classes == () and one.other is None for one in withheld)
    assert all(one.images is not None for one in found if one.kind != "main")


def test_where_looks_are_many_the_classes_have_estimates_alone(tmp_path: Path, study: Study) -> None:
    """Their intervals hold for one look."""
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted": 0.4}, sd=0.001))
    arms, records = designs.arms(study), folder.records()
    layer = image_layer(folder, records, [arm.name for arm in arms], shared_images=True)
    table = replace(from_records(study, arms, records), rule=Rule(anytime=True))
    finding = analyse(table, layer).findings[0]
    assert finding.verdict == "hurts"
    assert all(one.effect < -0.2 and one.low is None and not one.survives for one in finding.classes)


def test_a_table_without_a_layer_has_none(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    table = from_records(study, designs.arms(study), folder.records())
    assert all(one.images is None and one.classes == () for one in analyse(table).findings)
