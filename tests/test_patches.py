"""Dotted keys change a study's form: merge, replace, remove, in the order that one means."""

from __future__ import annotations

from typing import Any

import pytest

from ablation.patches import change, form_of, key_path, normalised, settings_data
from ablation.settings import Part, Recipe, Settings

SETTINGS = Settings(
    dataset=Part(name="digits"),
    model=Part(name="vgg", choices={"depth": 16}),
    preprocessing=(Part(name="normalize", choices={"statistics": "given", "mean": [0.5]}),),
    augmentations=(Part(name="crop", choices={"padding": 4}), Part(name="flip"), Part(name="mylab.shear")),
    recipe=Recipe(optimizer=Part(name="sgd", choices={"momentum": 0.9})),
)


def changed(overlay: dict[str, Any]) -> dict[str, Any]:
    form = form_of(SETTINGS)
    change(form, overlay)
    return form


def test_settings_survive_their_form() -> None:
    assert Settings.model_validate(settings_data(form_of(SETTINGS))) == SETTINGS


@pytest.mark.parametrize(
    ("overlay", "key", "expected"),
    [
        ({"model.depth": 11}, "model", {"name": "vgg", "depth": 11}),
        ({"model": {"depth": 11}}, "model", {"name": "vgg", "depth": 11}),
        ({"model": {"name": "small"}}, "model", {"name": "small"}),
        ({"model": "small"}, "model", {"name": "small"}),
        ({"model.name": "small"}, "model", {"name": "small"}),
        ({"model.width": 8, "model": "small"}, "model", {"name": "small", "width": 8}),
        ({"model.width": 8, "model.name": "small"}, "model", {"name": "small", "width": 8}),
        ({"model.depth": None}, "model", {"name": "vgg"}),
        ({"augmentations.crop": None}, "augmentations", {"flip": {}, "mylab.shear": {}}),
        ({"augmentations": None}, "augmentations", None),
        ({"augmentations.crop": {}}, "augmentations", {"crop": {"padding": 4}, "flip": {}, "mylab.shear": {}}),
        (
            {"augmentations": {"crop": {"padding": 2}, "flip": None}},
            "augmentations",
            {"crop": {"padding": 2}, "mylab.shear": {}},
        ),
        (
            {"augmentations.mylab.shear.by": 2},
            "augmentations",
            {"crop": {"padding": 4}, "flip": {}, "mylab.shear": {"by": 2}},
        ),
        (
            {"preprocessing.normalize.mean": [0.1, 0.2]},
            "preprocessing",
            {"normalize": {"statistics": "given", "mean": [0.1, 0.2]}},
        ),
    ],
)
def test_changes(overlay: dict[str, Any], key: str, expected: object) -> None:
    assert changed(overlay).get(key) == expected


def test_a_step_that_is_new_comes_last_in_the_order_of_the_overlay() -> None:
    steps = changed({"augmentations": {"cutout": {"size": 2}, "flip": {"probability": 1.0}, "color_jitter": {}}})
    assert list(steps["augmentations"]) == ["crop", "flip", "mylab.shear", "cutout", "color_jitter"]


def test_a_value_of_the_overlay_is_not_shared() -> None:
    overlay: dict[str, Any] = {"preprocessing.normalize.mean": [0.1]}
    form = changed(overlay)
    form["preprocessing"]["normalize"]["mean"].append(0.2)
    assert overlay["preprocessing.normalize.mean"] == [0.1]


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("recipe.optimizer.momentum", 0.5, ("recipe", "optimizer", "momentum")),
        ("augmentations.flip", {}, ("augmentations", "flip")),
        ("augmentations.flip.probability", 0.5, ("augmentations", "flip", "probability")),
        ("augmentations.cutout.size", 2, ("augmentations", "cutout", "size")),
        ("augmentations.mylab.blur", {}, ("augmentations", "mylab.blur")),
        ("augmentations.mylab.blur", None, ("augmentations", "mylab.blur")),
        ("augmentations.mylab.blur.by", 2, ("augmentations", "mylab.blur", "by")),
        ("augmentations.mylab.shear.by", {"x": 1}, ("augmentations", "mylab.shear", "by")),
        ("augmentations", None, ("augmentations",)),
    ],
)
def test_the_path_of_a_key_knows_names_with_dots(key: str, value: object, path: tuple[str, ...]) -> None:
    assert key_path(key, value, form_of(SETTINGS)) == path


def test_short_forms_are_written_out() -> None:
    form = normalised(
        {"model": "small", "augmentations": {"flip": None}, "recipe": {"schedule": "step"}, "design": "search"}
    )
    assert form == {
        "model": {"name": "small"},
        "augmentations": {"flip": {}},
        "recipe": {"schedule": {"name": "step"}, "optimizer": {"name": "sgd"}},
        "design": {"kind": "search"},
    }
