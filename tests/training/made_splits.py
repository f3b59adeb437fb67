"""A small data set of noise, sorted by class."""

import numpy as np

from ablation.splits import LabelledImages, Splits


def some_splits(per_class: int = 40, classes: int = 3) -> Splits:
    random = np.random.default_rng(0)
    count = per_class * classes
    images = random.integers(0, 256, (count, 3, 6, 6), dtype=np.uint8)
    labels = np.repeat(np.arange(classes), per_class)
    test = LabelledImages(images[: 2 * classes], labels[: 2 * classes])
    return Splits(LabelledImages(images, labels), test, tuple("abc"[:classes]), "print")
