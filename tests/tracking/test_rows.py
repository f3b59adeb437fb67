import pytest
from made_up import SETTINGS, STAMP, made_up_record

from ablation.settings import Part
from ablation.tracking import rows
from ablation.tracking.rows import Point
from ablation.trial import uniform_guess

START = 1_000_000


def test_parameters_begin_with_the_factors_and_hold_every_setting() -> None:
    found = rows.parameters(made_up_record(block=3, crop="without", width="wide").trial)
    assert list(found.items())[:3] == [("factor.crop", "without"), ("factor.width", "wide"), ("seed_block", "3")]
    assert list(found) != sorted(found)
    assert list(found)[:3] == sorted(found)[:3], "MLflow's pages show them by the alphabet"
    assert found["setting.model.name"] == "small"
    assert found["setting.model.width"] == "8"
    assert found["setting.preprocessing"] == "none"
    assert found["setting.augmentations"] == "crop, flip"
    assert found["setting.augmentations.crop.padding"] == "2"
    assert found["setting.recipe.optimizer.momentum"] == "0.9"
    assert found["setting.recipe.epochs"] == "2"


def test_parameters_flatten_nested_choices_and_cut_long_values() -> None:
    trial = made_up_record().trial
    choices = {"head": {"width": 5, "names": ["a", None]}, "note": "x" * 9000}
    settings = SETTINGS.model_copy(update={"model": Part(name="m", choices=choices)})
    found = rows.parameters(trial.model_copy(update={"arm": trial.arm.model_copy(update={"settings": settings})}))
    assert found["setting.model.head.width"] == "5"
    assert found["setting.model.head.names"] == '["a", null]'
    assert found["setting.model.note"] == "x" * 5999 + "…"


def test_keys_are_made_legal_without_losing_one() -> None:
    found = rows.keyed({"factor.a/b": "1", "factor.a?b": "2", "factor.ü ä": "3", "x" * 300: "4", "x" * 260: "5"})
    assert found["factor.a_b"] == "1"
    assert found["factor.a_b_2"] == "2"
    assert found["factor.ü ä"] == "3"
    assert list(found.values()) == ["1", "2", "3", "4", "5"]
    assert max(map(len, found)) <= 250


def test_curves_stand_at_the_end_of_their_epochs_and_single_numbers_at_step_0() -> None:
    points = rows.points(made_up_record(accuracy=0.9), START)
    curve = [point for point in points if point.key == "validation/loss"]
    assert curve == [
        Point("validation/loss", 0.5, START + 1500, 1),
        Point("validation/loss", 0.25, START + 3000, 2),
    ]
    assert points[:2] == [
        Point("test/accuracy", 0.9, START + 4000, 0),
        Point("test/loss", 0.25, START + 4000, 0),
    ]
    assert Point("parameters", 1234.0, START + 4000, 0) in points


def test_a_diverged_trial_ends_its_validation_curve_at_the_uniform_guess() -> None:
    points = rows.points(made_up_record(status="diverged"), START)
    last = max((point for point in points if point.key == "validation/accuracy"), key=lambda point: point[2:])
    assert last == Point("validation/accuracy", uniform_guess(2).accuracy, START + 4000, 2)


def test_a_trial_that_failed_at_once_has_only_its_cost() -> None:
    record = made_up_record(status="failed").model_copy(update={"epochs": ()})
    assert {point.key for point in rows.points(record, START)} == {
        "seconds",
        "images_per_second",
        "parameters",
        "peak_memory_bytes",
    }


def test_tags_say_arm_levels_block_status_and_machine() -> None:
    found = rows.tags(made_up_record(block=1, status="diverged", crop="without"))
    expected = {
        "arm": "crop=without",
        "factor.crop": "without",
        "seed block": "1",
        "status": "diverged",
        "reason": "diverged <b>here</b>",
        "device": "cpu",
        "threads": "1",
        "versions": "python 3.11 · torch 2.15",
        "mlflow.source.git.commit": "c0ffee",
        "git dirty": "false",
    }
    assert expected.items() <= found.items()
    assert "baseline" not in found


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00", "2026-11-22T10:00:00+00:00", "2026-11-22T11:00:00+01:00"])
def test_a_start_without_a_zone_is_utc(text: str) -> None:
    assert rows.started(STAMP.model_copy(update={"started": text})) == 1_795_341_600_000


def test_an_unknown_start_is_none() -> None:
    assert rows.started(None) is None
    assert rows.started(STAMP.model_copy(update={"started": ""})) is None


def test_batches_keep_all_rows_in_order_within_both_limits() -> None:
    many = [(f"key {number}", "v" * 6000) for number in range(101)]
    batches = list(rows.batches(many, 100))
    assert [row for batch in batches for row in batch] == many
    assert all(len(batch) <= 100 and sum(len(row[1]) for row in batch) <= 250_000 for batch in batches)
    assert [len(batch) for batch in rows.batches([("k", "v")] * 250, 100)] == [100, 100, 50]


def test_the_name_of_a_run_keeps_its_seed_block_however_long_the_arm_is() -> None:
    assert rows.run_name(made_up_record(block=3, crop="without").trial) == "crop=without · seed block 3"
    name = rows.run_name(made_up_record(block=3, crop="x" * 500).trial)
    assert len(name) == 250
    assert name.endswith("… · seed block 3")
