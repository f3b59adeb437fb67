"""The findings as files: `findings.json` for programs, `findings.md` for people, `findings.tex` for papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ablation.analysis.estimates import Interval
from ablation.analysis.latex import latex
from ablation.analysis.sentences import UNITS, bounds, difference
from ablation.durable import write_whole
from ablation.findings import Aliasing, Analysis, Finding, OtherEffect, Parameters
from ablation.visible import in_markdown


def write_findings(analysis: Analysis, folder: Path, question: str = "") -> None:
    """Write the files into an existing folder; a reader sees the old ones or the new ones, never half."""
    write_whole(folder / "findings.json", analysis.model_dump_json(indent=2) + "\n")
    write_whole(folder / "findings.md", markdown(analysis, question))
    write_whole(folder / "findings.tex", latex(analysis))


def markdown(analysis: Analysis, question: str = "") -> str:
    """Question, findings, arms, notes and method, in this order. Names from the study are shown letter by letter."""
    title = "# Findings (provisional)" if analysis.provisional else "# Findings"
    findings = [f"- {in_markdown(finding.sentence)}" for finding in analysis.findings] or ["None."]
    notes = ["## Notes", *(f"- {in_markdown(note)}" for note in analysis.notes)] if analysis.notes else []
    parts = [
        title,
        *([in_markdown(question), ""] if question else []),
        *findings,
        "",
        "## Arms",
        *_arms_table(analysis),
        "",
        *_levels_table(analysis),
        *_checks_table(analysis),
        *_beside_table(analysis),
        *notes,
        "",
        "## Method",
        *_method(analysis),
    ]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _arms_table(analysis: Analysis) -> list[str]:
    if any(arm.score is not None for arm in analysis.arms):
        rows = [f"| arm | seed blocks | {in_markdown(analysis.metric)} |", "|---|--:|--:|"]
        for arm in analysis.arms:
            score = _with_sd(arm.score, arm.score_sd, 1, 4)
            rows.append(f"| {in_markdown(arm.arm)} | {arm.seed_blocks} | {score} |")
        return [*rows, "", "Mean and, where there are two or more seed blocks, standard deviation."]
    rows = ["| arm | seed blocks | accuracy | loss | seconds |", "|---|--:|--:|--:|--:|"]
    for arm in analysis.arms:
        accuracy = _with_sd(arm.accuracy, arm.accuracy_sd, UNITS["accuracy"].factor, 2)
        loss = _with_sd(arm.loss, arm.loss_sd, UNITS["loss"].factor, 4)
        seconds = "" if arm.seconds is None else f"{arm.seconds:.1f}"
        rows.append(f"| {in_markdown(arm.arm)} | {arm.seed_blocks} | {accuracy} | {loss} | {seconds} |")
    return [
        *rows,
        "",
        "Accuracy in %, loss in nats: mean and, where there are two or more seed blocks, standard deviation.",
    ]


def _levels_table(analysis: Analysis) -> list[str]:
    """How the trials at each level ended, where not all are complete."""
    if not (shown := analysis.incomplete):
        return []
    head = [f"| factor | level | ended | {' | '.join(shown)} |", f"|---|---|--:|{'--:|' * len(shown)}"]
    rows = [
        f"| {in_markdown(one.factor)} | {in_markdown(one.level)} | {one.ended} | "
        f"{' | '.join(str(one.outcomes.get(status, 0)) for status in shown)} |"
        for one in analysis.levels
    ]
    return ["## Trials by level", *head, *rows, ""]


def _checks_table(analysis: Analysis) -> list[str]:
    """The p beside the one that decides, where there are any."""
    rows = [
        f"| {in_markdown(one.label)} | {_p_text(one.p_adjusted)} | {_p_text(one.p_holm)} | {_p_text(one.p_sign_flip)} |"
        for one in analysis.findings
        if one.p_adjusted is not None or one.p_sign_flip is not None
    ]
    head = ["## Checks", "| contrast | adjusted p | Holm's p | sign-flip p |", "|---|--:|--:|--:|"]
    told = (
        "The adjusted p belongs to the interval, which decides. The sign-flip p takes no errors as normal, and is of "
    )
    return [*head, *rows, "", f"{told}one contrast alone.", ""] if rows else []


def _p_text(p: float | None) -> str:
    return "" if p is None else in_markdown("< 0.001") if p < 0.001 else f"{p:.3f}"


def _beside_table(analysis: Analysis) -> list[str]:
    """Other metrics and the cost, where a finding has them; no verdict rests on these."""
    further = list(dict.fromkeys(other.metric for one in analysis.findings for other in one.others))
    rows = [
        _beside_row(one, further)
        for one in analysis.findings
        if one.other or one.seconds or one.time_note or one.parameters
    ]
    if not rows:
        return []
    metric = "loss" if analysis.metric == "accuracy" else "accuracy"
    metrics = [metric, *further]
    head = [f"| contrast | {' | '.join(map(in_markdown, metrics))} | training time | parameters |"]
    head.append(f"|---|{'--:|' * (len(metrics) + 2)}")
    return ["## Beside the findings", *head, *rows, "", "With 95 % intervals; no verdict rests on them.", ""]


def _beside_row(one: Finding, further: Sequence[str]) -> str:
    known = {other.metric: other for other in one.others}
    effects = [_effect_text(other) for other in (one.other, *(known.get(metric) for metric in further))]
    return f"| {' | '.join([in_markdown(one.label), *effects, _time_text(one), _count_text(one.parameters)])} |"


def _effect_text(other: OtherEffect | None) -> str:
    if other is None:
        return ""
    text = f"{difference(other.effect, other.metric)} {UNITS[other.metric].name}"
    if other.low is None or other.high is None:
        return text
    return f"{text} {in_markdown(bounds(Interval(other.low, other.high), other.metric))}"


def _time_text(one: Finding) -> str:
    if one.seconds is None:
        return "not comparable" if one.time_note else ""
    shown = (one.seconds.value, one.seconds.low, one.seconds.high)
    value, low, high = (f"{100 * (ratio - 1):+z.0f}" for ratio in shown)
    return in_markdown(f"{value} % [{low}, {high}]")


def _count_text(parameters: Parameters | None) -> str:
    return "" if parameters is None else f"{parameters.level - parameters.reference:+z,.0f}"


def _method(analysis: Analysis) -> list[str]:
    return [
        in_markdown(analysis.method),
        *(_fraction(analysis.aliasing) if analysis.aliasing else ()),
        *analysis.diagnostics,
    ]


def _fraction(aliasing: Aliasing) -> list[str]:
    chains = [f"- {in_markdown(' = '.join(chain))}" for chain in aliasing.aliases]
    told = "Effects that agree in every arm, the reference counting as -1 and the other level as +1:"
    return [
        in_markdown(f"{aliasing.summary} Defining relation: {aliasing.relation}."),
        *([told] if chains else []),
        *chains,
    ]


def _with_sd(mean: float | None, sd: float | None, factor: float, digits: int) -> str:
    if mean is None:
        return ""
    return f"{factor * mean:.{digits}f}" + ("" if sd is None else f" ± {factor * sd:.{digits}f}")
