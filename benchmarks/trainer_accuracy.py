"""Does a trial's training reach the accuracy of the plain recipe? A test of equivalence over seeds, on CIFAR-10.

The small net, 6,000 images, six epochs: both sides start from equal weights and train on the same images in each seed
block; only the draws of augmentation and order differ, and the arithmetic (bfloat16 against float32). Equivalent where
two one-sided paired t tests at 5 % put the mean difference in test accuracy inside the margin, that is, where its 90 %
interval lies inside. The margin is 1.5 points: about what one seed moves a net at this scale, and a third of the
smallest effect that the study of augmentations finds there.
`python benchmarks/trainer_accuracy.py [--seeds 8] [--json] [--quick]`; about a quarter of an hour on two cores, quick
under one minute (and then without power to decide).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from measuring import Figures, machine, options, show
from scipy import stats
from training_sides import SIDES, Training, measure

MARGIN = 0.015
LEVEL = 0.05
FULL = Training(net="small", train_size=6_000, test_size=10_000, epochs=6)
QUICK = Training(net="tiny", train_size=1_000, test_size=1_000, epochs=2)


def equivalence(differences: Sequence[float], margin: float) -> dict[str, float | bool]:
    """Two one-sided paired t tests: the greater p of the two, and the interval that says the same."""
    count, mean = len(differences), statistics.fmean(differences)
    error = max(statistics.stdev(differences), 1e-12) / math.sqrt(count)
    law = stats.t(count - 1)
    p = max(law.sf((mean + margin) / error), law.cdf((mean - margin) / error))
    reach = float(law.ppf(1 - LEVEL)) * error
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "p": float(p), "equivalent": bool(p < LEVEL)}


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    chosen = parser.parse_args()
    training, seeds = (QUICK, 2) if chosen.quick else (FULL, chosen.seeds)
    accuracies = {
        side: [measure(side, replace(training, block=block)).accuracy for block in range(seeds)] for side in SIDES
    }
    tested = equivalence(
        [ours - plain for ours, plain in zip(accuracies["ours"], accuracies["plain"], strict=True)], MARGIN
    )
    figures: Figures = {f"{side}, mean accuracy": statistics.fmean(values) for side, values in accuracies.items()}
    show(machine() | figures | {"margin": MARGIN, **tested, **accuracies}, chosen.json)


if __name__ == "__main__":
    main()
