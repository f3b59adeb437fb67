"""`ablate extend`: more seed blocks for a plan that was fixed, recorded in the run folder. Trains nothing."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

from ablation.changes import compare
from ablation.cli.locate import find_folder, located_in, take_change
from ablation.cli.terminal import say
from ablation.errors import InputError
from ablation.holding import hold
from ablation.study import Growing, Search, Study

_COUNT = re.compile(r"\+([1-9]\d{0,3})")


def extend_study(study: Path, runs_dir: Path, scale: str | None, seeds: str) -> None:
    """Add seed blocks to the plan of a study that was begun; its file may stay as it is.

    Raises:
        InputError: not `+N`, or the study is a search, or grows by itself.
        StudyLockedError: a driver runs the study.
    """
    count = _COUNT.fullmatch(seeds)
    if count is None:
        raise InputError(f"--seeds {seeds}: say how many seed blocks are added, such as --seeds +5.")
    folder = find_folder(study, runs_dir, scale)
    with hold(folder.path):
        stored = located_in(folder)
        longer = _longer(stored.study, int(count[1]))
        text = f"{stored.source_text.rstrip()}\n# ablate extend --seeds {seeds}: {longer.seeds} seed blocks\n"
        found = compare(stored.study, longer)
        change = replace(stored, study=longer, digest=longer.digest(), source_text=text, change=found)
        begun = take_change(change, command=f"extend --seeds {seeds}")
    if begun.changes[-1].ended:
        say("trials have ended, so from now on every verdict comes from an anytime-valid sequence, as the report says.")
    say(f"next: {shlex.join(['ablate', 'run', str(folder.path)])}")


def _longer(study: Study, more: int) -> Study:
    if isinstance(study.design, Search):
        raise InputError("a search has no plan to extend; raise `design.trials` in its file and run it again.")
    if isinstance(study.seeds, Growing):
        raise InputError(
            f"the study grows by itself, up to the {study.seeds.max} seed blocks that its looks were declared for. "
            "Begin anew beside it with `ablate run --fork NAME --set seeds.max=N`."
        )
    return study.model_copy(update={"seeds": study.seeds + more})
