"""A small study and trials with invented scores."""

from ablation.settings import Part, Recipe, Settings
from ablation.study import LeaveOneOut, LevelsFactor, Study, Tracking
from ablation.tracking import StudyNote
from ablation.trial import Arm, Cost, Epoch, Outcome, Record, Scores, Stamp, Trial, uniform_guess

SETTINGS = Settings(
    dataset=Part(name="digits"),
    model=Part(name="small", choices={"width": 8}),
    augmentations=(Part(name="crop", choices={"padding": 2}), Part(name="flip")),
    recipe=Recipe(epochs=2, optimizer=Part(name="sgd", choices={"momentum": 0.9})),
)
STAMP = Stamp(
    versions={"python": "3.11", "torch": "2.15"},
    git_commit="c0ffee",
    data_fingerprint="ab" * 32,
    device="cpu",
    precision="float32",
    started="2026-11-22T10:00:00+00:00",
)
NOTE = StudyNote(key="0123abc 2026-11-22", digest="4e5f", stamp=STAMP, arms=2, trials=4)


def made_up_study(name: str = "shifts", models: str = "best") -> Study:
    """Two arms and two seed blocks."""
    crop = LevelsFactor(levels={"with": {}, "without": {"augmentations.crop": None}})
    return Study(
        name=name,
        scale="full",
        question="Does shifting help?",
        baseline=SETTINGS,
        factors={"crop": crop},
        design=LeaveOneOut(),
        seeds=2,
        margin=0.01,
        tracking=Tracking.model_validate({"models": models}),
    )


def made_up_record(block: int = 0, accuracy: float = 0.9, status: str = "complete", **levels: str) -> Record:
    """One ended trial of two epochs, the last of which has this validation accuracy."""
    levels = levels or {"crop": "with"}
    name = ", ".join(f"{factor}={level}" for factor, level in levels.items())
    arm = Arm(name=name, levels=levels, settings=SETTINGS, baseline=levels == {"crop": "with"})
    epochs = tuple(
        Epoch(
            epoch=epoch,
            train=Scores(loss=1 / epoch, accuracy=accuracy / 2),
            validation=Scores(loss=0.5 / epoch, accuracy=accuracy - 0.1 * (2 - epoch)),
            learning_rate=0.1,
            seconds=1.5,
            images_per_second=900,
        )
        for epoch in (1, 2)
    )
    scores = {
        "complete": Scores(loss=0.25, accuracy=accuracy),
        "pruned": Scores(loss=0.25, accuracy=accuracy),
        "diverged": uniform_guess(2),
        "failed": None,
    }[status]
    outcome = Outcome(
        status=status,
        reason="" if status == "complete" else f"{status} <b>here</b>",
        validation=scores,
        test=scores,
        classes=("zero", "one") if scores else (),
        confusion=((9, 1), (2, 8)) if scores else (),
        cost=Cost(seconds=4, images_per_second=800, parameters=1234, peak_memory_bytes=5678),
        stamp=STAMP,
    )
    trial = Trial(id=f"{'-'.join(levels.values())[:40]}-b{block:03d}", arm=arm, block=block, number=block)
    return Record(trial=trial, outcome=outcome, epochs=epochs)
