"""Designs list the right arms, in a run order that is random, repeatable and stable when arms are added."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ablation import conditions, designs
from ablation.components import complete_settings
from ablation.errors import ComponentError, InputError
from ablation.settings import Part, Settings
from ablation.study import Design, Explicit, Factor, Factorial, LevelsFactor, OneFactor, RangeFactor, Search, Study

BASELINE = complete_settings(
    Settings(dataset=Part(name="digits"), model=Part(name="small"), augmentations=(Part(name="crop"),))
)
CROP = LevelsFactor(levels={"with": {}, "without": {"augmentations.crop": None}})
FLIP = LevelsFactor(levels={"without": {}, "with": {"augmentations.flip": {}}})
EPOCHS = LevelsFactor(levels={"16": {}, "8": {"recipe.epochs": 8}, "4": {"recipe.epochs": 4}})
OPTIMIZER = LevelsFactor(levels={"sgd": {}, "adamw": {"recipe.optimizer": "adamw"}})
MOMENTUM = LevelsFactor(levels={"high": {}, "low": {"recipe.optimizer.momentum": 0.5}}, when={"optimizer": "sgd"})


def study_of(factors: dict[str, Factor], design: Design | None = None, **changes: Any) -> Study:
    given = {"name": "s", "scale": "full", "question": "?", "baseline": BASELINE, "seeds": 2, "margin": 0.01}
    return Study(**{**given, **changes}, factors=factors, design=design or OneFactor())


def names(study: Study) -> list[str]:
    return [arm.name for arm in designs.arms(study)]


def test_one_factor_lists_the_baseline_and_each_other_level() -> None:
    arms = designs.arms(study_of({"crop": CROP, "epochs": EPOCHS}))
    assert [arm.name for arm in arms] == ["baseline", "crop=without", "epochs=8", "epochs=4"]
    assert [arm.baseline for arm in arms] == [True, False, False, False]
    assert arms[0].levels == {"crop": "with", "epochs": "16"}
    assert arms[0].settings == BASELINE
    assert arms[1].settings == BASELINE.model_copy(update={"augmentations": ()})
    assert [arm.settings.recipe.epochs for arm in arms] == [16, 16, 8, 4]


def test_a_reference_that_changes_something_is_the_baseline() -> None:
    arms = designs.arms(study_of({"epochs": LevelsFactor(levels={"2": {"recipe.epochs": 2}, "16": {}})}))
    assert [(arm.name, arm.settings.recipe.epochs) for arm in arms] == [("baseline", 2), ("epochs=16", 16)]


def test_factorial_lists_every_combination_once() -> None:
    arms = designs.arms(study_of({"crop": CROP, "flip": FLIP, "epochs": EPOCHS}, Factorial()))
    assert len(arms) == len({arm.settings.signature() for arm in arms}) == 2 * 2 * 3
    assert arms[0].baseline
    assert {tuple(arm.levels.values()) for arm in arms} == {
        (crop, flip, epochs) for crop in CROP.levels for flip in FLIP.levels for epochs in EPOCHS.levels
    }


def test_a_factor_whose_condition_does_not_hold_has_no_level() -> None:
    arms = designs.arms(study_of({"momentum": MOMENTUM, "optimizer": OPTIMIZER}, Factorial()))
    assert [arm.levels for arm in arms] == [
        {"momentum": "high", "optimizer": "sgd"},
        {"momentum": "low", "optimizer": "sgd"},
        {"optimizer": "adamw"},
    ]
    # The patch of the optimizer comes first although the file names momentum first: else it would undo the momentum.
    assert arms[1].settings.recipe.optimizer.choices["momentum"] == 0.5


def test_a_condition_on_a_factor_without_a_level_does_not_hold() -> None:
    third = LevelsFactor(
        levels={"off": {}, "on": {"recipe.optimizer.nesterov": True}}, when={"momentum": ["high", "low"]}
    )
    study = study_of({"optimizer": OPTIMIZER, "momentum": MOMENTUM, "nesterov": third}, Factorial())
    assert [tuple(arm.levels.values()) for arm in designs.arms(study)] == [
        ("sgd", "high", "off"),
        ("sgd", "high", "on"),
        ("sgd", "low", "off"),
        ("sgd", "low", "on"),
        ("adamw",),
    ]


def test_explicit_arms_keep_their_names_and_the_baseline() -> None:
    design = Explicit(arms={"bare": {"crop": "without"}, "both": {"crop": "without", "flip": "with"}})
    study = study_of({"crop": CROP, "flip": FLIP}, design)
    assert names(study) == ["baseline", "bare", "both"]
    assert [part.name for part in designs.arms(study)[2].settings.augmentations] == ["flip"]


def test_two_arms_of_equal_settings_are_refused_rather_than_made_one() -> None:
    twice = LevelsFactor(levels={"a": {}, "b": {"augmentations.crop": None}})
    study = study_of({"crop": CROP, "again": twice}, Factorial())
    with pytest.raises(InputError, match="the arms again=b and crop=without have the same settings"):
        designs.arms(study)


@pytest.mark.parametrize("design", [OneFactor(), Factorial()])
@pytest.mark.parametrize(
    "factors",
    [
        {"crop": CROP},
        {"crop": CROP, "epochs": EPOCHS, "flip": FLIP},
        {"optimizer": OPTIMIZER, "momentum": MOMENTUM},
        {"momentum": MOMENTUM, "crop": CROP, "optimizer": OPTIMIZER, "epochs": EPOCHS},
    ],
)
def test_the_count_is_the_number_of_arms(design: Design, factors: dict[str, Factor]) -> None:
    study = study_of(factors, design)
    assert designs.count_arms(study) == len(designs.arms(study))
    assert designs.planned_count(study) == len(designs.planned_trials(study)) == 2 * len(designs.arms(study))


@pytest.mark.parametrize("conditional", [False, True])
def test_a_billion_arms_are_refused_at_once(conditional: bool) -> None:
    factors: dict[str, Factor] = {
        f"choice {index}": LevelsFactor(
            levels={"off": {}, "on": {f"augmentations.lab.step{index}": {}}},
            when={"choice 0": "off"} if conditional and index else {},
        )
        for index in range(40)
    }
    started = time.process_time()
    with pytest.raises(InputError, match=r"arms; at most 100,000 are allowed"):
        designs.arms(study_of(factors, Factorial()))
    assert time.process_time() - started < 2


def test_trials_run_block_after_block_in_an_order_of_their_own() -> None:
    study = study_of({"crop": CROP, "flip": FLIP, "epochs": EPOCHS}, Factorial(), seeds=6)
    trials = designs.planned_trials(study)
    blocks = [[trial for trial in trials if trial.block == block] for block in range(6)]
    orders = [[trial.arm.name for trial in block] for block in blocks]

    assert [trial.block for trial in trials] == sorted(trial.block for trial in trials)
    assert all(sorted(order) == sorted(names(study)) for order in orders)
    assert len({tuple(order) for order in orders}) == 6
    assert trials == designs.planned_trials(study)
    assert len({trial.id for trial in trials}) == len(trials)
    assert trials[0].id == f"{trials[0].arm.settings.signature()}-b000"


def test_every_arm_comes_first_about_equally_often() -> None:
    study = study_of({"crop": CROP, "flip": FLIP}, Factorial(), seeds=400)
    first = [trial.arm.name for trial in designs.planned_trials(study)[::4]]
    # Binomial with n = 400 and p = 1/4: a standard deviation of 8.7 around 100.
    assert all(65 < first.count(name) < 135 for name in names(study))


def test_an_added_arm_or_block_does_not_move_the_others() -> None:
    few = designs.planned_trials(study_of({"crop": CROP}))
    more = designs.planned_trials(study_of({"crop": CROP, "flip": FLIP}, seeds=4))
    known = {trial.id for trial in few}
    assert [trial.id for trial in more if trial.id in known] == [trial.id for trial in few]


def test_trials_read_the_split_that_the_study_names() -> None:
    trials = designs.planned_trials(study_of({"crop": CROP}, evaluate_on="validation"))
    assert {trial.evaluate_on for trial in trials} == {"validation"}


SEARCH: dict[str, Factor] = {
    "optimizer": OPTIMIZER,
    "rate": RangeFactor(sets="recipe.learning_rate", range=[0.01, 1.0], scale="log"),
    "momentum": RangeFactor(sets="recipe.optimizer.momentum", range=[0.5, 0.99], when={"optimizer": "sgd"}),
    "padding": RangeFactor(sets="augmentations.crop.padding", range=[0, 8], integer=True),
}


def test_a_search_has_its_baseline_and_plans_nothing() -> None:
    study = study_of(SEARCH, Search(trials=7), evaluate_on="validation")
    (baseline,) = designs.arms(study)
    assert baseline.baseline
    assert baseline.levels == {"optimizer": "sgd", "rate": 0.1, "momentum": 0.9, "padding": 4}
    assert (designs.planned_trials(study), designs.planned_count(study)) == ((), 7)


def test_a_drawn_arm_has_its_numbers_where_the_factors_set_them() -> None:
    arm = designs.arm_of(study_of(SEARCH, Search()), {"optimizer": "sgd", "rate": 0.5, "momentum": 0.75, "padding": 2})
    recipe = arm.settings.recipe
    assert (recipe.learning_rate, recipe.optimizer.choices["momentum"]) == (0.5, 0.75)
    assert arm.settings.augmentations[0].choices["padding"] == 2
    assert arm.name == "rate=0.5, momentum=0.75, padding=2"


def test_a_drawn_level_of_a_factor_that_takes_no_part_is_dropped() -> None:
    arm = designs.arm_of(study_of(SEARCH, Search()), {"optimizer": "adamw", "momentum": 0.75})
    assert arm.levels == {"optimizer": "adamw", "rate": 0.1, "padding": 4}
    assert "momentum" not in arm.settings.recipe.optimizer.choices


def test_a_drawn_number_that_a_component_refuses_is_told() -> None:
    with pytest.raises(ComponentError, match="momentum must be below 1"):
        designs.arm_of(study_of(SEARCH, Search()), {"optimizer": "sgd", "momentum": 2.0})


def test_factors_are_ordered_after_those_of_their_conditions() -> None:
    assert conditions.factor_order({"momentum": MOMENTUM, "crop": CROP, "optimizer": OPTIMIZER}) == (
        "optimizer",
        "momentum",
        "crop",
    )
