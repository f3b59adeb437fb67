"""What MLflow is told of a trial, as plain rows: parameters, metrics and tags. Knows MLflow's limits, not MLflow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from ablation.settings import Part
from ablation.trial import Epoch, Outcome, Record, Scores, Stamp, Trial
from ablation.visible import visible

LONGEST_KEY = 250
LONGEST_VALUE = 6000
LONGEST_TAG = 5000
_BATCH_BYTES = 250_000
"""A request may hold 1 MB: parameters, tags and metrics take a quarter each at most."""

_FORBIDDEN = re.compile(r"[^\w\-. ]")
Row = TypeVar("Row", bound=tuple[Any, ...])


class Point(NamedTuple):
    """One value of a metric; the time in milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int


def run_name(trial: Trial) -> str:
    """`crop=without · seed block 3`."""
    seed = f" · seed block {trial.block}"
    return cut(trial.arm.name, LONGEST_KEY - len(seed)) + seed


def parameters(trial: Trial) -> dict[str, str]:
    """What differs between trials first, `factor.` and `seed_block`; then every setting under its dotted key.

    MLflow shows parameters by the alphabet: `factor.` comes before `seed_block`, and that before `setting.`.
    """
    settings = trial.arm.settings
    values: dict[str, object] = {"evaluate_on": trial.evaluate_on}
    values |= _flat("dataset", settings.dataset)
    values |= _flat("model", settings.model)
    for stage, parts in (("preprocessing", settings.preprocessing), ("augmentations", settings.augmentations)):
        values[stage] = ", ".join(part.name for part in parts) or "none"
        for part in parts:
            values |= _flat_choices(f"{stage}.{part.name}", part.choices)
    for name, value in settings.recipe:
        if value is None:
            continue
        values |= _flat(f"recipe.{name}", value)
    varied: dict[str, object] = {f"factor.{name}": level for name, level in trial.arm.levels.items()}
    varied |= {"seed_block": trial.block}
    told = varied | {f"setting.{key}": value for key, value in values.items()}
    return keyed({key: cut(_text(value), LONGEST_VALUE) for key, value in told.items()})


def points(record: Record, start: int) -> list[Point]:
    """The learning curves, each epoch at the time of its end, and what is one number a trial, at the trial's end.

    A final validation score that differs from the last epoch's (a diverged trial counts as the uniform guess) is one
    more point of its curve. All other single numbers stand at step 0, where the pages draw bars, run beside run, and
    come first, since the pages keep this order.
    """
    curves: list[Point] = []
    now = float(start)
    for epoch in record.epochs:
        now += 1000 * epoch.seconds
        curves += [Point(key, value, int(now), epoch.epoch) for key, value in _curves(epoch).items()]
    last = {point.key: point for point in curves}
    end = ended(record, start)
    finals = _finals(record.outcome) if record.outcome else {}
    singles = [Point(key, value, end, 0) for key, value in finals.items() if key not in last]
    corrected = [
        Point(key, value, end, last[key].step)
        for key, value in finals.items()
        if key in last and last[key].value != value
    ]
    return singles + curves + corrected


def tags(record: Record) -> dict[str, str]:
    """What a trial is found and filtered by."""
    trial, outcome = record.trial, record.outcome
    found = {"arm": trial.arm.name, "seed block": str(trial.block)}
    found |= {"baseline": "true"} if trial.arm.baseline else {}
    found |= {f"factor.{name}": _text(level) for name, level in trial.arm.levels.items()}
    if trial.number is not None:
        found["optuna trial"] = str(trial.number)
    if outcome:
        found["status"] = outcome.status
        found |= {"reason": outcome.reason} if outcome.reason else {}
        found |= stamp_tags(outcome.stamp) if outcome.stamp else {}
    return keyed({key: cut(value, LONGEST_TAG) for key, value in found.items()})


def stamp_tags(stamp: Stamp) -> dict[str, str]:
    """Where and with what; what is unknown is left out."""
    said = {
        "device": stamp.device,
        "host": stamp.host,
        "threads": str(stamp.threads),
        "precision": stamp.precision,
        "versions": " · ".join(f"{name} {version}" for name, version in stamp.versions.items()),
        "code": " · ".join(f"{name} {found}" for name, found in stamp.code.items()),
        "mlflow.source.git.commit": stamp.git_commit,
        "git dirty": _text(stamp.git_dirty) if stamp.git_commit else "",
    }
    return {key: cut(value, LONGEST_TAG) for key, value in said.items() if value}


def started(stamp: Stamp | None) -> int | None:
    """When, in milliseconds since 1970; None where that is not known."""
    if stamp is None or not stamp.started:
        return None
    moment = datetime.fromisoformat(stamp.started)
    return round(1000 * (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def ended(record: Record, start: int) -> int:
    """When the trial ended, in milliseconds since 1970, given when it began."""
    cost = record.outcome.cost if record.outcome else None
    seconds = cost.seconds if cost else sum(epoch.seconds for epoch in record.epochs)
    return start + int(1000 * seconds)


def keyed(values: Mapping[str, str]) -> dict[str, str]:
    """The values under keys that MLflow takes. Keys that would become equal are numbered, so that none is lost."""
    result: dict[str, str] = {}
    for key, value in values.items():
        plain = name = _FORBIDDEN.sub("_", key)[:LONGEST_KEY]
        count = 1
        while name in result:
            count += 1
            name = f"{plain[: LONGEST_KEY - 5]}_{count}"
        result[name] = value
    return result


def cut(text: str, length: int) -> str:
    """The text with nothing unseen and at most so many characters, an ellipsis where something went."""
    text = visible(text, keep="\n\t")
    return text if len(text) <= length else text[: length - 1] + "…"


def batches(rows: Iterable[Row], most: int) -> Iterator[Sequence[Row]]:
    """The rows in order, in groups that hold at most `most` of them and fit into one request."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        weight = len(json.dumps(row)) + 50
        if batch and (len(batch) == most or size + weight > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    if batch:
        yield batch


def _flat(key: str, value: object) -> dict[str, object]:
    if isinstance(value, Part):
        return {f"{key}.name": value.name, **_flat_choices(key, value.choices)}
    return {key: value}


def _flat_choices(key: str, choices: Mapping[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in choices.items():
        flat |= _flat_choices(f"{key}.{name}", value) if isinstance(value, dict) else {f"{key}.{name}": value}
    return flat


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _curves(epoch: Epoch) -> dict[str, float]:
    return {
        **_named("train", epoch.train),
        **_named("validation", epoch.validation),
        "train/learning_rate": epoch.learning_rate,
        "epoch_seconds": epoch.seconds,
    }


def _finals(outcome: Outcome) -> dict[str, float]:
    cost = outcome.cost.model_dump() if outcome.cost else {}
    scores = _named("test", outcome.test) | _named("validation", outcome.validation)
    return scores | {key: float(value) for key, value in cost.items()}


def _named(split: str, scores: Scores | None) -> dict[str, float]:
    """MLflow's charts make a section of what stands before the slash, and put names without one below them all."""
    if scores is None:
        return {}
    values = {"accuracy": scores.accuracy, "loss": scores.loss, **scores.others}
    return {f"{split}/{_FORBIDDEN.sub('_', name)}": value for name, value in values.items()}
