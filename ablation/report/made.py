"""How the study was made, and the trials that did not complete: the parts that let a reader check the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ablation.report.drawing import Table
from ablation.report.numbers import MISSING, UNITS, count, duration, unit_in
from ablation.report.page import Page
from ablation.report.section import Section, Source
from ablation.report.top import MOST_LISTED, trial_anchors
from ablation.trial import Record, Stamp


def incomplete(page: Page) -> Section:
    """Failed, diverged, pruned, unfinished and waiting trials, each with what is known of it."""
    rows = [_row(record) for record in page.records if record.outcome is None or record.outcome.status != "complete"]
    waiting = _waiting(page)
    if not page.records and not waiting:
        return _of_table(page)
    if not rows and not waiting:
        return _incomplete(paragraphs=(f"None: all {count(len(page.records), 'trial')} completed.",))
    found = Counter(row[2] for row in rows) + Counter(waiting=sum(waiting.values()))
    rows += [(name, f"{left} left", "waiting", "not begun") for name, left in waiting.items()]
    total = ", ".join(f"{number} {word}" for word, number in found.items())
    note = "Diverged trials count as the uniform guess in every mean." if found["diverged"] else ""
    tables = (Table(total, ("arm", "seed block", "state", "reason"), tuple(rows)),)
    return _incomplete(paragraphs=(note,) if note else (), tables=tables + _by_level(page))


def _of_table(page: Page) -> Section:
    """Of somebody's table: what its column of statuses says."""
    tables = _by_level(page)
    return _incomplete(
        tables=tables, missing="" if tables else "The table names no trial that did not complete, if there was one."
    )


def _incomplete(paragraphs: tuple[str, ...] = (), tables: tuple[Table, ...] = (), missing: str = "") -> Section:
    title = "Trials that did not complete"
    return Section(id="incomplete", title=title, paragraphs=paragraphs, tables=tables, missing=missing)


def _row(record: Record) -> tuple[str, str, str, str]:
    arm, block = record.trial.arm.name, str(record.trial.block)
    if record.outcome is None:
        return arm, block, "unfinished", f"{count(len(record.epochs), 'epoch')} done"
    return arm, block, record.outcome.status, record.outcome.reason or MISSING


def _waiting(page: Page) -> dict[str, int]:
    """For each arm the trials not begun. They are counted, not named: at which block a plan starts, it alone knows.

    Of a growing plan nobody knows them.
    """
    if page.grows:
        return {}
    if page.is_search:
        left_of = {"not drawn yet": page.planned_trials - len(page.records)}
    else:
        begun = Counter(record.trial.arm.name for record in page.records)
        left_of = {arm.name: page.analysis.planned_blocks - begun[arm.name] for arm in page.arms}
    return {name: left for name, left in left_of.items() if left > 0}


def _by_level(page: Page) -> tuple[Table, ...]:
    """How the trials at each level ended: censoring that differs by level bends what is said of a factor."""
    if not (shown := page.analysis.incomplete):
        return ()
    rows = tuple(
        (each.factor, each.level, str(each.ended), *(str(each.outcomes.get(status, 0)) for status in shown))
        for each in page.analysis.levels
    )
    columns = ("factor", "level", "ended", *shown)
    return (Table("Trials by level", columns, rows, numbers=range(2, len(columns))),)


def made(page: Page) -> Section:
    """Everything that is needed to make it again."""
    sources = [Source("The study file as written", page.source_text)] if page.source_text else []
    if page.study:
        sources.append(
            Source("The study as resolved, scale and overrides applied", page.study.model_dump_json(indent=2))
        )
    return Section(
        id="made",
        title="How it was made",
        facts=tuple((name, text) for name, text in [*_plan(page), *_stamps(page)] if text),
        folded=(_trials(page),) if page.records else (),
        sources=tuple(sources),
    )


def _plan(page: Page) -> list[tuple[str, str]]:
    blocks = sorted({record.trial.block for record in page.records})
    facts = [
        ("Study", page.title),
        ("Digest", page.digest),
        ("Made again by", page.command),
        ("Run folder", page.folder),
    ]
    if study := page.study:
        evaluated = "validation (a search never reads the test split)" if page.is_search else study.evaluate_on
        facts += [
            ("Design", study.design.kind),
            ("Scale", f"{study.scale} ({page.scale_reason})" if page.scale_reason else study.scale),
            ("Evaluated on", evaluated),
            ("Equivalence margin", f"±{unit_in(study).difference(study.margin).lstrip('+')}"),
        ]
    return [*facts, ("Seed blocks", _ranges(blocks))]


def _stamps(page: Page) -> list[tuple[str, str]]:
    stamps = [record.outcome.stamp for record in page.records if record.outcome and record.outcome.stamp]
    commits = (
        one.git_commit + (" with uncommitted changes" if one.git_dirty else "") for one in stamps if one.git_commit
    )
    order = "recorded as start times, in the table of all trials" if any(one.started for one in stamps) else ""
    return [
        ("Hardware", "; ".join([*page.hardware, *_distinct(map(_machine, stamps))])),
        ("Versions", "; ".join(_distinct(", ".join(f"{k} {v}" for k, v in one.versions.items()) for one in stamps))),
        ("Git commit", "; ".join(_distinct(commits))),
        ("Data fingerprint", "; ".join(_distinct(one.data_fingerprint for one in stamps))),
        ("Run order", order),
    ]


def _machine(stamp: Stamp) -> str:
    parts = [stamp.device, f"{count(stamp.threads, 'thread')} a trial", stamp.precision]
    return ", ".join(part for part in parts if part)


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _ranges(numbers: list[int]) -> str:
    """`0–4, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _trials(page: Page) -> Table:
    """Of a search in the order in which they ran; else those of an arm together, where the links of findings lead."""
    arms = list(trial_anchors(page))
    order = {arm: at for at, arm in enumerate(arms)}

    def place(record: Record) -> tuple[object, ...]:
        ran = (_started(record) == "", _started(record))
        trial = record.trial
        return ran if page.is_search else (order.get(trial.arm.name, len(arms)), trial.block, *ran)

    shown = sorted(page.records, key=place)[:MOST_LISTED]
    rest = f" (the first {MOST_LISTED} of {len(page.records)})" if len(page.records) > MOST_LISTED else ""
    columns = ("started", "arm", "seed block", "outcome", "train", "validation", "test", "time")
    by = "in the order in which they ran" if page.is_search else "by arm and seed block"
    return Table(
        f"All trials {by}{rest}; accuracy by split",
        columns,
        tuple(map(_trial, shown)),
        numbers=range(4, 8),
        anchors=() if page.is_search else _firsts(shown, trial_anchors(page)),
    )


def _firsts(shown: Sequence[Record], anchors: Mapping[str, str]) -> tuple[str, ...]:
    """The id of an arm at its first row."""
    left = dict(anchors)
    return tuple(left.pop(record.trial.arm.name, "") for record in shown)


def _started(record: Record) -> str:
    return record.outcome.stamp.started if record.outcome and record.outcome.stamp else ""


def _trial(record: Record) -> tuple[str, ...]:
    outcome = record.outcome
    scores = [outcome.scores(split) if outcome else None for split in ("train", "validation", "test")]
    return (
        _started(record) or MISSING,
        record.trial.arm.name,
        str(record.trial.block),
        outcome.status if outcome else "unfinished",
        *(UNITS["accuracy"].value(one.accuracy if one else None) for one in scores),
        duration(outcome.cost.seconds if outcome and outcome.cost else None),
    )
