"""Addresses of MLflow and Optuna stores: the default ones, what may be shown of one, and the file behind one."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ablation.errors import AblationError

_USER = re.compile(r"(?<=//)(?:[^/\s:@]*:\S*|[^/\s]*)@")
"""SQLAlchemy takes a password that holds a slash or an @ as it is; so too much is masked rather than too little."""

_SECRET = re.compile(r"(?i)([?&][^=&\s]*(?:password|token|secret|key)[^=&\s]*=)[^&\s'\"]*")


def default_uri(runs_dir: Path) -> str:
    """`MLFLOW_TRACKING_URI` where it is set, else an SQLite file in the runs directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(runs_dir.absolute() / "mlflow.db")


def sqlite_uri(file: Path) -> str:
    """The address of an SQLite file. SQLAlchemy decodes percent signs since 2.1; before, it took them as they are."""
    plain = f"sqlite:///{file.as_posix()}"
    if not {"%", "?"} & set(plain) or database_file(plain) == file:
        return plain
    return plain.replace("%", "%25").replace("?", "%3F")


def database_file(uri: str) -> Path | None:
    """The file of an SQLite address, None for every other address."""
    if not uri.startswith("sqlite:///"):
        return None
    # SQLAlchemy comes with MLflow and Optuna, whose database addresses are its; importing it costs 0.3 s.
    from sqlalchemy.engine import make_url

    database = make_url(uri).database
    return Path(database) if database and database != ":memory:" else None


def is_server(uri: str) -> bool:
    """Whether the address is that of a running MLflow server."""
    return uri.startswith(("http://", "https://"))


def masked(text: str) -> str:
    """The text with the user names and passwords of all addresses in it replaced by ***."""
    return _SECRET.sub(r"\1***", _USER.sub("***@", text))


@contextlib.contextmanager
def storage_errors(uri: str) -> Iterator[None]:
    """Turn whatever Optuna's storage raises into one error that holds no password."""
    try:
        yield
    except AblationError:
        raise
    # Databases are plugins over many libraries: a missing driver, a refused connection and a bad address all differ.
    except Exception as error:  # noqa: BLE001
        reason = masked(" ".join(str(error).split()))
        raise AblationError(
            f"Optuna's storage at {masked(uri)} cannot be used: {type(error).__name__}: {reason[:600]} "
            "Start or free that storage, or give another one with --storage."
        ) from None
