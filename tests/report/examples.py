"""A realistic study of five arms, five seed blocks, six epochs and ten classes, drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ablation.analysis.censoring import outcomes_by_level
from ablation.analysis.contrasts import against_baseline
from ablation.analysis.image_layer import ImageLayer, class_recalls
from ablation.findings import (
    Analysis,
    ArmSummary,
    Finding,
    ImageEffect,
    Kind,
    OtherEffect,
    Parameters,
    Ratio,
    Verdict,
)
from ablation.hypotheses import Importance, Importances, Suggestions
from ablation.report.page import Page
from ablation.settings import Part, Settings
from ablation.study import Factorial, LevelsFactor, OneFactor, RangeFactor, Search, Study
from ablation.trial import Arm, Cost, Epoch, Level, Outcome, Record, Scores, Stamp, Trial

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PLANTED = {
    "baseline": 0.0,
    "crop=without": -0.031,
    "flip=without": -0.016,
    "brightness=mild": 0.0004,
    "normalize=none": -0.009,
}
SECONDS = {
    "baseline": 98.0,
    "crop=without": 93.0,
    "flip=without": 96.5,
    "brightness=mild": 112.0,
    "normalize=none": 95.0,
}
BLOCKS, EPOCHS, IMAGES = 5, 6, 200
LAYERS = (*(f"features.{at}" for at in (0, 3, 7, 10, 14, 17)), "classifier.3")

SETTINGS = Settings(dataset=Part(name="cifar10"), model=Part(name="small"))
SOURCE = """\
question: Which preprocessing and augmentation steps raise test accuracy on CIFAR-10?
dataset: {name: cifar10}
model: {name: small}
augmentations: {crop: {padding: 4}, flip: {}}
factors:
  crop: {with: {}, without: {augmentations.crop: null}}
  flip: {with: {}, without: {augmentations.flip: null}}
  brightness: {none: {}, mild: {augmentations.color_jitter: {brightness: 0.2}}}
  normalize: {dataset: {}, none: {preprocessing.normalize: null}}
design: leave-one-out
seeds: 5
margin: 0.005
"""
METHOD = (
    "Blocked linear model accuracy = arm + seed block + error over 25 trials; each level against its reference, with "
    "single-step multivariate t intervals (Dunnett). Brown-Forsythe does not reject equal variances (p = 0.41), so the "
    "error is pooled over the arms (16 degrees of freedom)."
)


def arm(name: str) -> Arm:
    levels: dict[str, Level] = {"crop": "with", "flip": "with", "brightness": "none", "normalize": "dataset"}
    if name != "baseline":
        levels |= dict([name.split("=")])
    return Arm(name=name, levels=levels, settings=SETTINGS, baseline=name == "baseline")


def arms() -> list[Arm]:
    return [arm(name) for name in PLANTED]


def study() -> Study:
    factors = {
        "crop": LevelsFactor(levels={"with": {}, "without": {"augmentations.crop": None}}),
        "flip": LevelsFactor(levels={"with": {}, "without": {"augmentations.flip": None}}),
        "brightness": LevelsFactor(levels={"none": {}, "mild": {"augmentations.color_jitter": {"brightness": 0.2}}}),
        "normalize": LevelsFactor(levels={"dataset": {}, "none": {"preprocessing.normalize": None}}),
    }
    return Study(
        name="augmentation",
        scale="laptop",
        question="Which preprocessing and augmentation steps raise test accuracy on CIFAR-10?",
        baseline=SETTINGS,
        factors=factors,
        design=OneFactor(),
        seeds=BLOCKS,
        margin=0.005,
    )


def records() -> list[Record]:
    generator = np.random.default_rng(7)
    blocks = generator.normal(0, 0.007, BLOCKS)
    made = [_record(one, block, blocks[block], generator) for block in range(BLOCKS) for one in arms()]
    order = generator.permutation(len(made))
    return [_started(record, int(at)) for record, at in zip(made, np.argsort(order), strict=True)]


def _record(one: Arm, block: int, shift: float, generator: np.random.Generator) -> Record:
    accuracy = 0.742 + PLANTED[one.name] + shift + generator.normal(0, 0.0035)
    epochs = []
    for epoch in range(1, EPOCHS + 1):
        reached = accuracy * (1 - 0.52 * np.exp(-0.62 * epoch)) + generator.normal(0, 0.004)
        train = reached - 0.02 + (0.05 if one.name == "crop=without" else 0.0) * epoch / EPOCHS
        epochs.append(
            Epoch(
                epoch=epoch,
                train=Scores(loss=2.3 * (1 - train), accuracy=train),
                validation=Scores(loss=2.45 * (1 - reached), accuracy=reached),
                learning_rate=0.1,
                seconds=16.0,
                images_per_second=340.0,
                gradient_norms=tuple(0.4 * 0.8**at * (1 + block / 100) / epoch for at in range(len(LAYERS))),
            )
        )
    confusion = _confusion(accuracy, one.name, generator)
    tested = float(np.trace(confusion) / confusion.sum())
    outcome = Outcome(
        status="complete",
        train=epochs[-1].train,
        validation=epochs[-1].validation,
        test=Scores(loss=2.5 * (1 - tested), accuracy=tested),
        classes=CLASSES,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        layers=LAYERS,
        cost=Cost(
            seconds=SECONDS[one.name] + generator.normal(0, 1.5),
            images_per_second=340,
            parameters=278_000,
            peak_memory_bytes=900_000_000,
        ),
    )
    trial = Trial(id=f"{one.name}-{block}", arm=one, block=block)
    return Record(trial=trial, outcome=outcome, epochs=tuple(epochs))


def _confusion(accuracy: float, name: str, generator: np.random.Generator) -> np.ndarray:
    weights = np.full((10, 10), 0.5)
    for one, other, weight in ((3, 5, 9), (4, 7, 3), (1, 9, 4), (0, 8, 3), (2, 4, 2), (2, 6, 2)):
        weights[one, other] = weights[other, one] = weight
    np.fill_diagonal(weights, 0)
    right = np.clip(accuracy + np.array([3, 9, -10, -17, -3, -8, 6, 3, 8, 9]) / 100, 0.02, 0.98)
    if name == "flip=without":
        right[[0, 8]] -= 0.05
    rates = weights / weights.sum(axis=1, keepdims=True) * (1 - right)[:, None] + np.diag(right)
    return np.stack([generator.multinomial(IMAGES, row) for row in rates])


def _started(record: Record, position: int) -> Record:
    assert record.outcome is not None
    stamp = Stamp(
        versions={"python": "3.11.2", "torch": "2.15.0", "ablation-harness": "0.1.0"},
        git_commit="4c9b41e",
        git_dirty=True,
        data_fingerprint="sha256:8d1f0c3a",
        device="cpu (AMD EPYC, 2 cores)",
        threads=1,
        precision="bfloat16",
        started=f"2026-11-23T{1 + position // 30:02d}:{2 * (position % 30):02d}:00+00:00",
    )
    return record.model_copy(update={"outcome": record.outcome.model_copy(update={"stamp": stamp})})


def summary(one: Arm, records: Sequence[Record]) -> ArmSummary:
    own = [record.outcome for record in records if record.trial.arm.name == one.name and record.outcome]
    scores = [outcome.test for outcome in own if outcome.test]
    costs = [outcome.cost for outcome in own if outcome.cost]
    accuracies, losses = [score.accuracy for score in scores], [score.loss for score in scores]
    return ArmSummary(
        arm=one.name,
        levels={name: str(level) for name, level in one.levels.items()},
        baseline=one.baseline,
        seed_blocks=len(scores),
        accuracy=float(np.mean(accuracies)) if scores else None,
        loss=float(np.mean(losses)) if scores else None,
        accuracy_sd=float(np.std(accuracies, ddof=1)) if len(scores) > 1 else None,
        loss_sd=float(np.std(losses, ddof=1)) if len(scores) > 1 else None,
        seconds=float(np.mean([cost.seconds for cost in costs])) if costs else None,
        parameters=costs[0].parameters if costs else None,
        outcomes={
            status: sum(outcome.status == status for outcome in own) for status in {outcome.status for outcome in own}
        },
    )


def finding(level: str, effect: float | None, verdict: Verdict, kind: Kind = "main", half: float = 0.0062) -> Finding:
    """`crop=without` against the baseline."""
    factor, _, name = level.partition("=")
    reference = {"crop": "with", "flip": "with", "brightness": "none", "normalize": "dataset"}.get(
        factor, "small" if factor == "size" else "with × with"
    )
    low, high = (None, None) if effect is None else (effect - half, effect + half)
    said = "" if effect is None else f"{effect * 100:+.2f} pp (95 % interval [{low * 100:+.2f}, {high * 100:+.2f}]"
    sentence = (
        f"{factor}: {name} instead of {reference} changes accuracy by {said}, 5 seed blocks, adjusted p = 0.0004, "
        f"Dunnett), at −4 % training time."
    ).replace("-", "−")
    if verdict != "provisional":
        sentence += f" {verdict.capitalize()}."
    return Finding(
        kind=kind,
        factor=factor,
        level=name,
        reference=reference,
        metric="accuracy",
        effect=effect,
        low=low,
        high=high,
        p_adjusted=0.0004,
        p_holm=0.0003,
        seed_blocks=5,
        verdict=verdict,
        sentence=sentence,
        arm=level,
        reference_arm="baseline",
    )


def findings() -> tuple[Finding, ...]:
    return (
        finding("crop=without", -0.0312, "hurts"),
        finding("flip=without", -0.0171, "hurts"),
        finding("brightness=mild", 0.0007, "equivalent", half=0.0041),
        finding("normalize=none", -0.0051, "inconclusive"),
    )


def class_layer(records: Sequence[Record]) -> ImageLayer:
    """The confusion matrices of the complete trials; no predictions."""
    complete = [one for one in records if one.outcome and one.outcome.status == "complete"]
    recalls = {(one.trial.arm.name, one.trial.block): class_recalls(one, len(CLASSES)) for one in complete}
    return ImageLayer(tuple(PLANTED), CLASSES, recalls, {})


def beside(one: Finding, layer: ImageLayer, provisional: bool) -> Finding:
    """The finding with what a study of this size says beside it."""
    levels = {name: {key: str(value) for key, value in arm(name).levels.items()} for name in PLANTED}
    factors = {name: tuple(factor.levels) for name, factor in study().factors.items()}
    contrast = next(each for each in against_baseline(levels, "baseline", factors) if each.arm == one.arm)
    update = {
        "classes": layer.class_effects(contrast, told=not provisional),
        "images": ImageEffect(images=2000, seed_blocks=5, effect=one.effect, standard_error=0.004,
                              low=one.effect - 0.008, high=one.effect + 0.008, gained=310, lost=402),
        "other": OtherEffect(metric="loss", effect=-2.5 * one.effect, low=-2.5 * one.effect - 0.02,
                             high=-2.5 * one.effect + 0.02, p_adjusted=0.03, seed_blocks=5, method="Dunnett"),
        "seconds": Ratio(value=0.96, low=0.94, high=0.98),
        "parameters": Parameters(level=278_000, reference=278_000),
    }  # fmt: skip
    return one.model_copy(update=update)


def analysis(records: Sequence[Record], *, provisional: bool = False) -> Analysis:
    said = findings()
    if provisional:
        said = tuple(finding(one.arm, one.effect, "provisional") for one in said)
    if records:
        layer = class_layer(records)
        said = tuple(beside(one, layer, provisional) for one in said)
    return Analysis(
        metric="accuracy",
        margin=0.005,
        provisional=provisional,
        planned_blocks=BLOCKS,
        findings=said if records else (),
        arms=tuple(summary(one, records) for one in arms()),
        method=METHOD,
        notes=("With five seed blocks an exact sign-flip test cannot go below p = 0.0625.",),
        levels=outcomes_by_level(study(), records),
        correlation=0.71,
        variance_ratio=2.3,
        residual_sd=0.0037,
    )


def page() -> Page:
    """All twenty-five trials complete."""
    done = records()
    return Page(
        title="augmentation",
        question=study().question,
        study=study(),
        digest=study().digest(),
        analysis=analysis(done),
        records=done,
        arms=arms(),
        source_text=SOURCE,
        created="2026-11-23T02:10:00+00:00",
        command="ablate run studies/augmentation.yaml --scale laptop",
        folder="runs/augmentation-laptop",
    )


def partial_page() -> Page:
    """Twelve of twenty-five trials: one failed, one diverged, one unfinished."""
    done = records()[:12]
    failed = Outcome(status="failed", reason="RuntimeError: out of disk while writing a checkpoint")
    done[3] = done[3].model_copy(update={"outcome": failed})
    assert done[7].outcome is not None
    diverged = done[7].outcome.model_copy(
        update={"status": "diverged", "reason": "loss became nan in epoch 2", "test": Scores(loss=2.3026, accuracy=0.1)}
    )
    done[7] = done[7].model_copy(update={"outcome": diverged})
    done[11] = done[11].model_copy(update={"outcome": None, "epochs": done[11].epochs[:3]})
    return replaced(page(), done, analysis(done, provisional=True))


def replaced(one: Page, done: Sequence[Record], said: Analysis) -> Page:
    return replace(one, records=done, analysis=said)


def empty_page() -> Page:
    """A study that has only just begun."""
    begun = replaced(page(), [], analysis([], provisional=True))
    return replace(begun, analysis=begun.analysis.model_copy(update={"arms": ()}))


def table_page() -> Page:
    """Somebody's table of results: an analysis and nothing else."""
    said = analysis(records())
    bare = tuple(one.model_copy(update={"classes": (), "images": None}) for one in said.findings)
    return Page(
        title="results",
        analysis=said.model_copy(update={"findings": bare}),
        created="2026-11-23T02:10:00+00:00",
        command="ablate report --from results.csv",
    )


def factorial_page() -> Page:
    """Two crossed factors with an interaction, and a third factor of three levels that adds."""
    generator = np.random.default_rng(3)
    rows = []
    for crop in ("with", "without"):
        for flip in ("with", "without"):
            for size, gain in (("small", 0.0), ("medium", 0.02), ("large", 0.028)):
                lost = 0.03 * (crop == "without") + 0.012 * (flip == "without")
                lost += 0.02 * (crop == flip == "without")
                rows.append(
                    ArmSummary(
                        arm=f"crop={crop}, flip={flip}, size={size}",
                        levels={"crop": crop, "flip": flip, "size": size},
                        baseline=crop == flip == "with" and size == "small",
                        seed_blocks=5,
                        accuracy=0.74 - lost + gain + generator.normal(0, 0.002),
                        accuracy_sd=0.006,
                        loss=0.7,
                        loss_sd=0.01,
                        seconds={"small": 50.0, "medium": 90.0, "large": 160.0}[size],
                        parameters={"small": 90_000, "medium": 280_000, "large": 1_100_000}[size],
                        outcomes={"complete": 5},
                    )
                )
    crossed = finding("crop × flip=without × without", -0.02, "below the sum", kind="interaction")
    said = analysis(records()).model_copy(
        update={"arms": tuple(rows), "findings": (finding("size=large", 0.028, "helps"), crossed)}
    )
    return replace(page(), study=study().model_copy(update={"design": Factorial()}), analysis=said, records=(), arms=())


def search_page() -> Page:
    """Forty trials over two ranges and a named factor, three of them pruned and one failed."""
    generator = np.random.default_rng(5)
    done = []
    for number in range(40):
        rate, optimizer = float(10 ** generator.uniform(-3, 0)), ("sgd", "adamw")[int(generator.integers(2))]
        levels: dict[str, Level] = {"learning_rate": rate, "optimizer": optimizer}
        if optimizer == "sgd":
            levels["momentum"] = float(generator.uniform(0.5, 0.99))
        score = 0.75 - 0.03 * (np.log10(rate) + 1) ** 2 - 0.01 * (optimizer == "adamw") + generator.normal(0, 0.006)
        scores = Scores(loss=2.4 * (1 - score), accuracy=score)
        drawn = Trial(
            id=str(number),
            arm=Arm(name=f"trial {number}", levels=levels, settings=SETTINGS),
            block=number % 5,
            evaluate_on="validation",
            number=number,
        )
        cost = Cost(seconds=60 + number, images_per_second=300, parameters=278_000, peak_memory_bytes=1)
        outcome = Outcome(status="complete", validation=scores, cost=cost)
        if number in (3, 9, 17):
            outcome = Outcome(status="pruned", validation=Scores(loss=1.9, accuracy=score - 0.2))
        if number == 21:
            outcome = Outcome(status="failed", reason="ValueError: loss is not finite")
        done.append(Record(trial=drawn, outcome=outcome))
    searched = study().model_copy(
        update={
            "design": Search(trials=50),
            "factors": {
                "learning_rate": RangeFactor(sets="recipe.learning_rate", range=[1e-3, 1.0], scale="log"),
                "optimizer": LevelsFactor(levels={"sgd": {}, "adamw": {}}),
                "momentum": RangeFactor(sets="recipe.optimizer.momentum", range=[0.5, 0.99], when={"optimizer": "sgd"}),
            },
        }
    )
    said = Analysis(
        metric="accuracy", margin=0.005, provisional=False, planned_blocks=5, findings=(), arms=(), method="",
        levels=outcomes_by_level(searched, done),
    )  # fmt: skip
    return replace(page(), study=searched, analysis=said, records=done, arms=(), suggestions=suggestions())


def suggestions() -> Suggestions:
    """Two measures, of which one lets a factor stand out."""

    def bar(factor: str, share: float, noise: float, largest: float, where: str = "") -> Importance:
        return Importance(factor=factor, share=share, noise=noise, largest_noise=largest, where=where, trials=36)

    apart = (
        bar("learning_rate", 0.82, 0.31, 0.55), bar("momentum", 0.12, 0.55, 0.55, "optimizer=sgd"),
        bar("optimizer", 0.06, 0.2, 0.55),
    )  # fmt: skip
    explain = (bar("learning_rate", 0.6, 0.7, 0.74), bar("optimizer", 0.3, 0.42, 0.74))
    return Suggestions(
        importances=(
            Importances(measure="PED-ANOVA", bars=apart, trials=36, permutations=59),
            Importances(measure="fANOVA", bars=explain, trials=36, permutations=59),
        ),
        warnings=("The sampler (tpe) drew more trials where scores were good.",),
    )
