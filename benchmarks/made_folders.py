"""Run folders of studies that nobody trained, for benchmarks: written by the project's own writers, not flushed.

Scores are drawn: an arm's effect, the luck of its seed block and its own. `os.fsync` does nothing meanwhile, since
making ten thousand trials durable would take minutes and changes nothing for a reader.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import numpy as np

from ablation import designs, study_file
from ablation.durable import write_whole
from ablation.run_folder import Beginning, RunFolder
from ablation.study import Search, Study
from ablation.trial import Cost, Epoch, Outcome, Scores, Stamp, Trial
from ablation.trial_files import append_epoch, write_outcome

CLASSES = tuple(f"class {number}" for number in range(10))
STAMP = Stamp(versions={"torch": "2"}, data_fingerprint="f00d", device="cpu", slots=2, started="2026-01-01T00:00:00Z")


def text_of(arms: int, seeds: int, epochs: int = 16, kind: str = "one-factor") -> str:
    """A study file of so many arms: the levels of one factor, or of a search as many trials, of three factors."""
    head = (
        "question: Which learning rate?\ndataset: cifar10\nmodel: small\n"
        f"recipe: {{epochs: {epochs}, learning_rate: 0.1, precision: float32}}\nseeds: {seeds}\nmargin: 0.002\n"
    )
    if kind == "search":
        return head + (
            f"design: {{kind: search, trials: {arms}, sampler: random}}\nfactors:\n"
            "  rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}\n"
            "  smoothing: {sets: recipe.label_smoothing, range: [0.0, 0.5]}\n"
            "  flip: {without: {}, with: {augmentations.flip: {}}}\n"
        )
    levels = ", ".join(f"level{at}: {{recipe.learning_rate: {0.1 + at / 10_000:.4f}}}" for at in range(1, arms))
    return f"{head}design: one-factor\nfactors: {{rate: {{level0: {{}}, {levels}}}}}\n"


def begun(place: Path, text: str) -> tuple[Study, RunFolder]:
    """A study that was begun in `place/runs` and has no trial yet."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "study.yaml").write_text(text)
    study = study_file.load(place / "study.yaml", "full", (), lambda: False)
    folder = RunFolder(place / "runs" / study.folder_name)
    started = "2026-01-01T00:00:00+00:00"
    beginning = Beginning(
        study=study, digest=study.digest(), scale_reason="", started=started, source=str(place / "study.yaml")
    )
    folder.begin(beginning, text)
    return study, folder


def finish(folder: RunFolder, trials: Iterable[Trial], epochs: int = 16, images: int = 0) -> None:
    """Close trials with drawn scores; with `images` also predictions of so many."""
    draws, arms = np.random.default_rng(0), {}
    labels = draws.integers(0, 10, max(images, 1))
    with patch("os.fsync"):
        for trial in trials:
            effect = arms.setdefault(trial.arm.name, len(arms)) * 1e-4
            luck = np.random.default_rng(trial.block).normal(0, 0.002) + draws.normal(0, 0.002)
            _finish(folder, trial, (float(0.9 + effect + luck), epochs))
            if images:
                _predict(folder.trial_folder(trial.id), labels, draws)


def _finish(folder: RunFolder, trial: Trial, drawn: tuple[float, int]) -> None:
    accuracy, epochs = drawn
    scores = Scores(loss=1 - accuracy, accuracy=accuracy)
    place = folder.open_trial(trial)
    for number in range(1, epochs + 1):
        epoch = Epoch(
            epoch=number,
            train=scores,
            validation=scores,
            learning_rate=0.1,
            seconds=1.0,
            images_per_second=1e3,
        )
        append_epoch(place, epoch)
    outcome = Outcome(
        status="complete",
        train=scores,
        validation=scores,
        test=scores,
        classes=CLASSES,
        confusion=tuple(tuple(900 if at == to else 11 for to in range(10)) for at in range(10)),
        cost=Cost(seconds=30.0, images_per_second=1e3, parameters=300_000, peak_memory_bytes=10**9),
        stamp=STAMP,
    )
    write_outcome(place, outcome)


def _predict(place: Path, labels: np.ndarray, draws: np.random.Generator) -> None:
    probabilities = draws.random((len(labels), 10)).astype(np.float16)
    right = draws.random(len(labels)) < 0.9
    probabilities[np.flatnonzero(right), labels[right]] += 1
    content = io.BytesIO()
    np.savez(content, probabilities=probabilities, labels=labels)
    write_whole(place / "predictions.npz", content.getvalue())


def planned(study: Study) -> tuple[Trial, ...]:
    """The trials of a study; of a search so many drawn ones."""
    if not isinstance(study.design, Search):
        return designs.planned_trials(study)
    draws = np.random.default_rng(1)
    return tuple(
        Trial(
            id=f"{number:05d}",
            arm=designs.arm_of(
                study,
                {
                    "rate": float(10 ** draws.uniform(-3, 0)),
                    "smoothing": float(draws.uniform(0, 0.5)),
                    "flip": str(draws.choice(["without", "with"])),
                },
            ),
            block=number % len(study.seed_blocks),
            evaluate_on="validation",
            number=number,
        )
        for number in range(study.design.trials)
    )
