"""Studies drawn at random, with conditions between their factors: no arm twice, none that cannot be."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Mapping

import pytest
import yaml

from ablation import designs, study_file
from ablation.errors import StudyFileError
from ablation.study import LevelsFactor, Study

KEYS: dict[str, tuple[object, ...]] = {
    "recipe.epochs": (1, 2, 3, 4),
    "recipe.batch_size": (8, 16, 32, 64),
    "recipe.learning_rate": (0.1, 0.2, 0.3, 0.4),
    "recipe.label_smoothing": (0.0, 0.1, 0.2, 0.3),
    "recipe.schedule": ("one_cycle", "cosine", "constant", "step"),
    "recipe.optimizer": ("sgd", "adamw", "adam", "rmsprop"),
    "recipe.optimizer.momentum": (0.9, 0.8, 0.7, 0.6),
    "model.width": (4, 8, 12, 16),
    "augmentations.crop.padding": (1, 2, 3, 4),
    "augmentations.flip": ({}, None),
}
OPTIMIZER, MOMENTUM = "recipe.optimizer", "recipe.optimizer.momentum"


def drawn_study(seed: int) -> dict[str, object]:
    """A study of two to six factors of two to four levels, many with a condition on factors before them."""
    generator = random.Random(seed)
    keys = generator.sample([key for key in KEYS if key != MOMENTUM], generator.randint(2, 5))
    keys += [MOMENTUM] if OPTIMIZER in keys else []
    factors: dict[str, dict[str, object]] = {}
    for key in keys:
        values = KEYS[key][: generator.randint(2, 4)]
        levels = {f"{key.rpartition('.')[2]}{at}": {key: value} for at, value in enumerate(values)}
        when = {}
        for other in generator.sample(sorted(factors), min(len(factors), generator.choice([0, 0, 1, 1, 2]))):
            names = list(_levels_of(factors[other]))
            wanted = generator.sample(names, generator.randint(1, len(names)))
            when[other] = wanted if len(wanted) > 1 else wanted[0]
        if key == MOMENTUM:
            when["optimizer"] = "optimizer0"  # only sgd has one
        factors[key.rpartition(".")[2]] = {"levels": levels, "when": when} if when else levels
    shuffled = list(factors.items())
    generator.shuffle(shuffled)
    return {
        "question": "?",
        "dataset": "digits",
        "model": {"name": "small", "width": 4},
        "augmentations": {"crop": {"padding": 1}, "flip": {}},
        "recipe": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
        "factors": dict(shuffled),
        "design": generator.choice(["factorial", "factorial", "one-factor"]),
        "seeds": 2,
    }


def _levels_of(factor: Mapping[str, object]) -> Mapping[str, object]:
    levels = factor.get("levels", factor)
    assert isinstance(levels, dict)
    return levels


def takes_part(study: Study, levels: Mapping[str, str], name: str) -> bool:
    """Whether the conditions of a factor hold at these levels, and those of every factor that they name."""
    return all(
        levels[other] in ([wanted] if isinstance(wanted, str) else wanted) and takes_part(study, levels, other)
        for other, wanted in study.factors[name].when.items()
    )


def possible(study: Study, levels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What is left of one level for every factor where only those that take part have one."""
    return tuple((name, level) for name, level in levels.items() if takes_part(study, levels, name))


def expected(study: Study) -> set[tuple[tuple[str, str], ...]]:
    """The arms by trying everything: all combinations, or one change of the baseline at a time."""
    names = {name: list(one.levels) for name, one in study.factors.items() if isinstance(one, LevelsFactor)}
    reference = {name: levels[0] for name, levels in names.items()}
    if study.design.kind == "factorial":
        tried = (dict(zip(names, levels, strict=True)) for levels in itertools.product(*names.values()))
        return {possible(study, levels) for levels in tried}
    changed = ({**reference, name: level} for name, levels in names.items() for level in levels)
    return {possible(study, levels) for levels in changed}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """Those of 100 drawn studies that are valid; the others are refused by their file."""
    folder, found = tmp_path_factory.mktemp("drawn"), []
    for seed in range(100):
        path = folder / f"drawn{seed}.yaml"
        path.write_text(yaml.safe_dump(drawn_study(seed), sort_keys=False), encoding="utf-8")
        with contextlib.suppress(StudyFileError):
            found.append(study_file.load(path, "full", (), lambda: False))
    return found


def test_enough_of_the_drawn_studies_are_valid_and_have_conditions(studies: list[Study]) -> None:
    with_conditions = [study for study in studies if any(factor.when for factor in study.factors.values())]
    assert len(studies) > 70
    assert len(with_conditions) > 40
    assert {study.design.kind for study in with_conditions} == {"factorial", "one-factor"}


def test_no_arm_is_there_twice_and_none_is_missing_or_impossible(studies: list[Study]) -> None:
    for study in studies:
        arms = designs.arms(study)
        listed = [tuple((name, str(level)) for name, level in arm.levels.items()) for arm in arms]
        assert len(set(listed)) == len(listed), study.factors
        assert set(listed) == expected(study), study.factors
        assert len({arm.settings.signature() for arm in arms}) == len(arms)
        assert len({arm.name for arm in arms}) == len(arms)
        assert [arm.baseline for arm in arms] == [True] + [False] * (len(arms) - 1)


def test_the_count_is_that_of_the_arms(studies: list[Study]) -> None:
    for study in studies:
        assert designs.count_arms(study) == len(designs.arms(study)), study.factors


def test_an_arm_has_what_its_levels_set_and_nothing_else(studies: list[Study]) -> None:
    for study in studies:
        baseline = designs.arms(study)[0].settings
        for arm in designs.arms(study):
            crop = [part for part in arm.settings.augmentations if part.name == "crop"]
            for factor, level in arm.levels.items():
                ((key, value),) = study.factors[factor].levels[level].items()
                if key.startswith("recipe.") and key.count(".") == 1:
                    got = getattr(arm.settings.recipe, factor)
                    assert getattr(got, "name", got) == value
                elif key == MOMENTUM:
                    assert arm.settings.recipe.optimizer.choices["momentum"] == value
            for key in ("epochs", "batch_size", "learning_rate", "label_smoothing"):
                if key not in arm.levels:
                    assert getattr(arm.settings.recipe, key) == getattr(baseline.recipe, key)
            assert len(crop) == 1
