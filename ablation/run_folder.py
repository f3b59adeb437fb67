"""The run folder of a study: the truth about it. Loads neither torch nor Optuna nor MLflow.

runs/<study>-<scale>/
    study.json            the resolved study; written first, never changed
    study.yaml            the study file as the user wrote it
    study-2.json, ...     the study as it was extended since, with its file beside it; the newest counts
    trials/<id>/          trial.json (before the launch), events.jsonl, outcome.json (closes it),
                          predictions.npz, weights.pt, log.txt; earlier-1/ ... of a trial queued again
    confirmations.txt     of a search: the run folders beside this one that confirm it
    compiled/             on CUDA: which models are compiled, and their code
    driver.lock, ...      held by the one process that runs the study
    outcomes.jsonl        an index of the outcomes, which `status` counts by
    study.db              Optuna's index, rebuilt from the above
    report.html, findings.json, findings.md, findings.tex, results.csv; findings-1.json, ... by the plans before
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ablation import outcome_index
from ablation.durable import append_line, make_folder, move, whole_lines, write_whole
from ablation.errors import AblationError, DamagedFileError
from ablation.faults import point
from ablation.holding import Alarm, Holder, Holding, hold, holder_of
from ablation.hypotheses import Confirms
from ablation.sealed import BrokenSealError, seal, unseal
from ablation.settings import Frozen
from ablation.study import Change, Study
from ablation.trial import Arm, Outcome, Record, Said, Status, Trial
from ablation.trial_files import read_epochs, read_outcome, read_trial, write_trial


class Beginning(Frozen):
    """What `study.json` holds."""

    version: int = 1
    study: Study
    digest: str
    """Over the study as declared, `auto` left as it is."""
    scale_reason: str
    """Why this scale: asked for, or chosen by what the machine has."""
    started: str
    """UTC, ISO 8601."""
    source: Said
    """The path of the study file as it was given."""
    changes: tuple[Change, ...] = ()
    """What was changed since it began, in order."""
    confirms: Confirms | None = None
    """Of a confirmation: the search that its arms come from."""

    @property
    def key(self) -> str:
        """Tells this study from all others, and stays the same when it is changed."""
        return f"{(self.changes[0].declared if self.changes else self.digest)[:12]} {self.started}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One study's folder on the disk."""

    path: Path

    def begun(self) -> bool:
        """Whether a study was begun here."""
        return (self.path / "study.json").exists()

    def begin(self, beginning: Beginning, source_text: str) -> None:
        """Make the folder. The study is written last: without it nothing was begun."""
        make_folder(self.path / "trials")
        write_whole(self.path / "study.yaml", source_text)
        write_whole(self.path / "study.json", seal(beginning.model_dump_json(indent=2)))

    def revise(self, beginning: Beginning, source_text: str) -> None:
        """Keep the study as it was changed beside what it was before, and what was found by an earlier plan."""
        number, found = self._newest() + 1, self.path / "findings.json"
        if beginning.changes[-1].extended and found.exists():
            write_whole(self.path / f"findings-{number - 1}.json", found.read_bytes())
        write_whole(self.path / f"study-{number}.yaml", source_text)
        write_whole(self.path / f"study-{number}.json", seal(beginning.model_dump_json(indent=2)))

    def beginning(self) -> Beginning:
        """What the study was begun with, and what it was changed to since."""
        file = self._version("json")
        try:
            return Beginning.model_validate_json(unseal(file.read_bytes()))
        except FileNotFoundError:
            raise AblationError(f"{self.path} holds no study. `ablate run STUDY` begins one.") from None
        except (BrokenSealError, ValidationError) as error:
            problems = f"{error.error_count()} problems" if isinstance(error, ValidationError) else str(error)
            raise AblationError(
                f"{file} cannot be read ({problems}): damaged, written by another version, or by hand. "
                "Restore it, or begin the study in another folder with --runs-dir."
            ) from error

    def link_confirmation(self, name: str) -> None:
        """Remember that the run folder of this name, beside this one, confirms the search that this one holds."""
        if name not in self.confirmations():
            append_line(self.path / "confirmations.txt", name)

    def confirmations(self) -> tuple[str, ...]:
        """The names of the run folders that confirm this one's search, in the order in which they were begun."""
        found = whole_lines(self.path / "confirmations.txt")
        return tuple(dict.fromkeys(name for name in found if Path(name).name == name and name != ".."))

    def source_text(self) -> str:
        """The study file as the user wrote it, of the newest change."""
        file = self.source_file()
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def source_file(self) -> Path:
        """Where the text of the study file lies."""
        return self._version("yaml")

    def _version(self, ending: str) -> Path:
        newest = self._newest()
        return self.path / (f"study.{ending}" if newest == 1 else f"study-{newest}.{ending}")

    def _newest(self) -> int:
        """The study as begun is the first version of it."""
        numbers = [path.stem.removeprefix("study-") for path in self.path.glob("study-*.json")]
        return max((int(number) for number in numbers if number.isdecimal()), default=1)

    def trial_folder(self, trial_id: str) -> Path:
        """Where one trial keeps its files."""
        return self.path / "trials" / trial_id

    def open_trial(self, trial: Trial) -> Path:
        """Make the trial's folder before its launch; what an unfinished attempt left there stays for the next."""
        folder = self.trial_folder(trial.id)
        make_folder(folder)
        write_trial(folder, trial)
        return folder

    def record(self, trial_id: str) -> Record | None:
        """One trial with all that is known of it; None where it was never opened."""
        folder = self.trial_folder(trial_id)
        trial = read_trial(folder)
        if trial is None:
            return None
        return Record(trial=trial, outcome=read_outcome(folder), epochs=tuple(read_epochs(folder)))

    def records(self) -> tuple[Record, ...]:
        """Every trial that was opened, in the order of trial number and id."""
        return self._matching("*")

    def records_of(self, arm: Arm) -> tuple[Record, ...]:
        """The planned trials of one arm; their names begin with its signature."""
        return self._matching(f"{arm.settings.signature()}-b*")

    def statuses(self, *, remember: bool = False) -> Mapping[str, Status | None]:
        """How each trial that was opened ended, by its id; None while it has not.

        Read from the index where its files are as the index knows them; `remember` adds the others to it, which only
        the driver may.
        """
        known, found = outcome_index.read(self._index), dict[str, Status | None]()
        for place in _folders(self.path / "trials"):
            told = known.get(place.name)
            if told is not None and told.state == outcome_index.state_of(place.path):
                found[place.name] = told.status
            elif (record := self.record(place.name)) is not None:
                found[place.name] = record.outcome.status if record.outcome else None
                if remember and record.outcome:
                    self.note_outcome(place.name, record.outcome)
        return found

    def note_outcome(self, trial_id: str, outcome: Outcome) -> None:
        """Tell the index of an outcome that is durable; only the driver may."""
        outcome_index.note(self._index, self.trial_folder(trial_id), outcome.status)

    @property
    def _index(self) -> Path:
        return self.path / "outcomes.jsonl"

    def _matching(self, pattern: str) -> tuple[Record, ...]:
        found = [self.record(folder.name) for folder in (self.path / "trials").glob(pattern)]
        known = [record for record in found if record is not None]
        return tuple(sorted(known, key=lambda record: (record.trial.number or 0, record.trial.id)))

    def queue_again(self, trial_id: str) -> Path:
        """Take a trial's outcome away, so that it is run again. Where its outcome, log and attempts now lie.

        Killed in between, it leaves the trial with its outcome, and a second call ends what the first began.
        """
        folder = self.trial_folder(trial_id)
        places = (folder / f"earlier-{count}" for count in itertools.count(1))
        kept = next(place for place in places if not (place / "outcome.json").exists())
        make_folder(kept)
        for name in ("log.txt", "attempts.jsonl", "outcome.json"):  # the outcome last: it is what closes a trial
            move(folder / name, kept / name)
            point("file moved")
        return kept

    def set_damaged_aside(self) -> tuple[Path, ...]:
        """Queue again every trial whose outcome is torn or altered. The folders where what is left of them now lies.

        An outcome that is as it was written and yet does not fit stays, and reading it fails: of another version of
        the package, all of a study's outcomes are like that.
        """
        aside = []
        for file in sorted((self.path / "trials").glob("*/outcome.json")):
            try:
                read_outcome(file.parent)
            except DamagedFileError as error:
                if error.torn:
                    aside.append(self.queue_again(file.parent.name))
        return tuple(aside)

    def lock(
        self, take_over: bool = False, alarm: Callable[[Alarm], None] = lambda _: None
    ) -> AbstractContextManager[Holding]:
        """Hold the study as its one driver, as `ablation.holding.hold` does."""
        return hold(self.path, take_over, alarm)

    def holder(self) -> Holder | None:
        """Who drives the study at this moment; None where nobody does."""
        return holder_of(self.path)


def _folders(path: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, in no order; nothing where it is not there."""
    with contextlib.suppress(FileNotFoundError), os.scandir(path) as entries:
        yield from entries
