"""The published schema is that of this version, takes every shipped study and refuses what editors should mark."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ablation import components, designs, study_file
from ablation.components import Kind
from ablation.study_file.schema import FILE_NAME, schema
from ablation.study_file.starter import schema_text

STUDIES = Path(__file__).parents[2] / "studies"
SHIPPED = sorted(STUDIES.glob("*.yaml"))
STARTER = Path(__file__).parents[2] / "ablation" / "study_file" / "starter.yaml"

VALID: dict[str, Any] = {
    "question": "Does flipping help?",
    "dataset": "digits",
    "model": {"name": "small", "width": 8},
    "augmentations": {"crop": {"padding": 2}, "flip": None},
    "recipe": {"epochs": 3, "optimizer": "adamw", "schedule": {"name": "step", "gamma": 0.5}},
    "factors": {
        "flip": {"with": {}, "without": {"augmentations.flip": None}},
        "width": {"levels": {"8": {}, "16": {"model.width": 16}}, "when": {"flip": ["with"]}},
        "rate": {"sets": "recipe.learning_rate", "range": [0.1, 1.0], "scale": "log"},
    },
    "design": {"kind": "search", "trials": 3},
    "seeds": 3,
    "scales": {"smoke": {"recipe": {"epochs": 1}, "augmentations": {"flip": None}, "factors": {"width": None}}},
}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def changed(path: str, value: object) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(VALID)
    *parents, last = path.split("/")
    inner = document
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return document


def test_the_stored_schema_is_that_of_this_version() -> None:
    stored = (STUDIES / FILE_NAME).read_text(encoding="utf-8")
    assert stored == schema_text(), "run `ablate schema > studies/study.schema.json`"
    assert json.loads(stored) == schema()


@pytest.mark.parametrize("path", [*SHIPPED, STARTER], ids=lambda path: path.stem)
def test_shipped_studies_fit_the_schema(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={FILE_NAME}\n")
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("path", [*SHIPPED, STARTER], ids=lambda path: path.stem)
def test_shipped_studies_are_valid_and_have_a_small_smoke_scale(path: Path) -> None:
    study = study_file.load(path, "smoke", (), lambda: False)
    assert study.baseline.dataset.name in {"digits", "synthetic"}  # nothing to download
    assert study.baseline.recipe.epochs == 1
    assert study.seeds == 2
    assert designs.planned_count(study) <= 12


def test_the_example_is_valid(validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(VALID)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sedes", 3),
        ("seeds", 0),
        ("seeds", "3"),
        ("dataset", "digit"),
        ("model/widht", 8),
        ("model/width", "8"),
        ("model/width", 0),
        ("augmentations/flop", {}),
        ("augmentations/crop/padding", -1),
        ("augmentations/crop/padding_mode", "mirror"),
        ("recipe/epoch", 3),
        ("recipe/optimizer", {"name": "adamw", "momentum": 0.9}),
        ("recipe/precision", "float16"),
        ("factors", {}),
        ("factors/flip", {"with": {}}),
        ("factors/flip/with", {"seeds": 3}),
        ("factors/flip/with", {"recipe.epochs": 0}),
        ("factors/width/condition", {}),
        ("factors/rate/range", [1.0]),
        ("design", "explicit"),
        ("design", "one_factor"),
        ("design/trials", 0),
        ("scales/full", {"seeds": 2}),
        ("scales/smoke/sedes", 2),
        ("scales/smoke/recipe", {"epochs": 0}),
    ],
)
def test_what_an_editor_marks(path: str, value: object, validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model", "mylab.nets.tiny"),
        ("model", {"name": "mylab.nets.tiny", "anything": 3}),
        ("augmentations/mylab.shear", {"strength": 2}),
        ("factors/flip/without", {"augmentations.mylab.shear": {"strength": 2}}),
        ("factors/flip/without", {"recipe": {"optimizer": {"momentum": 0.5}}}),
        ("factors/flip/without", {"model": "vgg", "recipe.optimizer.nesterov": True}),
        ("design", "factorial"),
        ("scales/smoke/recipe.epochs", 1),
        ("scales/smoke/model", {"width": 4}),
        ("recipe/learning_rate", 1),
    ],
)
def test_what_an_editor_takes(path: str, value: object, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(changed(path, value))


@pytest.mark.parametrize(
    ("kind", "key"), [("model", "model"), ("dataset", "dataset"), ("optimizer", "recipe.optimizer")]
)
def test_every_component_is_offered_with_its_choices(kind: Kind, key: str) -> None:
    forms = schema()["$defs"][key]["anyOf"]
    assert forms[0]["enum"] == list(components.names(kind))
    offered = {form["properties"]["name"]["const"]: form for form in forms[2:-1]}
    for name in components.names(kind):
        component = components.describe(kind, name)
        assert offered[name]["description"] == component.description
        for choice in component.choices:
            assert offered[name]["properties"][choice.name]["default"] == choice.default
