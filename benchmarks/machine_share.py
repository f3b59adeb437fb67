"""Which share of the machine's own peak does a training reach, and where does the rest go?

Measures the rate of bfloat16 matrix products and convolutions here, counts the operations of each net with torch's
counter, and prints how much of both peaks a training step and a whole epoch (augmentation and all) reach; then the
processor time of an epoch by what it was spent on. A peak is the best of several shapes.
`python benchmarks/machine_share.py [--threads 2] [--json] [--quick]`; three minutes on two cores, quick under one.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from measuring import Figures, machine, options, seconds, show
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode
from training_sides import NETS, Training, assignment_of

from ablation.preparation import Prepared, prepared
from ablation.settings import Recipe
from ablation.training.augmenting import augmented
from ablation.training.fit import fit
from ablation.trial import Answer, Epoch

IMAGES = {"tiny": 12_800, "small": 2_560, "resnet 18": 384}
QUICK_IMAGES = {"tiny": 1_280, "small": 640, "resnet 18": 128}
KINDS = {
    "convolution": ("convolution",),
    "batch norm": ("batch_norm",),
    "rectifier and pooling": ("threshold", "clamp_min", "relu", "pool"),
    "optimizer": ("_fused_", "Optimizer"),
}
"""Parts of the names of torch's operators; the first kind that fits counts."""


class Unwatched:
    """A training that nobody follows."""

    def begin(self) -> None:
        """From the start."""

    def stepped(self, take: object) -> bool:  # noqa: ARG002 - no checkpoint is wanted
        """Go on."""
        return False

    def ended_epoch(self, epoch: Epoch, take: object) -> Answer:  # noqa: ARG002 - nobody listens
        """Go on."""
        return "proceed"

    def went_on(self, epoch: Epoch) -> Answer:  # noqa: ARG002 - nobody listens
        """Go on."""
        return "proceed"


def seconds_of(call: Callable[[], object], times: int) -> float:
    """The median of several calls, after one that is not counted."""
    call()
    return statistics.median([seconds(call) for _ in range(times)])


def peaks() -> dict[str, float]:
    """The best rates in GFLOP/s, of matrix products and of convolutions forward and backward."""
    products = []
    for size in (1024, 2048):
        factor = torch.ones(size, size, dtype=torch.bfloat16)
        products.append(2 * size**3 / seconds_of(lambda: factor @ factor, 7) / 1e9)  # noqa: B023
    convolutions = []
    for channels, side in ((64, 32), (128, 16), (256, 8)):
        layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(torch.bfloat16)
        layer = layer.to(memory_format=torch.channels_last)
        images = torch.ones(64, channels, side, side, dtype=torch.bfloat16, requires_grad=True)
        images = images.to(memory_format=torch.channels_last)
        operations = 3 * 2 * 64 * side**2 * channels**2 * 9
        gradient = torch.ones_like(images)
        call = seconds_of(lambda: layer(images).backward(gradient), 7)  # noqa: B023
        convolutions.append(operations / call / 1e9)
    return {"matrix product": max(products), "convolution": max(convolutions)}


def operations_of(built: Prepared) -> float:
    """GFLOP an image, forward and backward."""
    images = built.data.seen(built.data.train.between(0, 2))
    with FlopCounterMode(display=False) as counter:
        built.ingredients.model(images).sum().backward()
    built.ingredients.optimizer.zero_grad()
    return counter.get_total_flops() / 2 / 1e9


def rates_of(built: Prepared, recipe: Recipe) -> dict[str, float]:
    """Images a second: of the steps alone, and of the epoch with its augmentation (evaluation left out)."""
    fit(built.ingredients, built.data, recipe, 0, Unwatched())
    whole = fit(built.ingredients, built.data, recipe, 0, Unwatched()).images_per_second
    augmenting = seconds_of(lambda: augmented(built.data, built.ingredients.augmentations, 0, 1), 3)
    count = len(built.data.train)
    return {"step": count / (count / whole - augmenting), "epoch": whole, "augmentation": count / augmenting}


def spent_by_kind(built: Prepared, recipe: Recipe) -> dict[str, float]:
    """Percent of an epoch's processor time by kind; augmentation measured by itself."""

    def profiled(call: Callable[[], object]) -> Counter[str]:
        with profile(activities=[ProfilerActivity.CPU]) as record:
            call()
        spent: Counter[str] = Counter()
        for event in record.key_averages():
            found = [kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)]
            spent[found[0] if found else "other"] += event.self_cpu_time_total
        return spent

    augmenting = profiled(lambda: augmented(built.data, built.ingredients.augmentations, 0, 1)).total()
    spent = profiled(lambda: fit(built.ingredients, built.data, recipe, 0, Unwatched()))
    spent["augmentation"] = augmenting
    spent["other"] -= augmenting
    return {kind: round(100 * value / spent.total(), 1) for kind, value in spent.most_common()}


def measure(net: str, images: int, threads: int, peak: dict[str, float]) -> Figures:
    """The figures of one net."""
    training = Training(net=net, train_size=images * 10 // 9, test_size=100, epochs=1, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        given = assignment_of(training, Path(folder))
        built, recipe = prepared(given), given.trial.arm.settings.recipe
        operations, rates = operations_of(built), rates_of(built, recipe)
        shares = {
            f"{part}, percent of the {name} peak": round(100 * rates[part] * operations / rate, 1)
            for part in ("step", "epoch")
            for name, rate in peak.items()
        }
        spent = spent_by_kind(built, recipe)
    rounded = {f"{part}, images a second": round(rate) for part, rate in rates.items()}
    return {"GFLOP an image": round(operations, 3), **rounded, **shares, "percent of the time": spent}


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    peak = peaks()
    sizes = QUICK_IMAGES if chosen.quick else IMAGES
    nets = {net: measure(net, sizes[net], chosen.threads, peak) for net in NETS}
    show(machine() | {"peaks in GFLOP/s": {name: round(rate) for name, rate in peak.items()}, **nets}, chosen.json)


if __name__ == "__main__":
    main()
