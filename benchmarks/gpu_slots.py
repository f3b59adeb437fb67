"""Do trials that share a GPU do more than one after the other?

Trials of ResNet-18 on CIFAR-10, through the executor and the worker of `ablate run`, as many at once as there are
slots; none is compiled. One round is not timed: each worker begins CUDA in it, and loads its kernels.

Needs CUDA, and CIFAR-10 where `ablate run` finds it (ABLATE_DATA).

    python benchmarks/gpu_slots.py [--slots 1 4 16] [--quick] [--json]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from measuring import Figures, machine, options, show, spread
from slots import STUDY, Side

from ablation import study_file
from ablation.driver import Machine
from ablation.executors.process_per_device import ProcessPerDevice, preload
from ablation.run_folder import RunFolder
from ablation.sources.roots import find_data_root
from ablation.splits import VALIDATION_FRACTION

IMAGES = 20_000


def images_a_second(place: Path, slots: int, repetitions: int, images: int) -> list[float]:
    """Training images that all slots together pass in a second, starts and evaluations of trials included."""
    (place / "study.yaml").write_text(STUDY.format(model="{name: resnet, depth: 18}", images=images))
    study = study_file.load(place / "study.yaml", "full", (), lambda: False)
    environment = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "0"}
    with ProcessPerDevice([environment] * slots) as executor:
        at = Machine(executor, slots, find_data_root(None).resolve())
        side = Side(study, at, 1, RunFolder(place / f"slots {slots}"), at_once=slots, device="cuda")
        side.run()
        return [slots * images * (1 - VALIDATION_FRACTION) / side.run() for _ in range(repetitions)]


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 4, 16])
    chosen = parser.parse_args()
    repetitions, images = (1, IMAGES // 4) if chosen.quick else (2, IMAGES)
    preload("ablation.worker", "ablation.training.first_optimizer")
    figures: Figures = machine("cuda")
    with tempfile.TemporaryDirectory() as place:
        for slots in chosen.slots:
            figures[f"images a second in {slots} slots"] = spread(
                images_a_second(Path(place), slots, repetitions, images), 0
            )
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
