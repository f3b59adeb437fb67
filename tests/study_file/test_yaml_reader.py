"""YAML is read with its places, and refused where it would be read otherwise than one means."""

from __future__ import annotations

import pytest
import yaml

from ablation.errors import StudyFileError
from ablation.study_file.yaml_reader import MAX_CHARACTERS, MAX_NODES, Place, read

TEXT = """\
first: 1
nested:
  list: [a, {b: 2.5e-3}]
  "quoted key": null
"""


def refusal(text: str) -> str:
    """What is wrong with a text, whether it could be read all the same or not."""
    with pytest.raises(StudyFileError) as refused:
        raise StudyFileError(read(text, "f.yaml").problems)
    return str(refused.value)


def test_values_are_those_of_yaml_with_their_places() -> None:
    document = read(TEXT, "f.yaml")
    assert document.value == yaml.safe_load(TEXT)
    assert document.place(("nested", "list", 1, "b")) == Place("f.yaml", 3, 17)
    assert document.place(("nested", "list", 1, "b"), of_key=True) == Place("f.yaml", 3, 14)
    assert document.place(("nested", "quoted key"), of_key=True) == Place("f.yaml", 4, 3)


def test_what_has_no_place_is_where_the_nearest_thing_around_it_is() -> None:
    assert read(TEXT, "f.yaml").place(("nested", "missing", "deeper")) == Place("f.yaml", 3, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0e-3", 0.001),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ('"off"', "off"),
        ("'1e-3'", "1e-3"),
        ("offset", "offset"),
        ("one-factor", "one-factor"),
        ("1.2.3", "1.2.3"),
        ("|\n  off\n", "off\n"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    read_value = read(f"key: {text}", "f.yaml").value["key"]
    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Off", "YAML reads Off as false; write false"),
        ("yes", "YAML reads yes as true; write true"),
        ("1e5", "write 1.0e+5 for a number"),
        ("1.5E3", "write 1.5e+3 for a number"),
        ("-1e-3", "write -1.0e-3 for a number"),
        ("09", "write 9 for a number"),
        ("0x1F", "YAML reads 0x1F as 31; write 31, or quote it"),
        ("-0b11", "YAML reads -0b11 as -3; write -3"),
        ("1_000", "YAML reads 1_000 as 1000; write 1000"),
        ("1_0.5", "YAML reads 1_0.5 as 10.5; write 10.5"),
        ("-012", "the octal number -10; write -12"),
        ("12:30:45", "to the base 60"),
        ("1:30.5", "to the base 60"),
        (".nan", ".nan is not a finite number"),
        ("1.0e+999", "1.0e+999 is not a finite number"),
        ("9" * 50, "a number of 50 characters is too long"),
        ("=", "as no plain value"),
        ("!!int 3", "the tag tag:yaml.org,2002:int is not read here"),
    ],
)
def test_what_is_refused_tells_what_to_write(text: str, message: str) -> None:
    problem = refusal(f"key: {text}")
    assert problem.startswith("f.yaml:1:6: ")
    assert message in problem


@pytest.mark.parametrize("number", ["1.0e+5", "1.5e+3", "-1.0e-3", "9"])
def test_what_is_proposed_is_read_as_a_number(number: str) -> None:
    assert isinstance(read(f"key: {number}", "f.yaml").value["key"], int | float)


def test_every_problem_is_told_in_the_order_of_the_lines() -> None:
    assert [line.split(": ")[0] for line in refusal("a: off\nb: {c: 1e-3}\na: 3\n3: x\n").splitlines()] == [
        "f.yaml:1:4",
        "f.yaml:2:8",
        "f.yaml:3:1",
        "f.yaml:4:1",
    ]


def test_aliases_that_would_fill_the_memory_are_refused() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert refusal(bomb).startswith("f.yaml:1:4: anchors (&) and aliases (*) are not read here")


def test_depth_and_length_are_bounded() -> None:
    assert refusal("[" * 5000) == "f.yaml:1:17: is nested more than 16 deep."
    assert refusal("x" * (MAX_CHARACTERS + 1)) == "f.yaml: is longer than 200,000 characters."
    assert (
        refusal("[" + "x," * MAX_NODES + "]")
        == "f.yaml:1:20000: more than 10,000 keys and values; that is no study file."
    )


def test_a_character_that_cannot_stand_in_yaml_has_its_place() -> None:
    assert refusal("a: 1\nb: x\x00y") == "f.yaml:2:5: the character U+0000 cannot stand in YAML."


def test_problems_without_places_name_their_source() -> None:
    (problem,) = read("off", "--set a=off", located=False).problems
    assert str(problem).startswith("--set a=off: YAML reads off as false")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("off", False), ("Yes", True), ("1e-3", 0.001), ("1e5", 100_000.0), ("012", 12), ("08", 8),
     ("2026-11-23", "2026-11-23"),
     ("1:30", "1:30"), (".nan", ".nan"), ("1e999", "1.0e+999"), ('"\\ud800"', "?")],
)  # fmt: skip
def test_what_is_probably_meant_is_read_and_not_told_of_again(text: str, meant: object) -> None:
    document = read(f"key: {text}", "f.yaml")
    assert len(document.problems) == 1
    assert (document.value["key"], type(document.value["key"])) == (meant, type(meant))
    assert document.place(("key",)).problem("again").second
    assert not document.place(("key",), of_key=True).problem("of the key").second


def test_a_key_that_is_no_text_is_read_as_the_text_that_stands_there() -> None:
    document = read("off: {a: 1}\n", "f.yaml")
    assert document.value == {"off": {"a": 1}}
    assert document.place(("off",), of_key=True).problem("again").second
    assert not document.place(("off", "a")).problem("of the value").second
