"""A plan for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ablation import designs
from ablation.analysis import power
from ablation.analysis.amounts import amount_text
from ablation.analysis.planning import Foreseen
from ablation.analysis.sentences import subject
from ablation.cli.planning.outlook import Outlook
from ablation.cli.running.room import megabytes
from ablation.cli.terminal import print_table, tell
from ablation.findings import Aliasing
from ablation.study import Fractional, Growing

_DIGITS = 4
"""Of estimates in JSON: the last digits of a float may differ from machine to machine, and a plan does not."""


def plan_as_json(outlook: Outlook) -> dict[str, Any]:
    """The plan; its keys stand in docs/reference/json.md."""
    study, seen = outlook.located.study, outlook.foresight
    return {
        "study": study.name,
        "digest": outlook.located.digest,
        "design": study.design.kind,
        "metric": study.metric,
        "arms": [arm.model_dump(include={"name", "levels", "baseline"}) for arm in outlook.arms],
        "fraction": outlook.aliasing.model_dump(mode="json") if outlook.aliasing else None,
        "seed_blocks": list(study.seed_blocks),
        "num_trials": designs.planned_count(study, outlook.arms),
        "estimated_seconds": outlook.seconds,
        "detectable_effect": _rounded(seen.detectable),
        "spread": {"sd": _rounded(seen.sd), "source": seen.source},
        "detect": seen.effect,
        "contrasts": [_contrast_as_json(one, outlook) for one in seen.contrasts],
        "disk_bytes": outlook.need.total,
    }


def print_plan(outlook: Outlook) -> None:
    """What is run, what it can see and what it costs."""
    located, study = outlook.located, outlook.located.study
    tell(f"{study.name}, scale {study.scale} ({located.scale_reason})")
    tell(study.question)
    rows = [(arm.name, ", ".join(f"{factor}={level}" for factor, level in arm.levels.items())) for arm in outlook.arms]
    print_table(("arm", "levels"), rows)
    for line in _aliasing_lines(outlook.aliasing) if outlook.aliasing else ():
        tell(line)
    _print_contrasts(outlook)
    lines = {
        "trials": _trials_text(outlook),
        "standard deviation": _spread_text(outlook),
        "time": _time_text(outlook),
        "disk": _disk_text(outlook),
    }
    for name, text in lines.items():
        tell(f"{name:>18}: {text}")


def _contrast_as_json(one: Foreseen, outlook: Outlook) -> dict[str, Any]:
    contrast = one.contrast
    return {
        "kind": contrast.kind,
        "factor": contrast.factor,
        "level": contrast.level,
        "reference": contrast.reference,
        "aliases": list(contrast.aliases),
        "detectable_effect": _rounded(one.detectable),
        "seed_blocks_needed": one.blocks_needed,
        "seconds_needed": outlook.seconds_of(one.blocks_needed),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def _print_contrasts(outlook: Outlook) -> None:
    """A line a contrast: what the plan sees of it, and with `--detect` what it would take."""
    seen, metric = outlook.foresight, outlook.located.study.metric
    if not seen.contrasts:
        return
    columns = ["contrast", "smallest detectable effect"]
    if seen.effect is not None:
        columns += [f"seed blocks for {amount_text(seen.effect, metric)}", "time of such a study"]
    rows = []
    for one in seen.contrasts:
        seconds = outlook.seconds_of(one.blocks_needed)
        cells = [
            subject(one.contrast),
            None if one.detectable is None else amount_text(one.detectable, metric),
            _blocks_text(one),
            "unknown" if seconds is None else _duration(seconds),
        ]
        rows.append(cells[: len(columns)])
    tell("")
    print_table(columns, rows)
    tell("Effects are found with 80 % power, at simultaneous 95 % intervals.")
    if outlook.foresight.loses_power:
        left = ", ".join(f"{100 * share:.0f} % with {blocks}" for blocks, share in power.POWER_LEFT.items())
        tell(f"That is the model's; the tests for unequal noise before it leave about {left} seed blocks.")
    if isinstance(seeds := outlook.located.study.seeds, Growing):
        fixed = f"So much a fixed plan of {seeds.max} seed blocks sees"
        tell(f"{fixed}; a growing one sees a little less, and most of it earlier.")
    tell("")


def _blocks_text(one: Foreseen) -> str:
    return "more than anyone trains" if one.blocks_needed is None else f"{one.blocks_needed:,}"


def _aliasing_lines(aliasing: Aliasing) -> Iterator[str]:
    yield ""
    yield f"{aliasing.summary} Defining relation: {aliasing.relation}."
    if aliasing.aliases:
        yield "The design cannot tell apart (reference -1, other level +1; interactions of three factors left out):"
    for chain in aliasing.aliases:
        yield f"  {' = '.join(chain)}"


def _trials_text(outlook: Outlook) -> str:
    study = outlook.located.study
    trials = designs.planned_count(study, outlook.arms)
    if isinstance(study.seeds, Growing):
        return f"at most {trials} ({_design_text(outlook)}, {study.seeds.start} to {study.seeds.max} seed blocks)"
    return f"{trials} ({_design_text(outlook)}, {len(study.seed_blocks)} seed blocks)"


def _design_text(outlook: Outlook) -> str:
    design = outlook.located.study.design
    if isinstance(design, Fractional) and outlook.aliasing is None:
        return f"fractional: no part of all combinations has resolution {design.resolution}, so all are run"
    return design.kind


def _spread_text(outlook: Outlook) -> str:
    seen = outlook.foresight
    if seen.sd is None:
        return f"unknown; {seen.source}"
    return f"{amount_text(seen.sd, outlook.located.study.metric)} of a trial; {seen.source}"


def _time_text(outlook: Outlook) -> str:
    if outlook.seconds is None:
        return "unknown: nothing was measured on this machine yet; --calibrate measures it"
    most = "at most " if isinstance(outlook.located.study.seeds, Growing) else ""
    return f"{most}{_duration(outlook.seconds)} with {outlook.slots} slots"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _disk_text(outlook: Outlook) -> str:
    need = outlook.need
    if not need.files:
        return "nothing: no trial is left to run"
    if need.results is None:
        return "unknown: the data set is not at hand"
    at_least = "at least " if need.total is None else ""
    return f"{at_least}{megabytes(need.known)} for what is left to run ({need}); MLflow's store comes on top"
