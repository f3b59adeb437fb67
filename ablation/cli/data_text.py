"""The summary of a data set, in lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ablation.analysis.duplicates import Pair, Place
from ablation.analysis.light import Measure
from ablation.report.data_page import DataPage
from ablation.report.doubled import in_words
from ablation.report.numbers import count


def lines(page: DataPage) -> Iterator[str]:
    """The summary, a line a subject."""
    facts = page.facts
    height, width, channels = facts.size
    size = f"{height} x {width} pixels, {count(channels, 'channel')}"
    chosen = f" ({page.choices})" if page.choices else ""
    yield f"data        {facts.name}{chosen}: {sum(facts.train):,} training and {sum(facts.test):,} test images, {size}"
    yield f"classes     {len(facts.classes)}: {_each(facts.train)} training and {_each(facts.test)} test images each"
    training = [channel for channel in page.channels if channel.split == "training"]
    yield f"mean        {_numbers(each.mean for each in training)} (training images, by channel; black is 0, white 1)"
    yield f"std         {_numbers(each.std for each in training)}"
    for measure in (page.light.brightness, page.light.contrast):
        yield f"{measure.name:<11} {_medians(measure, facts.classes)}"
    for name, said in zip(("equal", "near"), in_words(page.duplicates), strict=True):
        yield f"{name:<11} {said}"


def _each(counts: Sequence[int]) -> str:
    return f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)


def _medians(measure: Measure, classes: Sequence[str]) -> str:
    known = [(one.median, name) for one, name in zip(measure.classes, classes, strict=True) if one]
    (low, least), (high, most) = min(known), max(known)
    return (
        f"medians of the classes from {low:.2f} ({least}) to {high:.2f} ({most}); the class explains "
        f"{measure.explained:.1%} of the variance"
    )


def as_json(page: DataPage, path: Path) -> dict[str, Any]:
    """The summary as data, with every duplicate."""
    facts, found = page.facts, page.duplicates
    height, width, channels = facts.size
    measures = (page.light.brightness, page.light.contrast)
    return {
        "dataset": facts.name,
        "choices": page.choices,
        "fingerprint": page.fingerprint,
        "page": str(path),
        "size": {"height": height, "width": width, "channels": channels},
        "classes": [
            {"name": name, "train": train, "test": test, **{each.name: _median(each, at) for each in measures}}
            for at, (name, train, test) in enumerate(zip(facts.classes, facts.train, facts.test, strict=True))
        ],
        "explained": {each.name: each.explained for each in measures},
        "channels": [asdict(channel) for channel in page.channels],
        "equal": [asdict(tally) for tally in found.equal],
        "groups": [[_place(place, facts.classes) for place in group] for group in found.groups],
        "near": [asdict(tally) for tally in found.near],
        "pairs": [_pair(pair, facts.classes) for pair in found.near_pairs],
        "note": found.note,
    }


def _median(measure: Measure, at: int) -> float | None:
    spread = measure.classes[at]
    return spread.median if spread else None


def _place(place: Place, classes: Sequence[str]) -> dict[str, Any]:
    return {"split": place.split, "image": place.number, "class": classes[place.label]}


def _pair(pair: Pair, classes: Sequence[str]) -> dict[str, Any]:
    first, second = _place(pair.first, classes), _place(pair.second, classes)
    return {"first": first, "second": second, "likeness": pair.likeness, "mirrored": pair.mirrored}
