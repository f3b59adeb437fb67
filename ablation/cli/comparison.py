"""Whether a trial that was repeated came out as its record says: all is compared but times, rates and memory."""

from __future__ import annotations

from pathlib import Path

from ablation.changes import differences
from ablation.trial import Outcome, Record
from ablation.trial_files import is_whole


def different_values(record: Record, again: Record) -> list[str]:
    """What differs in outcome and epochs; where something does, also what it ran with."""
    assert record.outcome is not None, "only what has ended is compared"
    assert again.outcome is not None, "only what has ended is compared"
    found = [*differences(_result(record.outcome), _result(again.outcome)).values()]
    if len(record.epochs) != len(again.epochs):
        found.append(f"epochs: {len(record.epochs)} -> {len(again.epochs)}")
    timeless = {"seconds": 0.0, "images_per_second": 0.0}
    for old, new in zip(record.epochs, again.epochs, strict=False):
        pair = old.model_copy(update=timeless), new.model_copy(update=timeless)
        found += [f"epoch {old.epoch}: {line}" for line in differences(*pair).values()]
    if found and record.outcome.stamp and again.outcome.stamp:
        before, after = record.outcome.stamp.lasting, again.outcome.stamp.lasting
        found += [f"ran with {line}" for line in differences(before, after).values()]
    return found


def _result(outcome: Outcome) -> Outcome:
    """An outcome without what may differ. A reason counts only where something failed."""
    reason = outcome.reason if outcome.status == "failed" else ""
    return outcome.model_copy(update={"cost": None, "stamp": None, "earlier_stamps": (), "files": {}, "reason": reason})


def different_files(before: Path, after: Path, outcome: Outcome) -> list[str]:
    """What differs in predictions and weights, each where both folders hold them; `outcome` is the one before."""
    names = [name for name in ("predictions.npz", "weights.pt") if (before / name).exists()]
    damaged = [f"{name}: damaged on the disk since" for name in names if not is_whole(before, name, outcome)]
    return damaged or _different_predictions(before, after) + _different_weights(before, after)


def _different_predictions(before: Path, after: Path) -> list[str]:
    paths = [place / "predictions.npz" for place in (before, after)]
    if all(path.exists() for path in paths) and paths[0].read_bytes() != paths[1].read_bytes():
        return ["predictions.npz: other probabilities"]
    return []


def _different_weights(before: Path, after: Path) -> list[str]:
    paths = [place / "weights.pt" for place in (before, after)]
    if not all(path.exists() for path in paths):
        return []
    import torch

    old, new = (torch.load(path, map_location="cpu", weights_only=True) for path in paths)
    names = sorted({*old, *new})
    same = [name for name in names if name in old and name in new and torch.equal(old[name], new[name])]
    return [f"weights.pt: {name}" for name in names if name not in same]
