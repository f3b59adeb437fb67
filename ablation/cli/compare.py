"""`ablate compare`: two arms of a study, an arm in two studies, or two trials. Trains nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ablation.analysis.compare import compare
from ablation.analysis.compared import Compared
from ablation.analysis.regression import Threshold, judge, parse_threshold, regression_text
from ablation.analysis.sides import Pair, Side, pair_of
from ablation.changes import differences
from ablation.cli.compare_text import print_compared
from ablation.cli.locate import find_folder
from ablation.cli.terminal import print_json, say
from ablation.cli.trials import find_trial
from ablation.designs import arms_of
from ablation.errors import InputError, RegressionError
from ablation.run_folder import RunFolder
from ablation.study import Growing, Search, Study, was_extended
from ablation.trial import Arm, Record, Stamp
from ablation.visible import visible
from ablation.wording import meant


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    study: Path
    names: Sequence[str]
    other: Path | None
    runs_dir: Path
    scale: str | None
    trials: bool = False
    """Whether the names are those of trials."""

    def words(self, showing: Showing) -> list[str]:
        """The command line that asks for the same, word by word."""
        options = {
            "--with": self.other,
            "--scale": self.scale,
            "--runs-dir": self.runs_dir if self.runs_dir != Path("runs") else None,
            "--fail-on-regression": showing.fail_on_regression,
            "--out": showing.out,
        }
        given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
        return ["ablate", "compare", str(self.study), *self.names, *["--trials"] * self.trials, *given]


@dataclass(frozen=True, slots=True)
class Showing:
    """What comes of the comparison."""

    fail_on_regression: str | None = None
    images: int = 10
    """How many images are listed on the terminal."""
    out: Path | None = None
    as_json: bool = False


def compare_sides(asked: Asked, showing: Showing) -> None:
    """Compare, say what was found, and write it where asked.

    Raises:
        InputError: there is nothing to compare, or nothing to judge a regression by.
        RegressionError: B falls short by the threshold of `--fail-on-regression`.
    """
    threshold = parse_threshold(showing.fail_on_regression) if showing.fail_on_regression else None
    pair = _pair(asked)
    if threshold:
        _refuse_judgement(pair)
    compared = compare(pair, list(_differences(pair)))
    if threshold:
        compared = compared.model_copy(update={"regression": judge(compared, threshold)})
    if showing.as_json:
        print_json(compared.model_dump(mode="json"))
    else:
        print_compared(compared, showing.images)
    if showing.out:
        from ablation.cli.compare_page import write_comparison  # who wants no page need not load what draws it

        for path in write_comparison(pair, compared, showing.out, asked.words(showing)):
            say(f"wrote {path}")
    _conclude(compared, threshold)


def _conclude(compared: Compared, threshold: Threshold | None) -> None:
    if threshold is None or compared.regression is None:
        return
    text = regression_text(compared.regression)
    if compared.regression.state == "regression":
        raise RegressionError(text)
    say(text)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A study that was begun, read once."""

    folder: RunFolder
    study: Study
    arms: Mapping[str, Arm]
    looked_at: bool = False
    """Whether its seed blocks were decided on with scores in sight."""
    drawn: tuple[Record, ...] = ()
    """The trials of a search; of a planned study those of an arm are read when it is asked for."""

    @classmethod
    def read(cls, folder: RunFolder) -> _Begun:
        begun = folder.beginning()
        study = begun.study
        drawn = folder.records() if isinstance(study.design, Search) else ()
        looked_at = isinstance(study.seeds, Growing) or was_extended(begun.changes)
        return cls(folder, study, {arm.name: arm for arm in arms_of(study, drawn)}, looked_at, drawn)

    @property
    def baseline(self) -> str:
        return next(name for name, arm in self.arms.items() if arm.baseline)

    def records_of(self, arm: Arm) -> tuple[Record, ...]:
        """Trials are known by their settings, whatever their arm was called when they ran."""
        if not isinstance(self.study.design, Search):
            return self.folder.records_of(arm)
        signature = arm.settings.signature()
        return tuple(one for one in self.drawn if one.trial.arm.settings.signature() == signature)


def _pair(asked: Asked) -> Pair:
    begun = _Begun.read(find_folder(asked.study, asked.runs_dir, asked.scale))
    other = _Begun.read(find_folder(asked.other, asked.runs_dir, asked.scale)) if asked.other else begun
    names = _two_names(asked, begun, other)
    make = _trial_side if asked.trials else _arm_side
    return pair_of(*_told_apart(make(begun, names[0]), make(other, names[1])))


def _two_names(asked: Asked, begun: _Begun, other: _Begun) -> tuple[str, str]:
    """The names of A and B. Without a name for A it is the baseline; in two studies one name stands for both."""
    match list(asked.names):
        case [a, b]:
            return a, b
        case [_] | [] if asked.trials:
            raise InputError("--trials: name two trials, A and B. Their names are those in trials/.")
        case [b]:
            return (b, b) if asked.other else (begun.baseline, b)
        case [] if asked.other:
            return begun.baseline, other.baseline
        case []:
            names = ", ".join(visible(name) for name in begun.arms)
            raise InputError(f"name the arm to compare with the baseline, or two arms, A and B. Arms: {names}.")
        case _:
            raise InputError(f"two can be compared, A and B; {len(asked.names)} names were given.")


def _arm_side(begun: _Begun, name: str) -> Side:
    """An arm with all its trials. Where blocks are added as scores come in, only what was begun can be missing."""
    study, arm = begun.study, begun.arms.get(name)
    if arm is None:
        allowed = meant(visible(name), map(visible, begun.arms))
        raise InputError(f"{begun.folder.path} has no arm {visible(name)}.{allowed}")
    records = begun.records_of(arm)
    ended = {one.trial.block for one in records if one.outcome}
    grows = isinstance(study.design, Search) or isinstance(study.seeds, Growing)
    planned = {one.trial.block for one in records} if grows else set(study.seed_blocks)
    missing = len(planned - ended)
    return Side(name, study, begun.folder, arm, records, missing=missing, looked_at=begun.looked_at)


def _trial_side(begun: _Begun, name: str) -> Side:
    record = find_trial(begun.folder, name)
    arm = record.trial.arm
    label = f"{arm.name} (seed block {record.trial.block})"
    return Side(label, begun.study, begun.folder, arm, (record,), name, missing=int(record.outcome is None))


def _told_apart(a: Side, b: Side) -> tuple[Side, Side]:
    """Of two studies the name, or where they are called alike the folder, goes before the arm."""
    if a.folder.path.resolve() == b.folder.path.resolve():
        return a, b
    by_name = a.study.folder_name != b.study.folder_name
    names = [side.study.folder_name if by_name else str(side.folder.path) for side in (a, b)]
    return replace(a, label=f"{names[0]}: {a.label}"), replace(b, label=f"{names[1]}: {b.label}")


def _refuse_judgement(pair: Pair) -> None:
    """A judgement is drawn once, from a complete plan of fixed arms."""
    for side in (pair.a, pair.b):
        if isinstance(side.study.design, Search) and side.trial is None:
            raise InputError(
                f"--fail-on-regression: {side.folder.path} is a search, which chose its arms by their scores."
            )
        if side.missing:
            raise InputError(
                f"--fail-on-regression: {side.label} has trials without an outcome ({side.missing}). Run "
                f"{side.folder.path} to its end first; looking at every new trial would find a regression too often."
            )


def _differences(pair: Pair) -> Iterator[str]:
    """Settings in which the arms differ, and what their trials ran under."""
    yield from differences(pair.a.arm.settings, pair.b.arm.settings).values()
    stamp_a, stamp_b = _stamp(pair.a.records), _stamp(pair.b.records)
    if stamp_a and stamp_b:
        yield from (f"ran with {line}" for line in differences(stamp_a, stamp_b).values())


def _stamp(records: Sequence[Record]) -> Stamp | None:
    """What the first trial ran under; that trials of one arm differ in it, its report says."""
    return next((one.outcome.stamp.lasting for one in records if one.outcome and one.outcome.stamp), None)
