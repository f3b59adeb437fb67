"""Results tables made from an array of scores."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablation.analysis.contrasts import Analysed
from ablation.analysis.results import ResultsTable, framed
from ablation.findings import Metric
from ablation.fractions import smallest_fraction
from ablation.trial import arm_name

LevelNames = Mapping[str, Sequence[str]]


def one_factor_arms(factors: LevelNames) -> dict[str, dict[str, str]]:
    reference = {factor: names[0] for factor, names in factors.items()}
    changed = [reference | {factor: level} for factor, names in factors.items() for level in names[1:]]
    return {arm_name(levels, reference): levels for levels in [reference, *changed]}


def factorial_arms(factors: LevelNames) -> dict[str, dict[str, str]]:
    reference = {factor: names[0] for factor, names in factors.items()}
    all_levels = [dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values())]
    return {arm_name(levels, reference): levels for levels in all_levels}


def fractional_arms(factors: LevelNames, resolution: int) -> dict[str, dict[str, str]]:
    reference = {factor: names[0] for factor, names in factors.items()}
    runs = smallest_fraction(len(factors), resolution).runs()
    all_levels = [{f: names[run >> at & 1] for at, (f, names) in enumerate(factors.items())} for run in runs]
    return {arm_name(levels, reference): levels for levels in all_levels}


def made_table(
    scores: NDArray[np.float64],
    factors: LevelNames | None = None,
    design: Analysed = "contrasts",
    metric: Metric = "accuracy",
    statuses: Mapping[tuple[int, int], str] | None = None,
    resolution: int = 5,
) -> ResultsTable:
    """Scores are arms x blocks; a NaN is a failed trial unless `statuses` of (arm, block) says otherwise."""
    factors = factors or {"part": [f"level{index}" for index in range(len(scores))]}
    if design == "fractional":
        arms = fractional_arms(factors, resolution)
    else:
        arms = factorial_arms(factors) if design == "factorial" else one_factor_arms(factors)
    rows = []
    for (arm, block), score in np.ndenumerate(scores):
        status = (statuses or {}).get((arm, block), "complete" if np.isfinite(score) else "failed")
        rows.append({"trial": f"{arm}-{block}", "arm": list(arms)[arm], "block": block, "status": status, metric: score,
                     "seconds": 10.0 + arm, "parameters": 1000})  # fmt: skip
    return ResultsTable(
        frame=framed(rows),
        arms=arms,
        baseline=next(iter(arms), ""),
        factors={factor: tuple(names) for factor, names in factors.items()},
        design=design,
        metric=metric,
        margin=0.002,
        planned_blocks=scores.shape[1],
    )


def noise(arms: int, blocks: int, seed: int = 0, sd: float = 0.002) -> NDArray[np.float64]:
    """Accuracies around 0.9 with a seed block's luck and an error of `sd` each."""
    generator = np.random.default_rng(seed)
    return 0.9 + sd * generator.standard_normal(blocks) + sd * generator.standard_normal((arms, blocks))


def long(scores: NDArray[np.float64], **columns: Sequence[object]) -> pd.DataFrame:
    """One row a score with `arm`, `block`, `y`, and columns that go by the arm."""
    rows = [{"arm": arm, "block": block, "y": y} for (arm, block), y in np.ndenumerate(scores)]
    return pd.DataFrame(rows).assign(**{name: [values[row["arm"]] for row in rows] for name, values in columns.items()})
