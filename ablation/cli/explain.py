"""`ablate explain`: one trial, why it ended as it did, and how to repeat it. From the run folder alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from ablation.attempts import attempts
from ablation.cli.terminal import output, plain, print_json
from ablation.cli.trials import find_trial, log_lines, state_of
from ablation.errors import DamagedFileError
from ablation.run_folder import RunFolder
from ablation.trial import Attempt, Cause
from ablation.trial_files import read_outcome

LOG_LINES = 20


def explain_trial(folder: RunFolder, trial_id: str, as_json: bool) -> None:
    """Print what is known of a trial.

    Raises:
        InputError: the study has no such trial.
    """
    found = explanation(folder, trial_id)
    if as_json:
        print_json(found)
        return
    for name, text in _told(found):
        output.print(plain(f"{name:<11} {text}".rstrip()))


def explanation(folder: RunFolder, trial_id: str) -> dict[str, Any]:
    """What is known of a trial, as `--json` prints it."""
    record = find_trial(folder, trial_id)
    trial, outcome, place = record.trial, record.outcome, folder.trial_folder(trial_id)
    return {
        "trial": trial.id,
        "arm": trial.arm.name,
        "levels": trial.arm.levels,
        "seed_block": trial.block,
        "state": state_of(folder, record),
        "cause": outcome.cause if outcome else None,
        "reason": outcome.reason if outcome else "",
        "attempts": [attempt.model_dump() for attempt in attempts(place)],
        "earlier": list(_earlier(folder, trial_id)),
        "log": log_lines(place)[-LOG_LINES:],
        "repeat": shlex.join(["ablate", "run", str(folder.path), "--trial", trial.id]),
    }


def _earlier(folder: RunFolder, trial_id: str) -> Iterator[dict[str, Any]]:
    """What the trial came to before it was queued again, the first time first."""
    places = folder.trial_folder(trial_id).glob("earlier-*")
    for place in sorted(places, key=lambda place: int(place.name.removeprefix("earlier-"))):
        try:
            outcome = read_outcome(place)
        except DamagedFileError as error:  # that is why it was put there
            yield {"folder": str(place), "state": "damaged", "cause": None, "reason": f"{error}"}
            continue
        if outcome is not None:
            yield {"folder": str(place), "state": "failed", "cause": outcome.cause, "reason": outcome.reason}


def _told(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The explanation in lines, each with its name; a list has its name on the first line alone."""
    yield "trial", found["trial"]
    yield "arm", found["arm"]
    yield "levels", ", ".join(f"{factor}={level}" for factor, level in found["levels"].items()) or "none"
    yield "seed block", str(found["seed_block"])
    yield "state", _ending(found["state"], found["cause"], found["reason"])
    tries = [_attempt(number, Attempt.model_validate(each)) for number, each in enumerate(found["attempts"], 1)]
    yield from _listed("attempts", tries)
    earlier = [
        f"{each['folder']}: {_ending(each['state'], each['cause'], each['reason'])}" for each in found["earlier"]
    ]
    yield from _listed("earlier", earlier)
    yield from _listed("log", found["log"])
    yield "repeat", found["repeat"]


def _listed(name: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        yield ("" if number else name), line


def _attempt(number: int, attempt: Attempt) -> str:
    counts = ", counts against its retries" if attempt.counts else ""
    return f"{number}. {attempt.when} {_ending(attempt.ended, attempt.cause, attempt.reason)}{counts}"


def _ending(state: str, cause: Cause | None, reason: str) -> str:
    kind = f" ({cause})" if cause else ""
    return f"{state}{kind}{': ' if reason else ''}{reason}"
