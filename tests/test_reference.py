"""The reference is that of the code: its tables are written from it, and what is written by hand holds."""

import re
import runpy
from pathlib import Path

import pytest
import typer
from markdown import code
from source_tree import ROOT

from ablation import components, errors
from ablation.cli.exit_codes import EXIT_CODES
from ablation.cli.main import app
from ablation.fractions import smallest_fraction

WRITER = ROOT / "docs" / "write_reference.py"
WRITTEN: dict[Path, str] = runpy.run_path(str(WRITER))["pages"]()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_a_page_is_as_the_code_writes_it(page: Path) -> None:
    assert page.read_text("utf-8") == WRITTEN[page], "run: python docs/write_reference.py"


def test_every_exit_code_has_a_meaning() -> None:
    of_errors = {
        each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")
    }
    fine, failed_trials, sigint, sigterm = 0, 1, 130, 143
    assert set(EXIT_CODES) == of_errors | {fine, failed_trials, sigint, sigterm}


def test_the_help_names_every_kind_of_component() -> None:
    command = typer.main.get_command(app).commands["components"]  # type: ignore[attr-defined]
    (kind,) = [each for each in command.params if each.name == "kind"]
    assert code(kind.help) == list(components.KINDS)


def test_the_reference_has_the_number_of_arms_of_every_fraction() -> None:
    page = (ROOT / "docs" / "reference" / "study-file.md").read_text("utf-8")
    (head,) = re.findall(r"^\| factors \|(.*)\|$", page, re.MULTILINE)
    columns = [range(int(cell.split()[0]), int(cell.split()[-1]) + 1) for cell in head.split("|")]
    assert [factors for column in columns for factors in column] == list(range(3, 17))
    for resolution, cells in re.findall(r"^\| arms at resolution (\d) \|(.*)\|$", page, re.MULTILINE):
        for column, arms in zip(columns, cells.split("|"), strict=True):
            assert {smallest_fraction(factors, int(resolution)).num_arms for factors in column} == {int(arms)}
