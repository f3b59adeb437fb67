"""What is said of a trial while a study runs: its name, how it ended, and that it is tried again."""

from __future__ import annotations

from ablation.failures import Failure
from ablation.trial import Outcome, Trial


def label(trial: Trial) -> str:
    """The trial as a person knows it."""
    return f"{trial.arm.name} · seed block {trial.block}"


def retrying(trial: Trial, failure: Failure, wait: float) -> str:
    """Why an attempt failed, and when there is another one."""
    then = f"in {wait:.0f} s, others go first" if 0 < wait < float("inf") else "from its last checkpoint"
    again = "left for the next run" if wait == float("inf") else f"tried again {then}"
    return f"{label(trial)}: {failure.cause}: {failure.reason}; {again}"


def ending(trial: Trial, outcome: Outcome) -> str:
    """What it came to."""
    scores = outcome.scores(trial.evaluate_on)
    if outcome.status == "failed" or scores is None:
        return f"{outcome.status}: {outcome.reason}"
    mark = "" if outcome.status == "complete" else f" ({outcome.status})"
    return f"{trial.evaluate_on} accuracy {scores.accuracy:.2%}, loss {scores.loss:.3f}{mark}"
