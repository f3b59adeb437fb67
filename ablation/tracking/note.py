"""The description of a study in MLflow: Markdown that no name in a study file can break out of."""

from __future__ import annotations

from ablation.study import Growing, LevelsFactor, RangeFactor, Study
from ablation.visible import in_markdown

LONGEST_NOTE = 7000
"""MLflow cuts a tag at 8,000 characters, in the middle of whatever stands there."""


def study_note(study: Study, arms: int, trials: int) -> str:
    """What is asked and how, for the time before there are findings."""
    most = "at most " if isinstance(study.seeds, Growing) else ""
    lines = [
        f"**{in_markdown(study.question)}**",
        "",
        f"{study.design.kind}: {arms} arms x {most}{len(study.seed_blocks)} seed blocks, {most}{trials} trials. "
        f"{study.metric} on the {study.evaluate_on} images; equivalent within {study.margin:g}.",
        "",
        "| factor | reference | other levels |",
        "|---|---|---|",
        *(_factor_row(name, factor) for name, factor in study.factors.items()),
        "",
        "The findings follow when the study ends.",
    ]
    return shortened("\n".join(lines), "the study file among the artifacts")


def shortened(markdown: str, pointer: str, most: int = LONGEST_NOTE) -> str:
    """The note cut at the end of a line where it is longer than `most`, and where the rest stands."""
    if len(markdown) <= most:
        return markdown
    kept = markdown[:most]
    return f"{kept[: kept.rfind(chr(10))] if chr(10) in kept else kept}\n\n… cut here; the rest is in {pointer}."


def _factor_row(name: str, factor: LevelsFactor | RangeFactor) -> str:
    if isinstance(factor, RangeFactor):
        low, high = factor.range
        return f"| {in_markdown(name)} | | {low:g} to {high:g}, {factor.scale} |"
    reference, *others = factor.levels
    return f"| {in_markdown(name)} | {in_markdown(reference)} | {in_markdown(', '.join(others))} |"
