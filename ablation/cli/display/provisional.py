"""`python -m ablation.cli.display.provisional FOLDER`: what a study has found so far, as rows, in JSON on stdout.

A process of its own, started by `ablation.cli.display.so_far` while a study runs: it gives way to the trials.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

_GIVES_WAY = 10
"""Of the scheduler's niceness: beside a busy trial such a process gets about a tenth of a core."""


def main() -> None:
    """Analyse what the folder holds."""
    if hasattr(os, "nice"):
        os.nice(_GIVES_WAY)
    sys.stdout.write(json.dumps({"rows": rows(Path(sys.argv[1])), "cost": time.process_time()}))


def rows(path: Path) -> list[list[str]]:
    """For each contrast: what is changed, by how much so far, the interval so far, seed blocks, verdict.

    A verdict stands only where a look of a growing plan has drawn it; an interval takes two seed blocks.
    """
    from ablation import designs
    from ablation.analysis.analyse import analyse
    from ablation.analysis.crossed import told
    from ablation.analysis.estimates import Interval
    from ablation.analysis.results import from_records
    from ablation.analysis.sentences import UNITS, bounds, difference
    from ablation.run_folder import RunFolder
    from ablation.study import Growing

    folder = RunFolder(path)
    begun, records = folder.beginning(), folder.records()
    analysis = analyse(from_records(begun.study, designs.arms_of(begun.study, records), records, begun.changes))
    of = f"of {'at most ' * isinstance(begun.study.seeds, Growing)}{analysis.planned_blocks}"
    found = []
    for one in map(told, analysis.findings):
        known = one.effect is not None or one.verdict == "withheld"
        change = f"{difference(one.effect, one.metric)} {UNITS[one.metric].name}" if one.effect is not None else ""
        interval = "" if one.low is None or one.high is None else bounds(Interval(one.low, one.high), one.metric)
        what = f"{one.factor}: {one.level}" if one.level else one.factor
        found.append([what, change, interval, f"{one.seed_blocks} {of}", one.verdict if known else ""])
    return found


if __name__ == "__main__":
    main()
