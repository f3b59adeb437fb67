"""How much faster is a trial than the recipe that people copy? Same net, images, batches, epochs and threads.

Times both from data in hand to the test score, five interleaved pairs a net, and prints the median ratio with the least
and the greatest. The plain side stands in `plain_recipe.py`; what both sides share in `training_sides.py`.
`python benchmarks/trainer_speed.py [--json] [--quick] [--device cuda]`; about eight minutes on two cores, quick under
one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from measuring import Figures, interleaved, machine, options, ratios, show, spread
from training_sides import SIDES, Side, Training, measure

PAIRS, QUICK_PAIRS = 5, 1
THREADS = 2

FULL = (
    Training(net="tiny", train_size=20_000, test_size=2_000, epochs=2, threads=THREADS),
    Training(net="small", train_size=5_000, test_size=1_000, epochs=2, threads=THREADS),
    Training(net="resnet 18", train_size=800, test_size=200, epochs=1, threads=THREADS),
)
ON_GPU = (
    Training(net="small", train_size=20_000, test_size=2_000, epochs=2, threads=THREADS),
    Training(net="resnet 18", train_size=20_000, test_size=2_000, epochs=2, threads=THREADS),
)
QUICK = {"tiny": 4_000, "small": 1_500, "resnet 18": 150}
"""Training images where only the order of size is wanted."""


def compare(training: Training, pairs: int) -> Figures:
    """The figures of one net."""
    sides = {side: partial(_seconds, side, training) for side in SIDES}
    taken = interleaved(sides, pairs, warm=False)  # each is a process of its own, ready before its clock starts
    return {
        "times as fast": ratios(taken["plain"], taken["ours"]),
        "plain, s": spread(taken["plain"], 2),
        "ours, s": spread(taken["ours"], 2),
        "images": training.train_size,
        "epochs": training.epochs,
    }


def _seconds(side: Side, training: Training) -> float:
    return measure(side, training).seconds


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    chosen = parser.parse_args()
    figures = machine(chosen.device)
    for each in FULL if chosen.device == "cpu" else ON_GPU:
        training = replace(each, device=chosen.device)
        if chosen.quick:
            training = replace(training, train_size=QUICK[each.net], epochs=1)
        figures[each.net] = compare(training, QUICK_PAIRS if chosen.quick else chosen.pairs)
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
