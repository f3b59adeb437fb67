"""A plan is the same bytes on every machine: arms, run order and what it can see stand beside each study in plans.

After a change that is meant to move them, write them anew: `python tests/test_plans.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from commands import ablate

from ablation import designs, study_file

PLANS = Path(__file__).parent / "plans"
STUDIES = sorted(PLANS.glob("*.yaml"))
PLAN = ("--scale", "full", "--slots", "1", "--detect", "1pp", "--json")


def run_order(study: Path) -> str:
    """Every planned trial in its order, one a line."""
    trials = designs.planned_trials(study_file.load(study, "full", (), lambda: False))
    return "".join(f"{trial.id} {trial.block} {trial.arm.name}\n" for trial in trials)


def in_another_process(study: Path, folder: Path, **environment: str) -> str:
    """What `ablate plan --json` prints to a process of its own, with no data set at hand that has to be downloaded."""
    command = [sys.executable, "-m", "ablation", "plan", str(study), *PLAN, "--data-dir", str(folder / "none")]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, timeout=120, check=True
    )
    return done.stdout.decode("ascii")


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_plan_is_the_stored_one(study: Path, tmp_path: Path) -> None:
    """Whatever data sets this machine has, and where it has none."""
    done = ablate("plan", str(study), *PLAN, cwd=tmp_path)
    assert done.stdout == ablate("plan", str(study), *PLAN, "--data-dir", "none", cwd=tmp_path).stdout
    assert done.returncode == 0, done.stderr
    assert done.stdout == study.with_suffix(".json").read_text("utf-8")
    assert run_order(study) == study.with_suffix(".trials.txt").read_text("utf-8")


def test_neither_hash_seeds_nor_locale_nor_time_zone_move_a_plan(tmp_path: Path) -> None:
    study = PLANS / "conditions.yaml"
    odd = {"PYTHONHASHSEED": "12345", "LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONUTF8": "0"}
    assert in_another_process(study, tmp_path, **odd) == study.with_suffix(".json").read_text("utf-8")


def test_the_stored_run_order_is_random_over_arms_and_differs_from_block_to_block() -> None:
    for study in STUDIES:
        lines = [line.split(" ", 2) for line in study.with_suffix(".trials.txt").read_text("utf-8").splitlines()]
        orders = [[arm for _, block, arm in lines if block == wanted] for wanted in "012"]
        assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
        assert len({tuple(order) for order in orders}) == 3
        assert sum(map(len, orders)) == len(lines)


def write_many(folder: Path, design: str, condition: dict[str, str]) -> None:
    """A study of thirty factors, each of which adds a step of its own; all but the first depend on the condition."""
    (folder / "lab").mkdir()
    factors: dict[str, object] = {}
    for at in range(30):
        (folder / "lab" / f"step{at}.py").write_text('def build():\n    """A step."""\n    return None\n')
        levels = {"without": {}, "with": {f"augmentations.lab.step{at}": {}}}
        factors[f"step{at}"] = {"levels": levels, "when": dict(condition) if at else {}}
    study = {"question": "Too many?", "dataset": "digits", "model": "small", "seeds": 1}
    (folder / "many.yaml").write_text(yaml.safe_dump({**study, "design": design, "factors": factors}, sort_keys=False))


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell the time of one child")
@pytest.mark.parametrize(
    ("design", "condition", "message"),
    [
        ("factorial", {}, "the design lists 1,073,741,824 arms; at most 100,000 are allowed"),
        ("factorial", {"step0": "without"}, "the design lists 536,870,913 arms; at most 100,000 are allowed"),
        ("fractional", {}, "a fraction takes at most 16 factors, not 30"),
    ],
)
def test_a_plan_of_a_billion_arms_is_refused_within_a_second(
    design: str, condition: dict[str, str], message: str, tmp_path: Path
) -> None:
    """Of its own processor time, from the first line of Python on: how busy the machine is does not count."""
    write_many(tmp_path, design, condition)
    command = [sys.executable, "-m", "ablation", "plan", "many.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        told = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert used.ru_utime + used.ru_stime < 1
    assert child.returncode == 2
    assert message in told


def write_plans() -> None:
    """Store the plans as they are now."""
    for study in STUDIES:
        with tempfile.TemporaryDirectory() as folder:
            study.with_suffix(".json").write_text(in_another_process(study, Path(folder)), "utf-8")
        study.with_suffix(".trials.txt").write_text(run_order(study), "utf-8")
        plan = json.loads(study.with_suffix(".json").read_text("utf-8"))
        assert plan["num_trials"] == run_order(study).count("\n")


if __name__ == "__main__":
    write_plans()
