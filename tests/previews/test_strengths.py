"""Settings from weak to strong, found in the signatures of components that nobody lists."""

from __future__ import annotations

import contextlib

import pytest

from ablation import components
from ablation.components import Component
from ablation.errors import InputError
from ablation.previews.strengths import strengths
from ablation.signatures import read_signature

SOURCE = """
from typing import Annotated, Literal
from pydantic import Field
from ablation.settings import Byte, Count, Fraction, HalfTurn, NotNegative, Pixels, Positive, Probability


def build(*, {choices}):
    'Something.'
"""


def component(choices: str) -> Component:
    signature = read_signature(SOURCE.format(choices=choices), "theirs.py")
    return Component("augmentation", "theirs", signature.description, signature.choices)


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        ("x: Probability = 0.5", [0.25, 0.5, 1.0]),
        ("x: Probability = 0.1", [0.1, 0.25, 0.5, 1.0]),
        ("x: HalfTurn = 0.0", [0.125, 0.25, 0.5]),
        ("x: Fraction = 0.0", [0.25, 0.5, 0.9]),
        ("x: Byte = 128", [64, 128, 255]),
        ("x: NotNegative = 0.0", [0.25, 0.5, 1.0]),
        ("x: NotNegative = 8.0", [4.0, 8.0, 16.0]),
        ("x: Positive = 1.0", [0.5, 1.0, 2.0]),
        ("x: Pixels = 4", [2, 4, 8]),
        ("x: Count = 16", [8, 16, 32]),
        ("x: Count = 1", [1, 2, 4]),
        ("x: Count", [1, 2, 4]),
        ("x: Count | None = None", [1, 2, 4]),
        ("x: Annotated[int, Field(ge=0, le=30)] = 9", [8, 9, 15, 30]),
        ("x: Annotated[float, Field(ge=0, examples=[0.1, 0.3])] = 0.0", [0.1, 0.3]),
        ("x: Literal['constant', 'edge'] = 'edge'", ["constant", "edge"]),
        ("x: Byte | Literal['random'] = 128", [64, 128, 255, "random"]),
        ("x: bool = True", [False, True]),
        ("x: str = 'as it is'", ["as it is"]),
        ("x: list[float] = [0.5]", [[0.5]]),
    ],
)
def test_values_go_from_weak_to_strong(choice: str, values: list[object]) -> None:
    assert [one.choices["x"] for one in strengths(component(choice), {})] == values


def test_one_choice_is_varied_at_a_time_and_the_others_are_those_of_the_study() -> None:
    found = strengths(component("x: Pixels = 4, y: bool = False"), {"x": 1})
    assert [(one.varied, dict(one.choices)) for one in found] == [
        ("x", {"x": 1, "y": False}),
        ("x", {"x": 2, "y": False}),
        ("x", {"x": 4, "y": False}),
        ("y", {"x": 1, "y": True}),
    ], "one that was shown is not shown again"


def test_a_probability_is_one_while_another_choice_is_varied() -> None:
    found = strengths(component("probability: Probability = 0.5, x: Pixels = 4"), {})
    assert [(one.varied, tuple(one.choices.values())) for one in found] == [
        ("probability", (0.25, 4)),
        ("probability", (0.5, 4)),
        ("probability", (1.0, 4)),
        ("x", (1.0, 2)),
        ("x", (1.0, 8)),
    ]


def test_a_component_without_choices_is_shown_once_and_one_that_cannot_be_built_not_at_all() -> None:
    assert [one.varied for one in strengths(Component("augmentation", "plain", "", ()), {})] == [""]
    assert strengths(component("x: str"), {}) == ()
    assert [dict(one.choices) for one in strengths(component("x: str"), {"x": "given"})] == [{"x": "given"}]


@pytest.mark.parametrize("name", components.names("augmentation"))
def test_every_augmentation_of_the_package_has_strengths_that_it_takes(name: str) -> None:
    found = strengths(components.describe("augmentation", name), {})
    build, taken = components.load("augmentation", name), 0
    for one in found:
        with contextlib.suppress(InputError):  # of two choices that bound each other one may be varied too far
            taken += callable(build(**one.choices))
    assert taken >= 2
