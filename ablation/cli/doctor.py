"""`ablate doctor`: whether this machine and its stores are fit for a study, and what to do where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.text import Text

from ablation.addresses import default_uri
from ablation.checks import Check, State
from ablation.cli.machine import (
    check_clock,
    check_devices,
    check_disk,
    check_memory,
    check_shared_memory,
    check_versions,
    standing,
)
from ablation.cli.terminal import output, plain, print_json
from ablation.errors import AblationError

_STYLES: dict[State, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run would be given."""

    runs_dir: Path
    storage: str | None


def examine(asked: Asked, as_json: bool) -> None:
    """Print every check; ends with the exit code of the machine's errors where there is a problem."""
    checks = all_checks(asked)
    worst = worst_of(checks)
    if as_json:
        shown = [{"about": c.about, "state": c.state, "found": c.found, "advice": c.advice} for c in checks]
        print_json({"state": worst, "checks": shown})
    else:
        _print(checks)
    if worst == "problem":
        raise typer.Exit(AblationError.exit_code)


def all_checks(asked: Asked) -> list[Check]:
    """Look at everything; the stores come last, since one that does not answer takes ten seconds."""
    from ablation.sampling.stores import check_store
    from ablation.tracking.checking import check_tracking

    storage = check_store(asked.storage) if asked.storage else [_own_storage(asked.runs_dir)]
    place = standing(asked.runs_dir)
    return [
        *check_versions(),
        *check_devices(),
        check_memory(),
        check_shared_memory(),
        check_disk(place),
        check_clock(place),
        *storage,
        *check_tracking(default_uri(asked.runs_dir)),
    ]


def worst_of(checks: Sequence[Check]) -> State:
    """The state of the whole."""
    states = {check.state for check in checks}
    return "problem" if "problem" in states else "warning" if "warning" in states else "ok"


def _own_storage(runs_dir: Path) -> Check:
    return Check("optuna", "ok", f"study.db in each run folder of {runs_dir}; --storage looks at another")


def _print(checks: Sequence[Check]) -> None:
    widest = max(len(check.about) for check in checks)
    for check in checks:
        state = Text(f"{check.state:>7}", _STYLES[check.state])
        output.print(Text.assemble(state, f"  {check.about:<{widest}}  ", plain(check.found)))
        if check.advice:
            output.print(Text.assemble(" " * (widest + 11), plain(check.advice, "dim")))
