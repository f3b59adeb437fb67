"""How much faster is a trial than the recipe that people copy? Same net, images, batches, epochs and threads.

Times both from data in hand to the test score, five interleaved pairs a net, and prints the median ratio with the least
and the greatest. The plain side stands in `plain_recipe.py`; what both sides share in `training_sides.py`.
`python benchmarks/trainer_speed.py [--json] [--quick]`; about eight minutes on two cores, quick under one.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace

from training_sides import SIDES, Training, measure

PAIRS, QUICK_PAIRS = 5, 1
THREADS = 2

FULL = (
    Training(net="tiny", train_size=20_000, test_size=2_000, epochs=2, threads=THREADS),
    Training(net="small", train_size=5_000, test_size=1_000, epochs=2, threads=THREADS),
    Training(net="resnet 18", train_size=800, test_size=200, epochs=1, threads=THREADS),
)
QUICK = {"tiny": 4_000, "small": 1_500, "resnet 18": 150}
"""Training images where only the order of size is wanted."""


def compare(training: Training, pairs: int) -> dict[str, object]:
    """The figures of one net; each pair runs one side right after the other, and the next pair the other way round."""
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for pair in range(pairs):
        for side in SIDES if pair % 2 == 0 else reversed(SIDES):
            seconds[side].append(measure(side, training).seconds)
    ratios = [plain / ours for plain, ours in zip(seconds["plain"], seconds["ours"], strict=True)]
    return {
        "net": training.net,
        "images": training.train_size,
        "epochs": training.epochs,
        "pairs": pairs,
        "plain seconds": round(statistics.median(seconds["plain"]), 2),
        "ours seconds": round(statistics.median(seconds["ours"]), 2),
        "times as fast": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "greatest": round(max(ratios), 2),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    trainings = [replace(each, train_size=QUICK[each.net], epochs=1) if chosen.quick else each for each in FULL]
    rows = [compare(each, QUICK_PAIRS if chosen.quick else PAIRS) for each in trainings]
    if chosen.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['net']}: {row['times as fast']} times as fast ({row['least']} to {row['greatest']}, {row['pairs']} "
            f"pairs); {row['plain seconds']} s against {row['ours seconds']} s"
        )


if __name__ == "__main__":
    main()
