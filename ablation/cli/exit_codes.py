"""What each exit code says: `ablate --help` prints this table, and docs/reference/command-line.md holds it."""

from __future__ import annotations

EXIT_CODES = {
    0: "fine",
    1: "finished, but trials failed; of `run --trial`, the trial failed or did not come out as its record says; of "
    "`predict`, a file could not be read",
    2: "a study file, an option or data that cannot be used",
    3: "the study differs from the one that its run folder was begun with in more than may be added, or the machine "
    "lacks what it was begun on",
    4: "another driver holds the study, or has taken it over",
    5: "the machine: a missing device, store, package or Docker, no room on the disk, no cluster that answers, or a "
    "node that is not like this machine; `doctor` found a problem",
    6: "`compare --fail-on-regression`: B falls short by at least that",
    7: "paused by `--max-hours`, a full disk, an Optuna storage that gave out, or trials that are killed from outside "
    "again and again: run the same command again to go on",
    8: "`export`: the written model does not give what the trial gave; no file is left",
    130: "interrupted by Ctrl-C; the same command goes on",
    143: "ended by SIGTERM; the same command goes on",
}
