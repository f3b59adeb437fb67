"""The metrics of a study file: what is measured beside accuracy and loss, and which of all that is compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablation import components, wording
from ablation.errors import ComponentError, InputError, Problem
from ablation.settings import MetricPart, Part
from ablation.study_file.yaml_reader import Document
from ablation.wording import Path

ALWAYS = ("accuracy", "loss")
"""What every study measures."""

_FORM = "a list of names, or of mappings with a name and choices: [macro_f1, {name: top_k, k: 3}]"


def read_metrics(document: Document) -> tuple[tuple[MetricPart, ...], list[Problem]]:
    """The metrics that are valid, completed, and what is wrong with the others and with the choice among them."""
    written = document.value.get("metrics")
    if written is not None and not isinstance(written, list):
        message = f"metrics must be {_FORM}, not {wording.shown(written)}."
        return (), [document.place(("metrics",)).problem(message)]
    found: dict[str, MetricPart] = {}
    problems: list[Problem] = []
    for at, entry in enumerate(written or ()):
        path: Path = ("metrics", at)
        part = _part(entry)
        if part is None:
            problems.append(document.place(path).problem(f"{wording.shown(entry)} is no metric; metrics are {_FORM}."))
        elif part.name in found:
            problems.append(document.place(path).problem(f"the metric {part.name} stands here twice; keep one."))
        else:
            try:
                found[part.name] = components.complete_metric(part)
            except (ComponentError, InputError) as error:
                problems += _problems(document, path, error)
    named = [part.name for entry in written or () if (part := _part(entry))]
    return tuple(found.values()), [*problems, *_unknown(document, named)]


def _part(entry: object) -> Part | None:
    if isinstance(entry, str):
        return Part(name=entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return None
    return Part(name=entry["name"], choices={key: value for key, value in entry.items() if key != "name"})


def _problems(document: Document, path: Path, error: ComponentError | InputError) -> Iterator[Problem]:
    if not isinstance(error, ComponentError):
        yield document.place(path).problem(str(error))
        return
    for inner, message in error.problems:
        yield document.place((*path, *inner)).problem(message)


def _unknown(document: Document, named: Sequence[str]) -> Iterator[Problem]:
    """A `metric` that nothing measures, or of which nobody knows what is small; what is no text is told elsewhere."""
    metric, allowed = document.value.get("metric", ALWAYS[0]), list(dict.fromkeys((*ALWAYS, *named)))
    if isinstance(metric, str) and metric not in allowed:
        *most, last = allowed
        close = wording.nearest(metric, allowed)
        message = f"metric must be one of {', '.join(most)} or {last}, not {wording.shown(metric)}{close}."
        yield document.place(("metric",)).problem(message)
    if metric in named and "margin" not in document.value:
        message = f"the key margin is missing: effects on {metric} inside it count as equivalent."
        yield document.place(("metric",)).problem(message)
