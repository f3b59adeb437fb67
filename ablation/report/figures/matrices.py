"""Confusion matrices of complete trials, as shares of each true class, averaged over seed blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ablation.trial import Record

Shares = NDArray[np.float64]
"""C x C: row t, column p is the share of the images of class t that were taken for p. A class without images is nan."""


def classes_of(records: Sequence[Record]) -> tuple[str, ...]:
    """The class names of the first record that carries them, or numbers where it carries a matrix alone."""
    for record in records:
        if record.outcome and record.outcome.confusion:
            return record.outcome.classes or tuple(map(str, range(len(record.outcome.confusion))))
    return ()


def told(name: str) -> str:
    """A class in a sentence: `cat`, but `class 3`."""
    return f"class {name}" if name.isdigit() else name


def shares_by_block(records: Sequence[Record], arm: str, size: int) -> dict[int, Shares]:
    """For each seed block of an arm the matrix of its complete trial; matrices of another size are left out."""
    found: dict[int, Shares] = {}
    for record in records:
        outcome = record.outcome
        if outcome is None or outcome.status != "complete" or record.trial.arm.name != arm:
            continue
        counts = np.array(outcome.confusion, dtype=np.float64)
        if counts.shape == (size, size):
            found[record.trial.block] = _normalised(counts)
    return found


def mean(matrices: Sequence[Shares]) -> Shares:
    """The mean over seed blocks."""
    total: Shares = np.mean(np.stack(matrices), axis=0)
    return total


def _normalised(counts: Shares) -> Shares:
    totals = counts.sum(axis=1, keepdims=True)
    shares: Shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    return shares
