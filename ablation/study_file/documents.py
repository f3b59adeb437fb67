"""Documents changed by other documents, every value keeping the place that it came from."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from ablation.patches import Form, assign, assignments, normalised
from ablation.study_file.yaml_reader import Document, Place
from ablation.wording import Path


def part_of(document: Document, path: Path) -> Document:
    """What stands at a path, as a document of its own."""
    value = document.value
    for segment in path:
        value = value[segment]
    values = {(): document.place(path), **_moved(document.values, path, ())}
    return Document(value, values, _moved(document.keys, path, ()))


def overlaid(document: Document, overlay: Document) -> Document:
    """A document changed by the dotted keys of another (see `ablation.patches`)."""
    form = copy.deepcopy(document.value)
    values, keys = dict(document.values), dict(document.keys)
    for assignment in assignments(overlay.value, form):
        made = dict.fromkeys(_missing_above(form, assignment.path), overlay.place(assignment.origin, of_key=True))
        values |= made
        keys |= made
        assign(form, assignment)
        if assignment.value != {}:
            values, keys = (_without_below(places, assignment.path) for places in (values, keys))
        values |= _moved(overlay.values, assignment.origin, assignment.path)
        keys |= _moved(overlay.keys, assignment.origin, assignment.path)
    return Document(form, values, keys)


def with_short_forms(document: Document) -> Document:
    """The short forms of a study file written out, all but those of factors."""
    return Document(normalised(document.value), document.values, document.keys)


def with_long_factors(document: Document) -> Document:
    """Factors that are given by their levels alone, written as `{levels: ...}`."""
    factors = document.value.get("factors")
    if not isinstance(factors, dict):
        return document
    values, keys = dict(document.values), dict(document.keys)
    written = {}
    for name, factor in factors.items():
        short = isinstance(factor, dict) and not {"levels", "sets", "range"} & factor.keys()
        written[name] = {"levels": factor} if short else factor
        if short:
            here, there = ("factors", name), ("factors", name, "levels")
            values |= _moved(document.values, here, there)
            keys |= _moved(document.keys, here, there)
    return Document({**document.value, "factors": written}, values, keys)


def _missing_above(form: Form, path: Path) -> list[Path]:
    """The mappings on the way to a path that are not there yet, and come into being with it."""
    above = [path[:length] for length in range(1, len(path))]
    inner: object = form
    for count, segment in enumerate(path[:-1]):
        if not isinstance(inner, dict) or segment not in inner:
            return above[count:]
        inner = inner[segment]
    return []


def _without_below(places: Mapping[Path, Place], path: Path) -> dict[Path, Place]:
    """The places but for those inside what stood at a path."""
    length = len(path)
    return {at: place for at, place in places.items() if len(at) <= length or at[:length] != path}


def _moved(places: Mapping[Path, Place], origin: Path, target: Path) -> dict[Path, Place]:
    length = len(origin)
    return {target + path[length:]: place for path, place in places.items() if path[:length] == origin}
