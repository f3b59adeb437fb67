"""Which trained models belong to a study in MLflow, and how those that it lacks get there. Loads no torch.

A model is made from the run folder in a process of its own (`ablation.tracking.model_files`), and logged like the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ablation.keeping import best_first
from ablation.trial import Record

WEIGHTS = "weights.pt"

Ended = Sequence[tuple[Record, Path]]
"""Trials that have an outcome, each with its folder."""

Make = Callable[[Record, Path], Future[None]]
"""Begins to make the files of a trial's model in a folder."""

_LOOK = 5.0
_MOST_SAID = 400


def chosen(ended: Ended, models: Literal["best", "all", "none"]) -> Ended:
    """The trials whose models belong to the study.

    Of those whose weights were kept at their end all, or the best by validation accuracy, then loss, then name.
    """
    places = {record.trial.id: folder for record, folder in ended}
    ranked = [record for record in best_first(record for record, _ in ended) if record.sha256_of(WEIGHTS)]
    most = {"best": 1, "all": len(ranked), "none": 0}[models]
    return [(record, places[record.trial.id]) for record in ranked[:most]]


def bring_models(
    missing: Ended,
    make: Make,
    log: Callable[[Record, Path], None],
    warn: Callable[[str], None],
    sign: Callable[[], None] = lambda: None,
) -> None:
    """Make what is missing and log it, one after another; `sign` is called as long as it goes on.

    A model that cannot be made is a warning: the others are not held up by it. What `log` raises is raised.
    """
    for record, _ in missing:
        with TemporaryDirectory(prefix="ablation-model-") as place:
            try:
                _wait(make(record, Path(place)), sign)
            except Exception as error:  # noqa: BLE001 - of torch.export or of the code of somebody's component
                warn(_reason(record, error))
                continue
            log(record, Path(place))
        sign()


def _wait(making: Future[None], sign: Callable[[], None]) -> None:
    while True:
        try:
            return making.result(timeout=_LOOK)
        except TimeoutError:
            if making.done():  # of the making itself
                raise
            sign()


def _reason(record: Record, error: Exception) -> str:
    said = " ".join(str(error).split())
    said = said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]}…"
    return (
        f"the model of trial {record.trial.id} cannot be made for MLflow: {said or type(error).__name__} "
        "Everything else of the trial is there; `tracking: {models: none}` asks for no model."
    )
