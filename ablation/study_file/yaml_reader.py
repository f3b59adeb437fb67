"""YAML with the place of every key and value, and without its traps.

PyYAML follows YAML 1.1, where `off` is false, `012` ten, `0x10` sixteen, `1_000` a thousand, `1:30` ninety and `1e-3`
text; of two equal keys the last wins, and aliases can grow a small file beyond any memory. Each of these is a problem
told with its place; the document then holds what was most likely meant, so that the rest can be checked. Knows nothing
of studies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from ablation.errors import Problem, StudyFileError
from ablation.wording import Path

MAX_CHARACTERS = 200_000
MAX_NODES = 10_000
MAX_DEPTH = 16
"""Far more than a person writes, and little enough that any text is read or refused within a second."""

_LONGEST_NUMBER = 40

_TAG = "tag:yaml.org,2002:"
_NUMBER_LIKE = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: line and column count from 1; (0, 0) means all of the source."""

    source: str
    line: int = 0
    column: int = 0
    guessed: bool = False
    """Whether what stands here is told already, and the document holds what was probably meant."""

    def problem(self, message: str) -> Problem:
        """A problem at this place."""
        return Problem(self.line, self.column, message, self.source, second=self.guessed)

    def is_that_of(self, problem: Problem) -> bool:
        """Whether this is the place of a problem."""
        return (problem.source, problem.line, problem.column) == (self.source, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says, with the places of keys and values by path. An entry of a list has no key of its own."""

    value: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """Of the text as YAML; the document is read all the same."""

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """Where a path stands, or else the nearest thing around it that has a place."""
        for length in range(len(path), -1, -1):
            places = self.keys if of_key and path[:length] in self.keys else self.values
            if path[:length] in places:
                return places[path[:length]]
        raise AssertionError("a document has a place of its own")


def read(text: str, source: str, *, located: bool = True) -> Document:
    """Read YAML within the bounds above; not located, all problems name the source alone.

    Raises StudyFileError where the text cannot be read at all.
    """
    if len(text) > MAX_CHARACTERS:
        raise StudyFileError([Place(source).problem(f"is longer than {MAX_CHARACTERS:,} characters.")])
    reading = _Reading(source, located)
    try:
        if refusals := list(reading.refusals(text)):
            raise StudyFileError(refusals)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = reading.value_of(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        begun = f" (begun in line {error.context_mark.line + 1})" if error.context_mark else ""
        what = f"{error.context}{begun}: {error.problem}" if error.context else str(error.problem)
        if "\\t" in what:
            what = "a tab cannot indent or separate in YAML; use spaces"
        raise StudyFileError([reading.at(error.problem_mark).problem(f"{what}.")]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(source, before.count("\n") + 1, error.position - before.rfind("\n")) if located else Place(source)
        raise StudyFileError(
            [place.problem(f"the character U+{ord(text[error.position]):04X} cannot stand in YAML.")]
        ) from None
    return Document(value, reading.values, reading.keys, tuple(reading.problems))


class _Reading:
    """One pass over one text: collects places and problems."""

    def __init__(self, source: str, located: bool) -> None:
        self.source = source
        self.located = located
        self.values: dict[Path, Place] = {(): Place(source, 1, 1) if located else Place(source)}
        self.keys: dict[Path, Place] = {}
        self.problems: list[Problem] = []

    def at(self, mark: Any) -> Place:
        if mark is None or not self.located:
            return Place(self.source)
        return Place(self.source, mark.line + 1, mark.column + 1)

    def refusals(self, text: str) -> Iterator[Problem]:
        """What is refused before anything is built: aliases, tags, more than one document, great depth or number."""
        depth = documents = nodes = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            place = self.at(event.start_mark)
            documents += isinstance(event, yaml.DocumentStartEvent)
            nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                yield place.problem("anchors (&) and aliases (*) are not read here; write the value out.")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                yield place.problem(f"the tag {event.tag} is not read here; write the plain value.")
            if depth > MAX_DEPTH:
                yield place.problem(f"is nested more than {MAX_DEPTH} deep.")
                return
            if nodes > MAX_NODES:
                yield place.problem(f"more than {MAX_NODES:,} keys and values; that is no study file.")
                return
            if documents > 1:
                yield place.problem("a second document begins here; a study file holds one.")
                return

    def value_of(self, node: yaml.Node, path: Path) -> Any:
        self.values[path] = self.at(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(inner, (*path, index)) for index, inner in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        try:
            return _scalar(node)
        except _TrapError as trap:
            self.problems.append(self.values[path].problem(str(trap)))
            self.values[path] = replace(self.values[path], guessed=True)
            return trap.meant

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self.at(key_node.start_mark)
            if key_node.tag != f"{_TAG}str":
                self.problems.append(place.problem(_key_refusal(key_node)))
                if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == f"{_TAG}merge":
                    continue
                place = replace(place, guessed=True)
            inner = (*path, key_node.value)
            if key_node.value in mapping:
                before = self.keys[inner]
                where = f" (line {before.line}, column {before.column})" if before.line else ""
                self.problems.append(place.problem(f"the key {key_node.value} stands here twice{where}; keep one."))
                continue
            self.keys[inner] = place
            mapping[key_node.value] = self.value_of(value_node, inner)
        return mapping


class _TrapError(ValueError):
    """A scalar that YAML 1.1 reads otherwise than one means, with what one probably means."""

    def __init__(self, message: str, meant: bool | float | str) -> None:
        super().__init__(message)
        self.meant = meant


def _key_refusal(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a key must be text, not a list or a mapping."
    if node.tag == f"{_TAG}merge":
        return "merge keys (<<) are not read here; write the values out."
    kinds = {
        "bool": _meaning(node.value),
        "null": "null",
        "int": "a number",
        "float": "a number",
        "timestamp": "a date",
    }
    kind = kinds.get(node.tag.removeprefix(_TAG), "something other than text")
    return f'YAML reads the key {node.value or "~"} as {kind}; quote it: "{node.value}".'


def _meaning(text: str) -> str:
    return "true" if text.lower() in {"true", "yes", "on"} else "false"


def _scalar(node: yaml.ScalarNode) -> bool | int | float | str | None:
    """The value of a scalar. Raises _TrapError with what to write instead where YAML 1.1 surprises."""
    text, kind = str(node.value), str(node.tag).removeprefix(_TAG)
    if node.style is not None or kind == "str":
        if any("\ud800" <= char <= "\udfff" for char in text):
            message = "half of a character (a lone surrogate) stands here; write the whole character."
            raise _TrapError(message, text.encode("utf-8", "replace").decode())
        # The expression takes quadratic time, which the bound keeps short.
        if node.style is None and len(text) <= _LONGEST_NUMBER and _NUMBER_LIKE.fullmatch(text):
            number = _as_number(text)
            message = f'YAML reads {text} as text; write {number} for a number, or quote it: "{text}".'
            raise _TrapError(message, _finite(number))
        return text
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in {"true", "false"}:
            meaning = _meaning(text)
            message = f'YAML reads {text} as {meaning}; write {meaning}, or quote it for text: "{text}".'
            raise _TrapError(message, meaning == "true")
        return text.lower() == "true"
    if kind in {"int", "float"}:
        return _number(text, kind)
    what = "a date" if kind == "timestamp" else "no plain value"
    raise _TrapError(f'YAML reads {text} as {what}; quote it: "{text}".', text)


def _number(text: str, kind: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        message = f"a number of {len(text)} characters is too long; {_LONGEST_NUMBER} are allowed."
        raise _TrapError(message, text)
    if ":" in text:
        message = f'YAML reads {text} as a number to the base 60; write the number, or quote it: "{text}".'
        raise _TrapError(message, text)
    plain = text.replace("_", "")
    if kind == "int" and re.fullmatch(r"[-+]?0\d+", plain):
        decimal, octal = int(plain), int(plain, 8)
        message = f'YAML reads {text} as the octal number {octal}; write {decimal}, or quote it: "{text}".'
        raise _TrapError(message, decimal)
    value = _value(plain, kind)
    if not math.isfinite(value):
        raise _TrapError(f"{text} is not a finite number.", text)
    if "_" in text or (kind == "int" and not plain.lstrip("+-").isdigit()):
        raise _TrapError(f'YAML reads {text} as {value}; write {value}, or quote it for text: "{text}".', value)
    return value


def _value(plain: str, kind: str) -> int | float:
    if kind == "int":
        return int(plain, 0)
    return math.nan if plain.lower().lstrip("+-") in {".inf", ".nan"} else float(plain)


def _as_number(text: str) -> str:
    """How YAML 1.1 wants a number that it took for text: `1e-3` as `1.0e-3`, `08` as `8`."""
    mantissa, mark, exponent = text.replace("_", "").lower().partition("e")
    if not mark:
        return f"{float(mantissa):g}"
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _finite(number: str) -> int | float | str:
    """The number that a text says, the text itself where there is no such number."""
    value = float(number)
    if not math.isfinite(value):
        return number
    return int(value) if number.lstrip("+-").isdigit() else value
