"""What is counted where the labels of a real study's trials are shuffled: then no arm differs from another."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from evidence_page import Row, Table, share
from simulated import SEED

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv
from ablation.analysis.results import ResultsTable
from ablation.analysis.writing import write_findings
from ablation.findings import Analysis

REAL = Path(__file__).parents[1] / "tests" / "analysis" / "tables" / "quickstart.csv"
"""The results of `ablate run studies/quickstart.yaml`: three augmentations on handwritten digits, 40 trials."""


FILES = 500
"""However many simulated studies the other tables have."""


def permuted(files: int, _: int) -> Row:
    """Shuffle the arms within each seed block, write findings.json as a study does, and read it back."""
    table, generator = from_csv(REAL, "accuracy", margin=0.01), np.random.default_rng(SEED)
    counts = np.zeros(3)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(files):
            into = Path(folder) / str(number)
            into.mkdir()
            write_findings(analyse(_shuffled(table, generator)), into)
        for written in Path(folder).glob("*/findings.json"):
            findings = Analysis.model_validate_json(written.read_text("utf-8")).findings
            verdicts = {finding.verdict for finding in findings}
            counts += ["helps" in verdicts, "hurts" in verdicts, bool({"helps", "hurts"} & verdicts)]
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / files)
    assert counts[0] / files <= limit, f"of {files} files with shuffled labels {counts[0]:.0f} say helps"
    return [f"{files:,}", *(share(rate, files) for rate in counts / files)]


def _shuffled(table: ResultsTable, generator: np.random.Generator) -> ResultsTable:
    """Each trial keeps its block and its scores, and takes the arm of another one in the same block."""
    arms = table.frame.groupby("block")["arm"].transform(lambda of_block: generator.permutation(of_block.to_numpy()))
    return replace(table, frame=table.frame.assign(arm=arms))


TABLES = (
    Table(
        "Labels shuffled in a real study",
        "The 40 trials of `studies/quickstart.yaml` on real digits, their arms shuffled within each seed block, "
        "so that no arm differs from another; each time findings.json is written by the code that writes yours, "
        "and read.",
        ("files", "at least one helps", "at least one hurts", "either"),
        (FILES,),
        permuted,
    ),
)
