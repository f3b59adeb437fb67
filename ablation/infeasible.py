"""Arms whose batch does not fit into the device's memory in any number of pieces: one trial of an arm finds that out.

Its other seed blocks are closed with that reason and not tried, until they are queued again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ablation.run_folder import RunFolder
from ablation.trial import Outcome, Trial, trial_id


def is_infeasible(outcome: Outcome | None) -> bool:
    """Whether a trial has ended for want of the device's memory."""
    return outcome is not None and outcome.status == "failed" and outcome.cause == "device memory"


@dataclass(slots=True)
class InfeasibleArms:
    """What is known of the arms of one run of a study. Each is looked up in the run folder once."""

    folder: RunFolder
    _found: dict[str, Outcome | None] = field(default_factory=dict)

    def close(self, trial: Trial) -> Outcome | None:
        """The outcome of a trial that need not be tried, None where it is to be."""
        if trial.id != trial_id(trial.arm, trial.block):  # of a search, which draws an arm anew and in no other block
            return None
        arm = trial.arm.settings.signature()
        if arm not in self._found:
            records = self.folder.records_of(trial.arm)
            self._found[arm] = next((each.outcome for each in records if is_infeasible(each.outcome)), None)
        known = self._found[arm]
        return known and Outcome(status="failed", cause="device memory", reason=_as_in_another_block(known.reason))

    def learn(self, trial: Trial, outcome: Outcome) -> None:
        """Remember how a trial ended."""
        if is_infeasible(outcome):
            self._found[trial.arm.settings.signature()] = outcome


def _as_in_another_block(reason: str) -> str:
    mark = " (found in another seed block; not tried in this one)"
    return reason if reason.endswith(mark) else reason + mark
