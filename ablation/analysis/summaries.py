"""One row an arm, and the notes on trials that a reader must see. No effect is estimated here."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ablation.analysis.comparable import Comparable, most_comparable
from ablation.analysis.results import MISSING, ResultsTable
from ablation.analysis.sentences import counted
from ablation.analysis.verdicts import TOLD_FROM_ZERO
from ablation.findings import ArmSummary, Finding, MeanScore

_CHECK = 0.05


def arm_summaries(table: ResultsTable, circumstances: str) -> tuple[ArmSummary, ...]:
    """Means over the seed blocks that gave a score, in the order of the design; costs under these circumstances."""
    groups = {str(arm): rows for arm, rows in table.frame.groupby("arm")}
    empty = table.frame.iloc[:0]
    return tuple(_summary(arm, table, groups.get(arm, empty), circumstances) for arm in table.arms)


def comparable_costs(table: ResultsTable) -> Comparable:
    """The circumstances under which most arms have times that may be told side by side."""
    timed = table.frame[table.timed]
    return most_comparable(list(zip(timed["arm"].astype(str), timed["circumstances"].astype(str), strict=True)))


def cost_notes(arms: Sequence[ArmSummary], comparable: Comparable) -> list[str]:
    """Why an arm that was trained has no time in the table; of single trials that are left out, the figure says it."""
    left_out = any(arm.seconds is None and arm.outcomes.get("complete") for arm in arms)
    return [comparable.note] if comparable.note and left_out else []


def trial_notes(table: ResultsTable) -> list[str]:
    """Trials that are missing, failed, pruned or diverged, and arms whose initial weights cannot be shared."""
    frame, notes = table.frame, []
    missing = int((frame["status"] == MISSING).sum())
    if missing:
        notes.append(f"{missing} of {len(frame)} planned trials have no outcome yet: estimates only, no verdicts.")
    for status, meaning in (
        ("failed", "give no score"),
        ("were pruned", "give no score"),
        ("diverged", "count as the uniform guess"),
    ):
        counts = frame.loc[frame["status"] == status.removeprefix("were "), "arm"].value_counts()
        if len(counts):
            where = ", ".join(f"{arm} ({counts[arm]})" for arm in table.arms if arm in counts)
            told = f"{counts.sum()} of {len(frame)}" if table.design == "search" else where
            notes.append(f"Trials that {status} {meaning}: {told}.")
    if frame.groupby("arm")["parameters"].first().nunique() > 1:
        notes.append(
            "Arms differ in their number of parameters: they share all streams of a seed block but initial weights."
        )
    return notes


def sign_flip_notes(findings: Sequence[Finding]) -> list[str]:
    """What rests on normally distributed errors: verdicts that random signs cannot bear out, or do not."""
    notes = []
    few = [one.seed_blocks for one in findings if one.seed_blocks >= 2 and _least(one) > _CHECK]
    if few:
        notes.append(
            f"With {counted(max(few))} an exact sign-flip test cannot go below p = {2.0 ** (1 - max(few)):.3g}, "
            "whatever the scores: verdicts rest on normally distributed errors."
        )
    doubtful = [
        f"{one.factor}: {one.level} (p = {one.p_sign_flip:.2g})"
        for one in findings
        if one.verdict in TOLD_FROM_ZERO and (one.p_sign_flip or 0) > _CHECK >= _least(one)
    ]
    if doubtful:
        told = ", ".join(doubtful)
        notes.append(f"A sign-flip test, which takes no errors as normal, does not bear out by itself: {told}.")
    return notes


def _least(finding: Finding) -> float:
    """The smallest p that a sign-flip test of so many seed blocks can give."""
    return 2.0 ** (1 - finding.seed_blocks)


def _summary(arm: str, table: ResultsTable, rows: pd.DataFrame, circumstances: str) -> ArmSummary:
    scored = rows[rows[table.metric].notna()]
    alike = rows[(rows["status"] == "complete") & (rows["circumstances"] == circumstances)]
    other = table.metric not in ("accuracy", "loss")
    return ArmSummary(
        arm=arm,
        levels=dict(table.arms[arm]),
        baseline=arm == table.baseline,
        seed_blocks=int(scored["block"].nunique()),
        accuracy=_known(scored["accuracy"].mean()),
        accuracy_sd=_known(scored["accuracy"].std()),
        loss=_known(scored["loss"].mean()),
        loss_sd=_known(scored["loss"].std()),
        seconds=_known(alike["seconds"].median()),
        parameters=None if rows["parameters"].isna().all() else int(rows["parameters"].max()),
        peak_memory=_known(alike["peak_memory_bytes"].median()),
        score=_known(scored[table.metric].mean()) if other else None,
        score_sd=_known(scored[table.metric].std()) if other else None,
        others={
            name: MeanScore(mean=_known(scored[name].mean()), sd=_known(scored[name].std()))
            for name in table.measured
            if name != table.metric
        },
        outcomes={str(s): int(n) for s, n in rows["status"].value_counts(sort=False).items() if s != MISSING},
    )


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
