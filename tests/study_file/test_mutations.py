"""Whatever stands in a study file, reading it ends in a study that works or in an error for the user."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablation import designs, study_file
from ablation.errors import InputError
from ablation.study import Study

SHIPPED = [yaml.safe_load(path.read_text()) for path in sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))]
SCALARS: list[Any] = [None, True, 0, -1, 2.5, 10**30, "", "none", "search", "a.b.c", "\u202e"]
MAPPINGS: list[Any] = [
    {},
    {"": {}},
    {"name": "vgg"},
    {"name": 3},
    {"a": {}, "b": {}},
    {"levels": {}},
    {"sets": "model"},
    {"when": {"crop": "x"}},
    {"kind": []},
    {"kind": "explicit", "arms": {"a": {}}},
    {"model": None},
    {"augmentations": [1]},
    {"recipe.": None, ".": 1},
    {"recipe.optimizer.momentum": {"a": 1}},
]
JUNK = [*SCALARS, *MAPPINGS, [], [1, 2], [[]]]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def mutate(document: Any, draw: random.Random) -> None:
    """Replace one value by junk, remove it, or put junk beside it."""
    *parents, last = draw.choice(list(paths(document)))
    inner = document
    for key in parents:
        inner = inner[key]
    kind = draw.random()
    if kind < 0.2:
        del inner[last]
    elif kind < 0.4 and isinstance(inner, dict):
        inner[draw.choice(["x", "name", "levels", "when", "sets", "recipe.epochs", "augmentations.flip"])] = (
            draw.choice(JUNK)
        )
    else:
        inner[last] = draw.choice(JUNK)


def check_that_it_works(study: Study) -> None:
    arms = designs.arms(study)
    assert arms[0].baseline
    assert len(designs.planned_trials(study)) in (0, len(arms) * study.seeds)
    assert Study.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize("seed", range(12))
def test_a_mutated_study_is_a_study_or_an_error_for_the_user(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    path, outcomes = tmp_path / "mutated.yaml", []
    for _ in range(10):
        document = copy.deepcopy(draw.choice(SHIPPED))
        for _ in range(draw.randint(1, 2)):
            mutate(document, draw)
        path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        try:
            study = study_file.load(path, draw.choice([None, "full", "smoke"]), (), lambda: True)
        except InputError as error:
            outcomes.append(str(error).startswith(str(path)))
        else:
            check_that_it_works(study)
    assert all(outcomes), "every problem names the file"
