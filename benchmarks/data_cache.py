"""How long do data keep a trial from training?

Claims: CIFAR-10 is decoded and cached once in at most 20 s; a later trial of the full data set, in a kept worker,
starts training within 0.5 s of getting it (split, statistics of the split, model, check); the decoded images are one
memory map that all processes share, of which none has pages of its own.

Needs CIFAR-10 where `ablate run` finds it (ABLATE_DATA, or --data-dir). A cache of its own is made and removed.

    python benchmarks/data_cache.py [--data-dir DIR] [--quick] [--json]
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from measuring import Figures, command, machine, options, show, spread

from ablation import designs, study_file
from ablation.executors.process_per_device import ProcessPerDevice, preload
from ablation.preparation import prepared
from ablation.sources.roots import find_data_root
from ablation.study import Study
from ablation.trial import Assignment

STUDY = """\
question: How long do data keep a trial from training?
dataset: cifar10
model: small
preprocessing: {normalize: {statistics: dataset}}
augmentations: {crop: {padding: 4}, flip: {}}
recipe: {epochs: 6, learning_rate: 0.1, precision: float32}
factors: {flip: {with: {}, without: {augmentations.flip: null}}}
design: one-factor
seeds: 20
"""
LOAD = "import sys; from pathlib import Path; from ablation.datasets.cifar10 import build; build(Path(sys.argv[1]))"


class Link:
    """Nobody listens."""

    patience, about = 120.0, ""


def get_ready(assignment: Assignment, link: Link) -> tuple[float, int, int]:  # noqa: ARG001
    """Build all that the trial needs; when that was done, and the kB of decoded images: mapped here, and its own."""
    built = prepared(assignment)
    done = time.monotonic()
    assert len(built.data.train) + len(built.data.validation) == len(built.splits.train)
    return done, *mapped_and_private()


def mapped_and_private() -> tuple[int, int]:
    """Of the files of the decoded cache: kB that lie in memory, and kB of them that only this process has."""
    inside, mapped, private = False, 0, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, rest = line.partition(":")
        if "-" in name.split(" ")[0] and not rest.strip().endswith("kB"):
            inside = "-images.npy" in line
        elif inside and name == "Rss":
            mapped += int(rest.split()[0])
        elif inside and name == "Private_Dirty":
            private += int(rest.split()[0])
    return mapped, private


def starts(study: Study, place: Path, root: Path, count: int) -> tuple[list[float], tuple[int, int]]:
    """Seconds from handing each trial to a worker until it would make its first step; the first one loads."""
    taken, memory = [], (0, 0)
    with ProcessPerDevice([{"OMP_NUM_THREADS": "1"}]) as executor:
        for trial in designs.planned_trials(study)[:count]:
            assignment = Assignment(trial=trial, folder=place, data_root=root)
            begun = time.monotonic()
            done, *rest = executor.submit(get_ready, assignment, Link()).result()
            taken.append(done - begun)
            memory = (rest[0], rest[1])
    return taken, memory


def main() -> None:
    """Print the figures."""
    parser = options(__doc__)
    parser.add_argument("--data-dir", type=Path)
    chosen = parser.parse_args()
    root = find_data_root(chosen.data_dir)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["ABLATE_CACHE"] = str(place / "cache")
        paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)])}
        show(measure(place, root, paths, chosen.quick), chosen.json)


def measure(place: Path, root: Path, paths: dict[str, str], quick: bool) -> Figures:
    """Decode, load, and hand out trials."""
    decoding = command("-c", LOAD, root, environment=paths)
    loading = [command("-c", LOAD, root, environment=paths) for _ in range(3 if quick else 9)]
    (place / "study.yaml").write_text(STUDY)
    study = study_file.load(place / "study.yaml", "full", (), lambda: False)
    preload("ablation.worker", "ablation.training.first_optimizer")
    taken, (mapped, private) = starts(study, place, root, 7 if quick else 30)
    return {
        "machine": machine(),
        "s to decode and cache CIFAR-10": round(decoding, 2),
        "s to load it again, Python's start included": spread(loading),
        "s until the first trial of a worker trains, its process included": round(taken[0], 3),
        "s until a later one does": spread(taken[1:]),
        "MB of decoded images that a worker has mapped": round(mapped / 1024, 1),
        "MB of them that are its own": round(private / 1024, 1),
    }


if __name__ == "__main__":
    main()
