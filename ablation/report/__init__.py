"""The report: one self-contained HTML page for a study. The only folder that knows Plotly; it never loads torch."""

from ablation.report.page import Page
from ablation.report.writing import render, write

__all__ = ["Page", "render", "write"]
