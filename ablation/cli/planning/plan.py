"""`ablate plan`: what a study will do, cost and be able to see, before anything is spent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ablation import designs
from ablation.cli.locate import Located, Wanted, locate
from ablation.cli.outsiders import name_outsiders
from ablation.cli.planning.outlook import outlook
from ablation.cli.planning.plan_text import plan_as_json, print_plan
from ablation.cli.planning.rates import remember_cost
from ablation.cli.terminal import print_json, say
from ablation.sources.roots import find_data_root


@dataclass(frozen=True, slots=True)
class Planning:
    """How the plan is made."""

    slots: int | None
    data_dir: Path | None
    calibrate: bool
    as_json: bool
    detect: str | None = None
    """An effect such as `0.3pp`, to tell the seed blocks for."""


def plan_study(wanted: Wanted, planning: Planning) -> None:
    """Print the plan. Trains nothing, but for a moment with `--calibrate`."""
    located = locate(wanted, _has_accelerator, another=True)
    designs.check_count(located.study)  # a design with too many arms is refused before torch is loaded
    data_root = find_data_root(planning.data_dir)
    if planning.calibrate:
        _calibrate(located, planning, wanted.runs_dir, data_root)
    from ablation.cli.running.slots import default_slots

    slots = planning.slots or default_slots(located.study)
    seen = outlook(located, slots, wanted.runs_dir, data_root, planning.detect)
    if planning.as_json:
        print_json(plan_as_json(seen))
    else:
        print_plan(seen)


def _has_accelerator() -> bool:
    from ablation.training.devices import has_accelerator

    return has_accelerator()


def _calibrate(located: Located, planning: Planning, runs_dir: Path, data_root: Path) -> None:
    """Measure every arm for a moment, as many side by side as the study will run."""
    asked = time.time()
    from ablation.calibration import measure_trial
    from ablation.cli.running.places import ThisMachine
    from ablation.cli.running.run import resolved
    from ablation.cli.running.slots import assignment_of, machine_of
    from ablation.executors.process_per_device import Unheard

    study = located.study if located.begun else resolved(located.study, ThisMachine())
    name_outsiders(study)
    machine = machine_of(study, planning.slots, data_root)
    declared = designs.arms(located.study)
    measured = designs.arms(study)
    runs_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=runs_dir) as folder, machine.executor as executor:
        # The last ones would be alone, and faster for it: the first ones keep them company.
        company = measured[: -len(measured) % machine.slots]
        calls = [
            executor.submit(measure_trial, assignment_of(arm, study, Path(folder), data_root), Unheard())
            for arm in (*measured, *company)
        ]
        found = [call.result() for call in calls]
    starting = min(one.began for one in found) - asked + max(one.loading for one in found)
    for arm, one in zip(declared, found, strict=False):
        say(f"measured {arm.name}: {one.cost.seconds:.1f} s a trial, {one.cost.images_per_second:,.0f} images/s")
        remember_cost(arm, one.cost, runs_dir, machine.slots, starting=starting)
