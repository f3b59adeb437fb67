"""A client of MLflow that is quiet, gives up in seconds, phones nobody, and has one kind of error."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ablation.addresses import database_file, masked, sqlite_uri
from ablation.errors import TrackingError
from ablation.tracking import rows

if TYPE_CHECKING:
    from mlflow import MlflowClient

SILENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""On by default are telemetry, the server's jobs, and lines on stdout that hold the address, password and all."""

_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}
"""MLflow's own values block for 4 minutes on a refused connection, for 20 on a hung server, and for as long as a server
that is out of service asks for. The user's values stay."""

_CHATTY = ("mlflow", "alembic", "sqlalchemy", "urllib3.connectionpool")


def open_client(uri: str) -> MlflowClient:
    """A client for the store, which an SQLite file is made for where there is none (1.8 s)."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    silence()
    from mlflow import MlflowClient

    file = database_file(uri)
    if file is not None:
        if not file.exists() or not file.stat().st_size:
            _make_database(file)
        _try_database(file)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def silence() -> None:
    """Import MLflow, which reads the environment then, and keep it from phoning and from talking."""
    os.environ.update(SILENCE)
    import mlflow  # noqa: F401 - sets its own loggers up, and ours come after that

    # Else the making of a database and every lost connection print lines into a live display.
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextlib.contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Turn whatever a store raises into one error that holds no password."""
    try:
        yield
    # Stores and artifact places are plugins over many libraries (SQLAlchemy, requests, boto): nothing less covers them.
    except Exception as error:  # noqa: BLE001
        reason = masked(" ".join(str(error).split()), uri)
        # The cause's own text may hold the password: it is left out of the traceback.
        raise TrackingError(
            f"MLflow at {masked(uri)} fails: {type(error).__name__}: {rows.cut(reason, 600)} "
            "Start or free that store, or set MLFLOW_TRACKING_URI to another; `ablate run --no-tracking` goes without."
        ) from None


def artifact_location(uri: str, folder: str) -> str | None:
    """Where a study's artifacts go: beside an SQLite file, else wherever the server says (None)."""
    file = database_file(uri)
    return (file.absolute().parent / "mlartifacts" / folder).as_uri() if file else None


def _make_database(file: Path) -> None:
    """Make a database elsewhere and put it in its place when it is whole.

    MLflow makes its tables in many steps, and refuses for ever a database that a crash left between two of them.
    """
    from mlflow import MlflowClient

    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        made, whole = Path(folder) / "made.db", Path(folder) / "whole.db"
        MlflowClient(tracking_uri=sqlite_uri(made), registry_uri=sqlite_uri(made)).search_experiments(max_results=1)
        with contextlib.closing(sqlite3.connect(made)) as source, contextlib.closing(sqlite3.connect(whole)) as target:
            source.backup(target)
        if file.exists() and not file.stat().st_size:
            file.unlink()
        with contextlib.suppress(FileExistsError):  # another process was first: its database is as good
            os.link(whole, file)


def _try_database(file: Path) -> None:
    """Raise at once what MLflow would retry for 100 seconds: no place to write, no permission, not a database."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
