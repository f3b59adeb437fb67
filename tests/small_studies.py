"""Small studies of procedural images, written as a person writes them."""

from collections.abc import Callable
from pathlib import Path

from ablation import study_file
from ablation.study import Study

SMALL = """\
question: Do shifts and flips help on small glyphs?
dataset: {name: synthetic, train_size: 96, test_size: 96, num_classes: 3}
model: {name: small, width: 4}
preprocessing: {normalize: {}}
recipe: {epochs: 3, batch_size: 32, learning_rate: 0.05, precision: float32}
factors:
  crop: {none: {}, shifted: {augmentations.crop: {padding: 2}}}
  flip: {none: {}, flipped: {augmentations.flip: {}}}
design: one-factor
seeds: 2
margin: 0.05
"""

SEARCH = SMALL.replace("design: one-factor", "design: {kind: search, trials: 5, sampler: tpe}").replace(
    "factors:", "factors:\n  rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}"
)

LATE = '''"""Fails in training alone: a few images, as a study is rehearsed with, it takes."""

from ablation.errors import InputError


def build():
    """Leave images as they are, a few at a time."""

    def augment(images, targets, generator):
        if len(images) > 64:
            raise InputError("augmentation lab.late takes 64 images")
        return 255 - images, targets

    return augment
'''

ONE_FAILS = SMALL.replace(
    "crop: {none: {}, shifted: {augmentations.crop: {padding: 2}}}",
    "crop: {none: {}, late: {augmentations.lab.late: {}}}",
)
"""Its arm `crop=late` fails, with `LATE` in lab/late.py."""

StudyWriter = Callable[..., Path]


def load(path: Path) -> Study:
    """The study of a file at full size."""
    return study_file.load(path, "full", (), lambda: False)


def write_late(place: Path) -> None:
    """Put the component that fails beside a study."""
    (place / "lab").mkdir(exist_ok=True)
    (place / "lab" / "late.py").write_text(LATE)
