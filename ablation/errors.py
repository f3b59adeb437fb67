"""Every error a user can meet, and the exit code of each.

    AblationError            5  (the machine: a missing device, store or package)
    ├── InputError           2  (a study file, an option or data that cannot be used)
    │   ├── ComponentError   2  (a component, or a choice of one, that does not exist)
    │   ├── DataError        2  (a data set that cannot be read)
    │   └── StudyFileError   2  (all problems of one study file)
    ├── DamagedFileError     5  (a file of a run folder)
    ├── StudyChangedError    3
    ├── StudyLockedError     4
    ├── TrackingError        5  (MLflow: the run folder holds everything, only the index lacks it)
    ├── RegressionError      6  (of `compare --fail-on-regression`: not an error of anything, but an answer)
    ├── PausedError          7  (run the same command again)
    └── ParityError          8  (of `export`: the written model does not give what the trial gave)

The message says what is wrong, what is allowed and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ablation.visible import visible


class AblationError(Exception):
    """The environment does not allow what was asked."""

    exit_code = 5
    label = "error"
    """What the command line calls it."""


class InputError(AblationError):
    """What the user gave cannot be used."""

    exit_code = 2


class DataError(InputError):
    """A data set is missing, damaged or not as a trial needs it."""


class DamagedFileError(AblationError):
    """A file of a run folder does not hold what was written to it.

    `torn` says that it changed on the disk: no other version of the package wrote it.
    """

    def __init__(self, file: Path, reason: str, way_out: str, *, torn: bool) -> None:
        super().__init__(f"{file} is damaged, or of another version ({reason}). {way_out}")
        self.torn = torn


class StudyChangedError(AblationError):
    """The study differs from the one that its run folder was begun with."""

    exit_code = 3


class StudyLockedError(AblationError):
    """Another driver holds the study."""

    exit_code = 4


class TrackingError(AblationError):
    """The tracker could not take what it was given; the run folder still holds it."""


class RegressionError(AblationError):
    """B falls short of A by at least what was asked about."""

    exit_code = 6


class PausedError(AblationError):
    """The study stopped before its end and goes on when the command is run again."""

    exit_code = 7
    label = "paused"


class ParityError(AblationError):
    """A model that was written does not give what its trial gave."""

    exit_code = 8


_LONGEST, _MOST = 2000, 100
"""Characters of a problem and problems of a file that are told; what is beyond helps nobody."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a study file; line and column count from 1, (0, 0) means no place in the file."""

    line: int
    column: int
    message: str
    source: str = ""
    second: bool = field(default=False, compare=False)
    """Whether it is about a value that another problem is about already: then only that one is told."""

    def __str__(self) -> str:
        """`file:line:column: what is wrong`, as editors and terminals make it a link."""
        source = visible(self.source)
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        message = visible(self.message)
        return f"{place}: {message if len(message) <= _LONGEST else f'{message[:_LONGEST]} …'}"


class ComponentError(InputError):
    """Every problem of one component or more, each with its path: `("recipe", "optimizer", "momentum")`."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"{'.'.join(map(str, path))}: {message}" for path, message in problems))


class StudyFileError(InputError):
    """Every problem of a study file, in the order of its lines; the text stops at the hundredth."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        told = [str(problem) for problem in self.problems[:_MOST]]
        left = len(self.problems) - len(told)
        super().__init__("\n".join([*told, f"and {left:,} more problems."] if left else told))
