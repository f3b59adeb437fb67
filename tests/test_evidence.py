"""The page of the evidence has every table that its program counts; `analysis/test_error_rates` holds the counts."""

import evidence
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


def test_a_table_of_a_part_of_the_studies_says_so() -> None:
    table = Table("Title", "About.", ("a", "b"), (1,), lambda case, studies: [str(case), str(studies)], part=4)
    page = page_of(["Head."], [table], [[table.row(1, 500)]], 2000)
    assert page == "# The evidence\nHead.\n\n## Title\nAbout. 500 studies a row.\n\n| a | b |\n|--:|--:|\n| 1 | 500 |\n"
