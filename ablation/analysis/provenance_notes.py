"""What a reader must know of how the trials came about: what they ran under, and a plan that grew after its start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ablation.study import Change
from ablation.trial import Record, Stamp

_COMMIT_DIGITS, _FINGERPRINT_DIGITS = 10, 12

_BLOCKS = (
    "So every verdict, those that were told before included, comes from an anytime-valid sequence, which holds however "
    "often one looks. Its intervals are wider than those of a plan of this size: that is the price of having looked."
)
_ARMS = (
    "All contrasts are corrected together, so more arms widen every interval. Arms that were added because of scores "
    "ask what these scores suggested: confirm what matters in a study of its own."
)


def stamp_notes(records: Sequence[Record]) -> tuple[str, ...]:
    """One note for each thing that the trials did not share: a package's version, the code, the device, the data."""
    stamped = [(record, record.outcome.stamp) for record in records if record.outcome and record.outcome.stamp]
    stamped.sort(key=lambda pair: pair[1].started)
    notes = [
        _note(f"Trials ran under different versions of {package}", _having(package, stamped, lambda one: one.versions))
        for package in dict.fromkeys(package for _, stamp in stamped for package in stamp.versions)
    ]
    code = [
        _note(f"The code of {part} changed between trials", _having(part, stamped, lambda one: one.code))
        for part in dict.fromkeys(part for _, stamp in stamped for part in stamp.code)
    ]
    # Where sums tell what changed, the commit says no more.
    commits = "" if any(code) else "Trials ran with different states of the code"
    notes += [
        *code,
        *([_note(commits, [(record, _commit(stamp)) for record, stamp in stamped])] if commits else []),
        *_carried_over(records),
        _note("Trials ran on different devices", [(record, stamp.device) for record, stamp in stamped]),
        _note(
            "Only some trials were long enough to be compiled, which rounds otherwise",
            [(record, "compiled steps" if stamp.compiled else "eager steps") for record, stamp in stamped],
        ),
    ]
    pieces = sum(stamp.pieces > 1 for _, stamp in stamped)
    if pieces:
        notes.append(
            f"{pieces} of {len(stamped)} trials computed their batches in pieces, for want of the device's memory: "
            "batch normalisation, where a model has it, then takes its statistics from a piece and not from the batch."
        )
    contents: dict[str, list[tuple[Record, str]]] = {}
    for record, stamp in stamped:
        part = record.trial.arm.settings.dataset
        contents.setdefault(part.model_dump_json(), []).append((record, stamp.data_fingerprint[:_FINGERPRINT_DIGITS]))
    for pairs in contents.values():
        name = pairs[0][0].trial.arm.settings.dataset.name
        notes.append(_note(f"The content of data set {name} changed between trials", pairs))
    return tuple(note for note in notes if note)


def change_notes(changes: Iterable[Change]) -> tuple[str, ...]:
    """One note for each time that a plan was extended after trials had ended."""
    return tuple(
        f"The plan was extended on {change.when[:10]}, when {change.ended} of its {change.planned} trials had ended: "
        f"{', '.join(change.extended)}. {_BLOCKS if change.seed_blocks else _ARMS}"
        for change in changes
        if change.extended and change.ended
    )


def _note(what: str, values: Iterable[tuple[Record, str]]) -> str:
    """Empty where all trials share the value."""
    trials: dict[str, list[Record]] = {}
    for record, value in values:
        trials.setdefault(value, []).append(record)
    if len(trials) < 2:
        return ""
    shares = [f"{len(some)} with {value or 'unknown'}" for value, some in trials.items()]
    since = [f" (from {some[0].trial.arm.name}, seed block {some[0].trial.block}, on)" for some in trials.values()]
    return f"{what}: {', '.join(map(''.join, zip(shares, ['', *since[1:]], strict=True)))}. {_mixed(trials)}"


def _having(
    name: str, stamped: Iterable[tuple[Record, Stamp]], values: Callable[[Stamp], Mapping[str, str]]
) -> list[tuple[Record, str]]:
    """What the stamps say of one thing, those left out that do not name it: arms need not share a component."""
    return [(record, values(stamp)[name]) for record, stamp in stamped if name in values(stamp)]


def _carried_over(records: Sequence[Record]) -> Iterator[str]:
    """Trials that were trained by two states: they began under one, and went on from its checkpoint under another."""
    for record in records:
        outcome = record.outcome
        if outcome and outcome.stamp and outcome.earlier_stamps:
            changed = sorted({part for stamp in outcome.earlier_stamps for part in _changed(stamp, outcome.stamp)})
            yield (
                f"{record.trial.arm.name}, seed block {record.trial.block}, was trained in part before and in part "
                f"after a change of {', '.join(changed)}: `ablate run --trial {record.trial.id}` shows what that did."
            )


def _changed(before: Stamp, after: Stamp) -> Iterator[str]:
    """The names of what two stamps do not share."""
    for old, new in ((before.versions, after.versions), (before.code, after.code)):
        yield from (name for name in {**old, **new} if old.get(name) != new.get(name))
    if before.data_fingerprint != after.data_fingerprint:
        yield "the data"


def _mixed(trials: Mapping[str, Sequence[Record]]) -> str:
    """Whether that can be behind an effect: within a seed block it is, between them pairing takes it out."""
    blocks = [{record.trial.block for record in records} for records in trials.values()]
    mixed = {block for number, some in enumerate(blocks) for others in blocks[number + 1 :] for block in some & others}
    if not mixed:
        return "No seed block holds both: what it shifts in all arms alike, pairing takes out."
    blocks_hold = "1 seed block holds" if len(mixed) == 1 else f"{len(mixed)} seed blocks hold"
    return f"{blocks_hold} both: effects may rest on the difference."


def _commit(stamp: Stamp) -> str:
    changed = " and uncommitted changes" if stamp.git_dirty else ""
    return f"commit {stamp.git_commit[:_COMMIT_DIGITS]}{changed}" if stamp.git_commit else "no known commit"
