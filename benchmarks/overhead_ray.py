"""What does a trial cost beside its training in Ray Tune? Run by `overhead.py --ray`, or by hand.

The way Ray's own guide has it: a function trainable that reports five times, Optuna as its search, two CPUs. Once
plainly, once with `reuse_actors`, its best; neither writes a durable file or tracks anything beyond Ray's own results.
Ray is no dependency of the project; it goes into an environment of its own, without the project:

    python3 -m venv /tmp/ray && /tmp/ray/bin/pip install "ray[tune]" optuna
    /tmp/ray/bin/python benchmarks/overhead_ray.py [--trials 200] [--json]
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
import time

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AIR_NEW_OUTPUT": "0", "RAY_DEDUP_LOGS": "0"}

import ray
from ray import tune
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch

EPOCHS, SLOTS = 5, 2


def end_at_once(config: dict[str, float]) -> None:
    """A trial of five epochs that trains nothing."""
    for _ in range(EPOCHS):
        tune.report({"accuracy": 0.9 - abs(config["rate"] - 0.1)})


def run(trials: int, reuse: bool) -> float:
    """Seconds of a study of so many trials, two at a time."""
    search = ConcurrencyLimiter(OptunaSearch(metric="accuracy", mode="max"), max_concurrent=SLOTS)
    with tempfile.TemporaryDirectory() as place:
        tuner = tune.Tuner(
            end_at_once,
            param_space={"rate": tune.uniform(0.0, 1.0)},
            tune_config=tune.TuneConfig(
                metric="accuracy", mode="max", num_samples=trials, search_alg=search, reuse_actors=reuse
            ),
            run_config=tune.RunConfig(storage_path=place, verbose=0),
        )
        begun = time.perf_counter()
        results = tuner.fit()
        taken = time.perf_counter() - begun
    assert len(results) == trials
    assert not results.errors
    return taken


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="30 trials")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    trials = 30 if chosen.quick else chosen.trials
    ray.init(num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    run(4, reuse=True)  # the first workers of a cluster start slowly
    figures: dict[str, float | str] = {"trials": trials, "ray": ray.__version__}
    for name, reuse in (("Ray Tune with Optuna", False), ("Ray Tune with Optuna, reuse_actors", True)):
        figures[f"ms a trial {name}"] = round(1000 * run(trials, reuse) / trials, 1)
    ray.shutdown()
    print(json.dumps(figures) if chosen.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
