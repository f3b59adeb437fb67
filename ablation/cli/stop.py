"""`ablate stop`: what the first Ctrl-C does, from another terminal or another machine."""

from __future__ import annotations

import shlex

from ablation.cli.terminal import say
from ablation.errors import StudyLockedError
from ablation.holding import PACE, ask_to_stop, holder_of, wait_until_left
from ablation.run_folder import RunFolder


def stop_study(folder: RunFolder) -> None:
    """Ask whoever runs the study to stop, and wait for it; nobody is fine too.

    Raises:
        StudyLockedError: it has not left in time.
    """
    holder = holder_of(folder.path)
    if holder is None:
        say(f"nobody is running {folder.path}.")
        return
    say(f"asked {holder} to stop; running trials write a checkpoint.")
    ask_to_stop(folder.path, holder)
    if not wait_until_left(folder.path, holder):
        raise StudyLockedError(
            f"{holder} still runs {folder.path} after {PACE.leave:.0f} s. On another machine it may take longer: "
            "give the command again. One that does not answer loses its place to `ablate run --take-over`."
        )
    say(f"stopped. To go on: {shlex.join(['ablate', 'run', str(folder.path)])}")
