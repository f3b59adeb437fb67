"""Models for MLflow, made in a process of its own as trials are run: torch may take memory, time, or its process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from ablation.errors import AblationError
from ablation.executors.process_per_device import ProcessPerDevice, Unheard
from ablation.run_folder import RunFolder
from ablation.tracking.models import Make
from ablation.trial import Record

_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "ABLATE_OFFLINE": "1"}
"""A model in MLflow is for any machine; and for its sake no data set is downloaded."""


@contextlib.contextmanager
def model_maker(folder: RunFolder, data_root: Path) -> Iterator[Make]:
    """Makes models of a run folder's trials. The process begins with the first one and ends with this context."""
    executor = ProcessPerDevice([_ENVIRONMENT])
    try:
        yield partial(_begin, executor, folder, data_root.resolve())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)  # a model that nobody waits for any longer


def _begin(executor: ProcessPerDevice, folder: RunFolder, data_root: Path, record: Record, into: Path) -> Future[None]:
    return executor.submit(_make, folder.path.resolve(), record, data_root, into, Unheard())


def _make(folder: Path, record: Record, data_root: Path, into: Path, link: object) -> None:  # noqa: ARG001
    """Write the files of a trial's model and hold what they give against what the trial gave.

    Whatever fails comes as an error that any process can be sent: those of torch and some of our own cannot.
    """
    try:
        _write(RunFolder(folder), record, data_root, into)
    except AblationError as error:
        raise AblationError(str(error)) from None
    except Exception as error:  # noqa: BLE001
        raise AblationError(f"{type(error).__name__}: {error}") from None


def _write(folder: RunFolder, record: Record, data_root: Path, into: Path) -> None:
    from ablation.exporting.parity import check
    from ablation.exporting.restoring import restored
    from ablation.tracking.model_files import load_files, write_files

    found = restored(folder, record, data_root)
    write_files(found.classifier, len(found.description.classes), found.measured.between(0, 2).numpy(), into)
    check(load_files(into), found, folder.beginning().study.execution.device)
