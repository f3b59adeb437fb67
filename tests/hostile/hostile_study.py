"""A run folder in which every text is hostile, written past all checks: what shows it must hold on its own."""

import itertools
import math
from pathlib import Path

from hostile_strings import STRINGS

from ablation import designs
from ablation.run_folder import Beginning
from ablation.sealed import seal
from ablation.settings import Part, Recipe, Settings
from ablation.study import Explicit, LevelsFactor, Study
from ablation.trial import Arm, Cost, Epoch, Outcome, Scores, Stamp, Trial, trial_id

TEXTS = tuple(text for text in STRINGS if text and not any("\ud800" <= char <= "\udfff" for char in text))
"""Lone surrogates can stand in no file, and the empty text names nothing."""

CLASSES = tuple("\n".join(STRINGS[start::24]) for start in range(24))


def hostile_study() -> Study:
    """A factor for each text, whose levels are called by the next two; the arms are explicit, and called so too."""
    ring = [*TEXTS, *TEXTS[:2]]
    return Study(
        name="hostile",
        scale="full",
        question=" ".join(TEXTS),
        baseline=Settings(
            dataset=Part(name="synthetic"),
            model=Part(name="small"),
            augmentations=(Part(name="flip"),),
            recipe=Recipe(precision="float32", epochs=2),
        ),
        factors={
            one: LevelsFactor(levels={two: {}, three: {"recipe.epochs": 3 + number}})
            for number, (one, two, three) in enumerate(zip(ring, ring[1:], ring[2:], strict=False))
        },
        design=Explicit(arms={one: {one: three} for one, three in zip(ring, ring[2:], strict=False)}),
        seeds=2,
        margin=0.01,
    )


def write_hostile(folder: Path) -> Path:
    """The run folder of that study, without the care for durability that takes its time. The folder."""
    study = hostile_study()
    beginning = Beginning(
        study=study, digest=study.digest(), scale_reason=TEXTS[0], started="2026-11-23", source=" ".join(TEXTS[1:9])
    )
    (folder / "trials").mkdir(parents=True)
    (folder / "study.json").write_text(seal(beginning.model_dump_json()), "utf-8")
    (folder / "study.yaml").write_text("\n".join(TEXTS), "utf-8", newline="")
    reasons = itertools.cycle(STRINGS)
    for number, arm in enumerate(designs.arms(study)):
        _write_trial(folder, arm, 0, _outcome(number, next(reasons)))
        _write_trial(folder, arm, 1, Outcome(status="failed", cause="bug", reason=next(reasons)))
    return folder


def _write_trial(folder: Path, arm: Arm, block: int, outcome: Outcome) -> None:
    trial = Trial(id=trial_id(arm, block), arm=arm, block=block)
    place = folder / "trials" / trial.id
    place.mkdir()
    (place / "trial.json").write_text(seal(trial.model_dump_json()), "utf-8")
    (place / "outcome.json").write_text(seal(outcome.model_dump_json()), "utf-8")
    (place / "events.jsonl").write_text(seal(_epoch().model_dump_json()) + "\n", "utf-8")


def _epoch() -> Epoch:
    scores = Scores(loss=0.7, accuracy=0.5)
    return Epoch(epoch=1, train=scores, validation=scores, learning_rate=0.1, seconds=1, images_per_second=9)


def _outcome(number: int, reason: str) -> Outcome:
    accuracy = 0.5 + 0.3 * math.sin(number)
    scores = Scores(loss=1 - accuracy, accuracy=accuracy)
    size = len(CLASSES)
    return Outcome(
        status="complete",
        reason=reason,
        train=scores,
        validation=scores,
        test=scores,
        classes=CLASSES,
        confusion=tuple(tuple((number + 3 * row + 5 * column) % 7 for column in range(size)) for row in range(size)),
        cost=Cost(seconds=9 + number, images_per_second=90, parameters=1000 + number, peak_memory_bytes=1),
        stamp=Stamp(
            versions={text: text for text in TEXTS[::5]},
            git_commit=TEXTS[number % len(TEXTS)],
            data_fingerprint=TEXTS[(number + 1) % len(TEXTS)],
            device=TEXTS[(number + 2) % len(TEXTS)],
            started=TEXTS[(number + 3) % len(TEXTS)],
        ),
    )
