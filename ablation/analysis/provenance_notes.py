"""What a reader must know of how the trials came about: what they ran under, and a plan that grew after its start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    notes = [
        _note(
            f"Trials ran under different versions of {package}",
            [(record, stamp.versions.get(package, "")) for record, stamp in stamped],
        )
        for package in dict.fromkeys(package for _, stamp in stamped for package in stamp.versions)
    ]
    notes += [
        _note("Trials ran with different states of the code", [(record, _code(stamp)) for record, stamp in stamped]),
        _note("Trials ran on different devices", [(record, stamp.device) for record, stamp in stamped]),
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
    shares = ", ".join(f"{len(records)} with {value or 'unknown'}" for value, records in trials.items())
    return f"{what}: {shares}. {_mixed(trials)}"


def _mixed(trials: Mapping[str, Sequence[Record]]) -> str:
    """Whether that can be behind an effect: within a seed block it is, between them pairing takes it out."""
    blocks = [{record.trial.block for record in records} for records in trials.values()]
    mixed = {block for number, some in enumerate(blocks) for others in blocks[number + 1 :] for block in some & others}
    if not mixed:
        return "No seed block holds both: what it shifts in all arms alike, pairing takes out."
    blocks_hold = "1 seed block holds" if len(mixed) == 1 else f"{len(mixed)} seed blocks hold"
    return f"{blocks_hold} both: effects may rest on the difference."


def _code(stamp: Stamp) -> str:
    changed = " and uncommitted changes" if stamp.git_dirty else ""
    return f"commit {stamp.git_commit[:_COMMIT_DIGITS]}{changed}" if stamp.git_commit else "no known commit"
