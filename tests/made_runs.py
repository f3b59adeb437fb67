"""Run folders of studies that nobody trained: outcomes and predictions drawn from planted accuracies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ablation import designs
from ablation.run_folder import Beginning, RunFolder
from ablation.sealed import seal
from ablation.study import Study
from ablation.trial import Cost, Outcome, Scores, Stamp, Trial, uniform_guess


def resealed(read: dict[str, object]) -> str:
    """What was read from a sealed file and altered, as if it had been written so."""
    return seal(json.dumps({key: value for key, value in read.items() if key != "sha256"}))


CLASSES = ("cat", "dog", "emu")
NUM_IMAGES = 300
STAMP = Stamp(versions={"torch": "2.15.0"}, data_fingerprint="f00d", device="cpu (test)", slots=2)


@dataclass(frozen=True)
class Planted:
    """What the trials of a study come to."""

    accuracies: Mapping[str, float]
    """By arm; 0.8 where an arm is not named."""
    sd: float = 0.01
    """Of the luck of a trial, and of that of its seed block."""
    seed: int = 0
    """Another one draws other models, on the same images."""
    blocks: Sequence[int] | None = None
    statuses: Mapping[tuple[str, int], str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    stamp: Stamp = STAMP


def made_run(path: Path, study: Study, planted: Planted) -> RunFolder:
    """A run folder with an outcome for each planned trial, `missing` ones left out; nothing is flushed to the disk."""
    begun = Beginning(study=study, digest=study.digest(), scale_reason="", started="", source="small.yaml")
    path.mkdir(parents=True)
    (path / "study.json").write_text(seal(begun.model_dump_json()))
    for number, arm in enumerate(designs.arms(study)):
        for block in planted.blocks if planted.blocks is not None else study.seed_blocks:
            status = planted.statuses.get((arm.name, block), "complete")
            trial = Trial(
                id=f"{arm.settings.signature()}-b{block:03d}", arm=arm, block=block, evaluate_on=study.evaluate_on
            )
            place = path / "trials" / trial.id
            place.mkdir(parents=True)
            (place / "trial.json").write_text(seal(trial.model_dump_json()))
            if status != "missing":
                accuracy = planted.accuracies.get(arm.name, 0.8)
                outcome = _outcome(place, accuracy, status, (planted, arm.name, number, block))
                (place / "outcome.json").write_text(seal(outcome.model_dump_json()))
    return RunFolder(path)


def _outcome(place: Path, accuracy: float, status: str, drawn_for: tuple[Planted, str, int, int]) -> Outcome:
    planted, arm, number, block = drawn_for
    if status == "failed":
        return Outcome(status="failed", cause="bug", reason="planted")
    if status == "diverged":
        guess = uniform_guess(len(CLASSES))
        return Outcome(status="diverged", validation=guess, test=guess, classes=CLASSES, stamp=planted.stamp)
    labels = np.arange(NUM_IMAGES) % len(CLASSES)
    hard = np.random.default_rng(1).random(NUM_IMAGES)  # an image that is hard is so for every model
    own = np.random.default_rng([planted.seed, number, block])
    luck = own.random(NUM_IMAGES)
    accuracy += planted.sd * (own.normal() + np.random.default_rng(block).normal())
    right = np.sort(hard + luck)[round(accuracy * NUM_IMAGES) - 1] >= hard + luck
    predicted = np.where(right, labels, (labels + 1) % len(CLASSES))
    probabilities = np.full((NUM_IMAGES, len(CLASSES)), 0.1)
    probabilities[np.arange(NUM_IMAGES), predicted] = 0.8
    np.savez(place / "predictions.npz", probabilities=probabilities.astype(np.float16), labels=labels)
    confusion = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    noisy = float(right.mean()) + float(luck.mean() - 0.5) / 10
    scores = Scores(loss=2 * (1 - noisy), accuracy=float(right.mean()))
    return Outcome(
        status="complete", train=scores, validation=scores, test=scores, classes=CLASSES,
        confusion=tuple(tuple(map(int, row)) for row in confusion), stamp=planted.stamp,
        cost=Cost(seconds=planted.seconds.get(arm, 10.0) * (1 + block / 10) * (1 + luck[0] / 100),
                  images_per_second=100, parameters=1000 + number, peak_memory_bytes=1),
    )  # fmt: skip
