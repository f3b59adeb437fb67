"""`ablation.load`: a study read back, for a notebook. It sees the page that the report shows, and no other number."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablation.analysis.frames import effects_frame, trials_frame
from ablation.analysis.results import ResultsTable
from ablation.analysis.writing import markdown
from ablation.errors import InputError
from ablation.findings import Analysis, Finding
from ablation.report.assembly import titled_figures
from ablation.report.page import Page
from ablation.report.writing import write
from ablation.run_folder import RunFolder
from ablation.study_page import page_of

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a study has come to so far. In a notebook it shows itself as its findings."""

    page: Page
    table: ResultsTable

    @property
    def trials(self) -> pd.DataFrame:
        """One row for each trial that has an outcome: arm, seed block, status, a column a factor, then the measures.

        Accuracy is a fraction, loss in nats, `seconds` those of training.
        """
        return trials_frame(self.table)

    @property
    def effects(self) -> pd.DataFrame:
        """One row a finding: the contrast, its effect in the metric's unit with interval and p, verdict, sentence."""
        return effects_frame(self.page.analysis)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings with all that stands beside them: the other metric, time, classes, images."""
        return self.page.analysis.findings

    @property
    def analysis(self) -> Analysis:
        """Findings, arms, method, diagnostics and notes: what `findings.json` holds."""
        return self.page.analysis

    @property
    def figures(self) -> Mapping[str, go.Figure]:
        """The report's figures by the names of their sections (`effects`, `curves`, ...), each with its title."""
        return titled_figures(self.page)

    def report(self, path: str | Path) -> Path:
        """Write the report to a file."""
        write(self.page, Path(path))
        return Path(path)

    def _repr_markdown_(self) -> str:
        return markdown(self.page.analysis, self.page.question)


def load(folder: str | Path) -> Results:
    """Read a study's run folder, such as `runs/augmentation-laptop`, finished or not.

    Raises:
        InputError: the folder holds no study.
        AblationError: a file in it is damaged.
    """
    run = RunFolder(Path(folder))
    if not run.begun():
        raise InputError(f"{folder} is no run folder: it has no study.json. Give the folder that `ablate run` names.")
    return Results(*page_of(run, lambda text: warnings.warn(text, stacklevel=3)))
