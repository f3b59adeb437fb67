"""The example notebook runs from its first cell to its last, on the run folder of the study that it names."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
from commands import ablate
from nbclient import NotebookClient
from source_tree import ROOT

NOTEBOOK = ROOT / "docs" / "how-to" / "quickstart.ipynb"


def test_it_runs_and_shows_findings_tables_and_figures(tmp_path: Path) -> None:
    study = str(ROOT / "studies" / "quickstart.yaml")
    assert ablate("run", study, "--scale", "smoke", "--no-tracking", cwd=tmp_path).returncode == 0
    (tmp_path / "runs" / "quickstart-smoke").rename(tmp_path / "runs" / "quickstart")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        kind
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", {})
    ]
    assert shown.count("text/markdown") == 1
    assert shown.count("text/html") >= 2
    assert shown.count("application/vnd.plotly.v1+json") == 2


def test_it_is_kept_without_outputs_and_its_code_is_python() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    for cell in code:
        assert not cell.outputs
        assert cell.execution_count is None
        ast.parse(cell.source)
