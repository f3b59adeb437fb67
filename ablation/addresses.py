"""Addresses of MLflow and Optuna stores: the default ones, what may be shown of one, and the file behind one."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ablation.errors import AblationError

_USER = re.compile(r"(?<=//)(?:[^/\s:@]*:(?!\d{1,5}(?:[/?\s]|$))[^\n'\"<>@]*@(?:[^\s@]*@)*|[^/\s:@]*:\S*@|[^/\s]*@)")
"""SQLAlchemy takes a password as it is, with a slash, an @ or a space: so too much is masked rather than too little.
What follows a host that is no user is its port."""

_QUERY = re.compile(r"(?<=//)([^\s?'\"]*\?)([^\s'\"]*)")
_VALUE = re.compile(r"=[^&]*")
_SECRET = re.compile(
    r"(?i)([\w-]*(?:password|passwd|pwd|passphrase|secret|token|sig|signature|key)(?:\s*=\s*|%3D))"
    r"(?:'[^']*'|\"[^\"]*\"|\{[^}]*\}|[^\s&;'\",]+)"
)
"""Wherever it stands: in a query, or in what drivers take, `host=db password='a b'` and `UID=me;PWD=secret`."""

_LONGEST_SWITCH = 4
"""Of what is looked for letter by letter: `true` and the like would take words out of every text."""


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


def masked(text: str, uri: str = "") -> str:
    """The text with user, password and every value of a query in all addresses replaced by ***.

    `uri`: an address whose secrets are known, and are looked for as they stand there and as a driver decodes them.
    """
    for secret in sorted(_secrets_of(uri), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _QUERY.sub(lambda found: found[1] + _VALUE.sub("=***", found[2]), _USER.sub("***@", text))
    return _SECRET.sub(r"\1***", text)


def _secrets_of(uri: str) -> set[str]:
    """The password, and the values of the query that are no mere switches."""
    place, _, query = uri.partition("?")
    user = place.partition("//")[2].rpartition("@")[0]
    found = {user.partition(":")[2]}
    for value in (pair.partition("=")[2] for pair in query.split("&")):
        parts = unquote_plus(value).split(";")  # of ODBC
        found |= {value, *(part.partition("=")[2].strip("{}") or part for part in parts)}
    found |= {decode(each) for each in found for decode in (unquote, unquote_plus)}
    found |= {encode(each) for each in found for encode in (quote, quote_plus)}
    return {each for each in found if len(each) > _LONGEST_SWITCH}


@contextlib.contextmanager
def storage_errors(uri: str) -> Iterator[None]:
    """Turn whatever Optuna's storage raises into one error that holds no password."""
    try:
        yield
    except AblationError:
        raise
    # Databases are plugins over many libraries: a missing driver, a refused connection and a bad address all differ.
    except Exception as error:  # noqa: BLE001
        reason = masked(" ".join(str(error).split()), uri)
        way_out = "Start or free that storage, or give another one with --storage."
        if isinstance(error, ImportError):
            way_out = 'PostgreSQL\'s driver comes with `pip install "ablation-harness[postgresql]"`.'
        raise AblationError(
            f"Optuna's storage at {masked(uri)} cannot be used: {type(error).__name__}: {reason[:600]} {way_out}"
        ) from None
