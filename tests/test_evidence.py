"""The page of the evidence has every table that its program counts; `analysis/test_error_rates` holds the counts."""

import math

import evidence
import evidence_growing
import permuted_labels
from evidence_page import Table, page_of
from markdown import rows, section
from source_tree import ROOT

PAGE = ROOT / "docs" / "explanation" / "evidence.md"


def test_the_page_has_every_table_with_a_row_for_each_case() -> None:
    text = PAGE.read_text("utf-8")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        table.title for table in evidence.TABLES
    ]
    for table in evidence.TABLES:
        of_table = section(PAGE, f"## {table.title}")
        assert f"| {' | '.join(table.columns)} |" in of_table
        assert len(rows(of_table)) == len(table.cases)
        assert all(len(row) == len(table.columns) for row in rows(of_table))


def test_the_page_has_the_studies_and_files_that_the_program_counts() -> None:
    """A page from a quick look is not the evidence."""
    text = PAGE.read_text("utf-8")
    assert f"from {evidence.STUDIES:,} studies a row" in " ".join(text.split())
    for table in evidence.TABLES:
        about = " ".join(section(PAGE, f"## {table.title}").split())
        assert (f"{evidence.STUDIES // table.part:,} studies a row" in about) == (table.part > 1)
    (files,) = rows(section(PAGE, f"## {permuted_labels.TABLES[0].title}"))
    assert files[0] == f"{permuted_labels.FILES:,}" == "500"
    assert float(files[1].partition(" ")[0]) <= 5 + 300 * math.sqrt(0.05 * 0.95 / permuted_labels.FILES)


def test_the_page_has_what_growing_is_said_to_save() -> None:
    for row in rows(section(PAGE, "## What growing saves")):
        assert float(row[-2].partition(" ")[0]) <= 0.85
        assert float(row[-1]) <= 0.5


def test_growing_plans_have_a_thousand_studies_a_row_or_more() -> None:
    assert all(evidence.STUDIES // table.part >= 1_000 for table in evidence_growing.TABLES)


def test_a_table_of_a_part_of_the_studies_says_so() -> None:
    table = Table("Title", "About.", ("a", "b"), (1,), lambda case, studies: [str(case), str(studies)], part=4)
    page = page_of(["Head."], [table], [[table.row(1, 500)]], 2000)
    assert page == "# The evidence\nHead.\n\n## Title\nAbout. 500 studies a row.\n\n| a | b |\n|--:|--:|\n| 1 | 500 |\n"
