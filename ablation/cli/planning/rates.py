"""What trials cost on this machine: from trials that have ended, and from what calibrations measured."""

from __future__ import annotations

import contextlib
import math
import platform
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablation.durable import append_line, whole_lines
from ablation.settings import Frozen
from ablation.trial import Arm, Cost, Record

BETWEEN_TRIALS = 0.1
"""Seconds that a slot waits from one trial to the next: outcomes made durable, the index told and asked. Measured on
two cores, with trials that train for a moment; beside a trial of minutes it is nothing."""

ENDING = 3.0
"""Seconds from the last outcome to the end: findings, report, the last of it told to MLflow. Measured likewise."""


class Rate(Frozen):
    """One line of `rates.jsonl` in the runs directory: what a trial of some settings costs on some machine."""

    machine: str
    settings: str
    slots: int
    cost: Cost
    starting: float = 0.0
    """Seconds before the first trial of a study can begin."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the trials of a study, with so many side by side."""

    costs: Mapping[str, Cost]
    """By the signature of an arm's settings."""
    starting: float
    slots: int

    def seconds(self, arms: Sequence[Arm], trials: int) -> float | None:
        """Wall-clock seconds of so many trials, evenly over the arms; None where an arm's cost is not known."""
        each = [self.costs.get(arm.settings.signature()) for arm in arms]
        found = [cost.seconds for cost in each if cost is not None]
        if len(found) < len(each):
            return None
        each_round = sum(found) / len(found) + BETWEEN_TRIALS
        return self.starting + each_round * math.ceil(trials / self.slots) + ENDING


def known_costs(arms: Sequence[Arm], records: Sequence[Record], runs_dir: Path, slots: int) -> Known:
    """What a trial of each arm costs here: the median of its own trials, else what was measured last."""
    here = [rate for rate in _rates(runs_dir) if rate.machine == platform.node() and rate.slots == slots]
    wanted = {arm.settings.signature() for arm in arms}
    costs = {rate.settings: rate.cost for rate in here}
    ended: defaultdict[str, list[Cost]] = defaultdict(list)
    for record in records:
        if record.outcome and record.outcome.status == "complete" and record.outcome.cost:
            ended[record.trial.arm.settings.signature()].append(record.outcome.cost)
    costs |= {arm: sorted(own, key=lambda cost: cost.seconds)[len(own) // 2] for arm, own in ended.items()}
    starting = [rate.starting for rate in here if rate.settings in wanted]
    return Known({arm: cost for arm, cost in costs.items() if arm in wanted}, starting[-1] if starting else 0.0, slots)


def remember_cost(arm: Arm, cost: Cost, runs_dir: Path, slots: int, *, starting: float = 0.0) -> None:
    """Keep what a calibration measured."""
    runs_dir.mkdir(parents=True, exist_ok=True)
    rate = Rate(machine=platform.node(), settings=arm.settings.signature(), slots=slots, cost=cost, starting=starting)
    append_line(runs_dir / "rates.jsonl", rate.model_dump_json())


def _rates(runs_dir: Path) -> Iterator[Rate]:
    """What calibrations measured; a line that does not fit is as good as none."""
    for line in whole_lines(runs_dir / "rates.jsonl"):
        with contextlib.suppress(ValueError):
            yield Rate.model_validate_json(line)
