"""How often is a finding wrong, and how often is one missed? Simulates studies, writes docs/explanation/evidence.md.

    python benchmarks/evidence.py                   # 4,000 studies a row, two processes
    python benchmarks/evidence.py --studies 500 --only "Arms that"     # a quick look: prints the tables of that name

The same number of studies gives the same page.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import evidence_factorials
import evidence_growing
import evidence_looks
import evidence_pairs
import permuted_labels
import planted
from evidence_page import Row, Table, page_of

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "evidence.md"
PROCESSES = 2
STUDIES = 4_000
"""A row, where its table says nothing else; the tables are sized so that all of it takes twelve minutes."""

TABLES: tuple[Table, ...] = (
    *evidence_pairs.TABLES,
    *evidence_factorials.TABLES,
    *evidence_looks.TABLES,
    *evidence_growing.TABLES,
    *permuted_labels.TABLES,
    *planted.TABLES,
)
"""In the order of the page. A table more is a function from a case to a row."""

HEAD = (
    "How often findings are wrong or missed, counted over simulated studies whose truth is known. The code that "
    "analyses them is the one that analyses yours. This page is written by `python benchmarks/evidence.py`, from "
    "{studies:,} studies a row where nothing else is said; `tests/analysis/test_error_rates.py` holds a smaller "
    "part of it with every change.",
    "Shares are in percent, ± two Monte-Carlo standard errors. Scores are arm + seed block + error, where block "
    "and error have a standard deviation of one each (a correlation of 0.5 between arms) and errors are normal, "
    "if nothing else is said. Effects are in standard deviations of the error. A finding is false where the "
    "effect is zero and the verdict is `helps` or `hurts`: that, in at most 5 % of studies, is the promise.",
)


def main() -> None:
    """Compute every row, two at a time, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=STUDIES, help="simulated studies a row")
    parser.add_argument("--only", default="", help="print the tables that have this in their title, write nothing")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the processes below: their matrices are tiny
    tables = [table for table in TABLES if chosen.only in table.title]
    with ProcessPoolExecutor(PROCESSES) as pool:
        rows = rows_by(pool, tables, chosen.studies)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the clock other work on the machine takes its part
    spent = used.ru_utime + used.ru_stime
    page = page_of([text.format(studies=chosen.studies) for text in HEAD], tables, rows, chosen.studies)
    page += f"\nAll of it took {spent / 60:.0f} minutes of processor time, in {PROCESSES} processes.\n"
    if chosen.only:
        print(page)
    else:
        PAGE.write_text(page, "utf-8")
    print(f"{spent:.0f} s of processor time in {PROCESSES} processes", file=sys.stderr)


def rows_by(pool: ProcessPoolExecutor, tables: Sequence[Table], studies: int) -> list[list[Row]]:
    """The rows of each table; all tables share the processes.

    The last table begins: it runs real studies, and what fails in minutes should not fail after all the rest.
    """
    waiting = {
        table.title: [pool.submit(table.row, case, studies // table.part) for case in table.cases]
        for table in reversed(tables)
    }
    return [[future.result() for future in waiting[table.title]] for table in tables]


if __name__ == "__main__":
    main()
