"""The two sides of a comparison: what they are, what of them is read, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.results import SCORED
from ablation.errors import InputError
from ablation.findings import Metric
from ablation.run_folder import RunFolder
from ablation.study import Search, Study
from ablation.trial import Arm, Record, Scores

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Side:
    """An arm with its trials, or a single trial."""

    label: str
    study: Study
    folder: RunFolder
    arm: Arm
    records: tuple[Record, ...]
    trial: str | None = None
    missing: int = 0
    """Planned trials that have no outcome yet."""
    looked_at: bool = False
    """Whether its seed blocks were decided on with scores in sight: the plan grows, or was extended."""

    @property
    def split(self) -> Literal["validation", "test"]:
        """What it was evaluated on; a search reads validation alone."""
        return "validation" if isinstance(self.study.design, Search) else self.study.evaluate_on

    @property
    def scored(self) -> dict[int, Record]:
        """By seed block the trials that have a score, diverged ones included."""
        kept = (one for one in self.records if one.outcome and one.outcome.status in SCORED)
        return {one.trial.block: one for one in kept if one.outcome and one.outcome.scores(self.split)}

    def complete(self, blocks: Sequence[int]) -> dict[int, Record]:
        """By seed block the trials among these that were trained to the end."""
        scored = self.scored
        found = {block: scored[block] for block in blocks}
        return {block: one for block, one in found.items() if one.outcome and one.outcome.status == "complete"}

    def scores(self, blocks: Sequence[int], metric: Metric) -> Floats:
        """The scores in these seed blocks."""
        return np.array([_scores(self.scored[block], self.split).on(metric) for block in blocks])


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, with the seed blocks that are read of each: those that they share, or all where they share none."""

    a: Side
    b: Side
    blocks_a: tuple[int, ...]
    blocks_b: tuple[int, ...]
    paired: bool

    @property
    def are_trials(self) -> bool:
        """Whether two fixed models are compared."""
        return self.a.trial is not None

    @property
    def looked_at(self) -> bool:
        """Whether the number of seed blocks may hang on the scores, so that a t for one look errs too often."""
        return not self.are_trials and (self.a.looked_at or self.b.looked_at)

    @property
    def same_images(self) -> bool:
        """Whether all trials were evaluated on the same images: each seed block draws its own for validation."""
        return self.a.split == "test" or len({*self.blocks_a, *self.blocks_b}) == 1


def pair_of(a: Side, b: Side) -> Pair:
    """Both sides, where they can be compared.

    Raises:
        InputError: they are the same, differ in what makes scores comparable, or one of them has no score.
    """
    if (a.folder.path.resolve(), a.arm, a.trial) == (b.folder.path.resolve(), b.arm, b.trial):
        raise InputError(f"A and B are both {a.label}. Name two arms or trials, or another study with --with.")
    for side in (a, b):
        if not side.scored:
            raise InputError(f"{side.label} in {side.folder.path} has no trial with a score. Run it first.")
    if unlike := _unlike(a, b):
        raise InputError(f"{a.folder.path} and {b.folder.path} cannot be compared: {'; '.join(unlike)}.")
    blocks_a, blocks_b = set(a.scored), set(b.scored)
    shared = tuple(sorted(blocks_a & blocks_b))
    if shared:
        return Pair(a, b, shared, shared, paired=True)
    return Pair(a, b, tuple(sorted(blocks_a)), tuple(sorted(blocks_b)), paired=False)


def _unlike(a: Side, b: Side) -> list[str]:
    """What makes the scores of two studies differ for other reasons than the models."""
    if a.folder.path.resolve() == b.folder.path.resolve():
        return []
    found = {
        "metric": (a.study.metric, b.study.metric),
        "evaluated split": (a.split, b.split),
        "data set": (a.arm.settings.dataset.model_dump_json(), b.arm.settings.dataset.model_dump_json()),
    }
    unlike = [f"{name}: {one} and {two}" for name, (one, two) in found.items() if one != two]
    contents_a, contents_b = _contents(a), _contents(b)
    if not unlike and contents_a and contents_b and contents_a != contents_b:
        unlike.append("the files of the data set have other content (its fingerprint in the reports differs)")
    return unlike


def _contents(side: Side) -> set[str]:
    stamps = (one.outcome.stamp for one in side.scored.values() if one.outcome)
    return {stamp.data_fingerprint for stamp in stamps if stamp and stamp.data_fingerprint}


def _scores(record: Record, split: Literal["validation", "test"]) -> Scores:
    scores = record.outcome.scores(split) if record.outcome else None
    assert scores is not None, "only trials with a score are read"
    return scores
