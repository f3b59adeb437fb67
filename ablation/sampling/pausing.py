"""A storage of Optuna's that gives out while a study runs pauses the study: it is an index, and nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from optuna.exceptions import StorageInternalError

from ablation.addresses import masked
from ablation.durable import disk_failure
from ablation.errors import PausedError
from ablation.trial import Answer, Epoch, Outcome, Trial

_STORAGES = {"sqlalchemy", "sqlite3", "redis", "grpc"}
"""Packages whose errors are those of a storage."""


class Sampling(Protocol):
    """What the driver asks for trials and tells of outcomes."""

    def ask(self) -> Trial | None:
        """The next trial to run, None where the study has no more, or none before a running one has ended."""
        ...

    def report(self, trial: Trial, epoch: Epoch) -> Answer:
        """Hear of an epoch; a pruner may end the trial here."""
        ...

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Record how a trial ended."""
        ...


class PausingSampling:
    """Another sampling, whose storage may be locked, gone or refuse: each call raises PausedError then."""

    def __init__(self, sampling: Sampling, address: str) -> None:
        self._sampling, self._address = sampling, address

    def ask(self) -> Trial | None:
        """The next trial."""
        with _pausing(self._address):
            return self._sampling.ask()

    def report(self, trial: Trial, epoch: Epoch) -> Answer:
        """Hear of an epoch."""
        with _pausing(self._address):
            return self._sampling.report(trial, epoch)

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Record how a trial ended."""
        with _pausing(self._address):
            self._sampling.tell(trial, outcome)


@contextlib.contextmanager
def _pausing(address: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if disk_failure(error) is not None or not _is_of_storage(error):  # the disk has a message of its own
            raise
        reason = masked(" ".join(str(error.__cause__ or error).split()))[:300]
        raise PausedError(
            f"Optuna's storage at {masked(address)} does not answer: {reason} The study is paused and nothing is lost: "
            "free or start that storage, then run the same command again."
        ) from None


def _is_of_storage(error: Exception) -> bool:
    return isinstance(error, StorageInternalError) or type(error).__module__.partition(".")[0] in _STORAGES
