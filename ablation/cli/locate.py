"""From STUDY on the command line to a study and its run folder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ablation import designs, study_file
from ablation.changes import Comparison, compare
from ablation.cli.terminal import say
from ablation.errors import InputError, StudyChangedError
from ablation.run_folder import Beginning, RunFolder
from ablation.study import DEVICES, FOLDER_RULE, Change, Study, names_folder
from ablation.study_file.places import Places
from ablation.wording import meant, shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says about a study."""

    study: Path
    runs_dir: Path
    scale: str | None = None
    overrides: Sequence[str] = ()
    device: str = "auto"
    fork: str | None = None
    """Begin anew under this name, whatever was begun with the file before."""


@dataclass(frozen=True, slots=True)
class Located:
    """A study with its run folder, which may not have been begun."""

    study: Study
    digest: str
    """Over the study as declared, `auto` left as it is, so that it is the same on every machine."""
    folder: RunFolder
    begun: bool
    """Whether the folder holds this study; it may hold another one of the same name."""
    source: Path
    source_text: str
    scale_reason: str
    change: Comparison | None = None
    """What the study file says now and its run folder does not know yet: it may be added."""
    overrides: Sequence[str] = ()
    """Those of the command line, where the study was read from its file."""

    @property
    def known(self) -> bool:
        """Whether the run folder holds all of the study already."""
        return self.begun and self.change is None

    def places(self) -> Places | None:
        """Where in its file the study is written; None where it was not read from there."""
        return None if self.known else Places(self.source, self.study.scale, self.overrides, self.study)


def check_file(wanted: Wanted) -> None:
    """Raise what is wrong with what was asked, at once: `locate` has to wait for torch to look for accelerators."""
    if wanted.device not in DEVICES:
        raise InputError(f"there is no kind of device {shown(wanted.device)}.{meant(wanted.device, DEVICES)}")
    if not wanted.study.is_dir():
        study_file.load(wanted.study, wanted.scale, wanted.overrides, lambda: False)


def locate(wanted: Wanted, accelerator: Callable[[], bool], *, another: bool = False) -> Located:
    """The study that was asked for. One that was begun keeps what `auto` came to then.

    With `another` the folder may hold another study of the same name: to look at a change before it is made.

    Raises:
        StudyChangedError: the file says what cannot be added to the study that was begun.
    """
    if _is_run_folder(wanted.study):
        _refuse_changes(RunFolder(wanted.study), wanted)
        return located_in(RunFolder(wanted.study))
    answers: list[bool] = []

    def asked() -> bool:
        answers.append(wanted.device != "cpu" and accelerator())
        return answers[-1]

    loaded = study_file.load(wanted.study, wanted.scale, wanted.overrides, asked)
    study = _with_device(_forked(loaded, wanted), wanted.device)
    folder = RunFolder(wanted.runs_dir / study.folder_name)
    reason = _why_scale(wanted, answers)
    source_text = wanted.study.read_text(encoding="utf-8")
    fresh = Located(
        study, study.digest(), folder, False, wanted.study, source_text, reason, overrides=tuple(wanted.overrides)
    )
    if folder.begun():
        try:
            return _gone_on(fresh, folder.beginning())
        except StudyChangedError:
            if not another:
                raise
    return fresh


def take_change(located: Located, command: str = "") -> Beginning:
    """The study as it is from now on: what its file added is kept in the run folder, whose lock must be held.

    `command`: what added it in the place of the file.

    Raises:
        StudyChangedError: another command changed the study in the meantime.
    """
    begun = located.folder.beginning()
    if located.change is None:
        return begun
    if compare(begun.study, located.study) != located.change:
        raise StudyChangedError(f"{located.folder.path} was changed by another command meanwhile. Run this again.")
    change = Change(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        declared=begun.digest,
        resolved=begun.study.digest(),
        extended=located.change.extended,
        cosmetic=located.change.cosmetic,
        ended=sum(record.outcome is not None for record in located.folder.records()),
        planned=designs.planned_count(begun.study),
        seed_blocks=len(located.study.seed_blocks) - len(begun.study.seed_blocks),
        command=command,
    )
    update = {
        "study": located.study,
        "digest": located.digest,
        "source": str(located.source),
        "changes": (*begun.changes, change),
    }
    changed = begun.model_copy(update=update)
    located.folder.revise(changed, located.source_text)
    for line in change.extended:
        say(f"extends {located.folder.path}: {line}")
    for line in change.cosmetic:
        say(f"changes no result of {located.folder.path}: {line}")
    return changed


def find_folder(study: Path, runs_dir: Path, scale: str | None) -> RunFolder:
    """The run folder of a study that was begun, found without reading the study file or the hardware."""
    if _is_run_folder(study):
        return RunFolder(study)
    name = study.stem
    names = [name if scale == "full" else f"{name}-{scale}"] if scale else [name, *_scaled(runs_dir, name)]
    begun = [RunFolder(runs_dir / each) for each in names if RunFolder(runs_dir / each).begun()]
    if len(begun) > 1:
        scales = ", ".join(folder.beginning().study.scale for folder in begun)
        raise InputError(f"{study} was run at several scales: {scales}. Choose one with --scale.")
    if not begun:
        raise InputError(
            f"no run of {study} in {runs_dir}. `ablate run {study}` begins one; --runs-dir looks elsewhere."
        )
    return begun[0]


def _scaled(runs_dir: Path, name: str) -> list[str]:
    """Run folders that may belong to a scale of the study; another study's name may begin alike."""
    candidates = [RunFolder(path) for path in sorted(runs_dir.glob(f"{name}-*"))]
    return [folder.path.name for folder in candidates if folder.begun() and folder.beginning().study.name == name]


def _is_run_folder(path: Path) -> bool:
    if not path.is_dir():
        return False
    if not RunFolder(path).begun():
        raise InputError(
            f"{path} is a folder but no run folder: it has no study.json. Give a study file or a run folder."
        )
    return True


def _refuse_changes(folder: RunFolder, wanted: Wanted) -> None:
    """A run folder goes on as it was begun."""
    if wanted.scale or wanted.overrides or wanted.fork:
        raise InputError("--scale, --set and --fork are for a study file; a run folder goes on as it was begun.")
    begun_on = folder.beginning().study.execution.device
    if wanted.device not in ("auto", begun_on):
        raise StudyChangedError(f"the study was begun on {begun_on}; it cannot go on with --device {wanted.device}.")


def located_in(folder: RunFolder) -> Located:
    """The study of a run folder, as it is by now."""
    begun = folder.beginning()
    return Located(
        begun.study, begun.digest, folder, True, Path(begun.source), folder.source_text(), begun.scale_reason
    )


def _why_scale(wanted: Wanted, answers: Sequence[bool]) -> str:
    """Why a study has the scale it has, given whether an accelerator was found where that was asked."""
    if wanted.scale:
        return "asked for with --scale"
    if not answers:
        return "the study file has no scale laptop"
    if wanted.device == "cpu":
        return "chosen for --device cpu"
    return "chosen since an accelerator was found" if answers[-1] else "chosen since no accelerator was found"


def _with_device(study: Study, device: str) -> Study:
    if device == "auto":
        return study
    return study.model_copy(update={"execution": study.execution.model_copy(update={"device": device})})


def _gone_on(fresh: Located, begun: Beginning) -> Located:
    """The study that was begun, with what its file added since and what `auto` came to then."""
    study, stored = _fill_auto(fresh.study, begun.study), located_in(fresh.folder)
    if study == begun.study and study.digest() == begun.study.digest():
        return stored
    if study.digest() in _before_commands(begun):
        return stored
    found = compare(begun.study, study)
    if not found.refused:
        return replace(fresh, study=study, begun=True, scale_reason=stored.scale_reason, change=found)
    differences = "\n".join(f"  {line}" for line in found.refused)
    raise StudyChangedError(
        f"{fresh.folder.path} was begun with another study:\n{differences}\n"
        "A study that was begun takes more seed blocks and more arms, in a search more trials, and what decides no "
        "result. Undo the change, or begin anew beside it with --fork NAME."
    )


def _before_commands(begun: Beginning) -> set[str]:
    """The digests of the study before commands extended it: its file need not say what they did."""
    by_command = itertools.takewhile(lambda change: change.command, reversed(begun.changes))
    return {change.resolved for change in by_command}


def _forked(study: Study, wanted: Wanted) -> Study:
    """The study under the name of the fork, as if its file were called so."""
    name = wanted.fork
    if name is None:
        return study
    if not names_folder(name):
        raise InputError(f"--fork {name}: a name is {FOLDER_RULE}.")
    if name == study.name:
        raise InputError(f"--fork {name}: that is the name of the study itself. Give another one.")
    fork = study.model_copy(update={"name": name})
    folder = RunFolder(wanted.runs_dir / fork.folder_name)
    if folder.path.exists() and not (folder.begun() or (folder.path / "trials").is_dir()):
        raise InputError(f"--fork {name}: {folder.path} is there and no run folder. Give another name.")
    return fork


def _fill_auto(study: Study, stored: Study) -> Study:
    """What `auto` came to when the study was begun; a choice made in the file stays."""
    execution, baseline = study.execution, study.baseline
    if execution.device == "auto":
        execution = execution.model_copy(update={"device": stored.execution.device})
    if baseline.recipe.precision == "auto":
        recipe = baseline.recipe.model_copy(update={"precision": stored.baseline.recipe.precision})
        baseline = baseline.model_copy(update={"recipe": recipe})
    return study.model_copy(update={"execution": execution, "baseline": baseline})
