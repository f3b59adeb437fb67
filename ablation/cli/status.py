"""`ablate status`: how far a study has come, from its run folder alone."""

from __future__ import annotations

import shlex
from pathlib import Path

from ablation.cli.locate import find_folder
from ablation.cli.running.left import count_left
from ablation.cli.terminal import print_json, print_table, say
from ablation.run_folder import RunFolder

STATES = ("complete", "running", "waiting", "failed", "diverged", "pruned")


def print_status(study: Path, runs_dir: Path, scale: str | None, as_json: bool) -> None:
    """Print the counts; the states add up to what is planned."""
    folder = find_folder(study, runs_dir, scale)
    counts = count_states(folder)
    if as_json:
        print_json({"study": folder.beginning().study.name, **counts})
        return
    print_table(counts, [counts.values()])
    holder = folder.holder()
    if holder is not None:
        say(f"run by {holder}")
    elif counts["waiting"]:
        say(f"nobody is running it; go on with: ablate run {shlex.quote(str(folder.path))}")


def count_states(folder: RunFolder) -> dict[str, int]:
    """Trials by state: `planned` first, then the six it is the sum of. A growing plan is as long as its next look."""
    counts = dict.fromkeys(STATES, 0)
    driven = folder.holder() is not None
    statuses = folder.statuses()
    for status in statuses.values():
        if status is not None:
            counts[status] += 1
        elif driven:
            counts["running"] += 1
    counts["waiting"] = count_left(folder, statuses) - counts["running"]
    return {"planned": sum(counts.values()), **counts}
