"""Trials and effects as tidy tables, for a notebook: one row an observation, one column a variable."""

from __future__ import annotations

import pandas as pd

from ablation.analysis.csv_table import FACTOR
from ablation.analysis.results import MISSING, ResultsTable
from ablation.findings import Analysis

EFFECT_COLUMNS = (
    *("kind", "factor", "level", "reference", "metric", "effect", "low", "high", "p_adjusted", "seed_blocks"),
    *("verdict", "sentence", "equivalence_low", "equivalence_high", "p_holm", "p_sign_flip", "arm", "reference_arm"),
)


def trials_frame(table: ResultsTable) -> pd.DataFrame:
    """One row for each trial that has an outcome: `trial`, `arm`, `block`, `status`, `factor:<name>`, then measures.

    Accuracy is a fraction, loss in nats, `seconds` those of training; NaN where there is none, and an empty level where
    a factor takes no part in the arm.
    """
    frame = table.frame[table.frame["status"] != MISSING].reset_index(drop=True)
    for at, name in enumerate(table.factors, start=4):
        frame.insert(at, FACTOR + name, [table.arms[arm].get(name, "") for arm in frame["arm"]])
    return frame


def effects_frame(analysis: Analysis) -> pd.DataFrame:
    """One row a finding: what was held against what, the effect and its interval in the metric's unit, the verdict."""
    rows = [one.model_dump(include=set(EFFECT_COLUMNS)) for one in analysis.findings]
    return pd.DataFrame(rows, columns=list(EFFECT_COLUMNS))
