"""Whether the store that runs are logged to can be reached and used: what `ablate doctor` says of MLflow."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

from ablation.addresses import database_file, is_server, masked
from ablation.checks import Check, compare_clocks
from ablation.tracking.client import open_client

_PATIENCE = 10.0
_OWN_TABLE, _OPTUNAS_TABLE = "experiments", "version_info"
_DEFAULT_EXPERIMENT = "0"

_REFUSALS = {
    401: "Give a user: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
    404: "Something else listens there, or MLflow lies below another path: look at MLFLOW_TRACKING_URI.",
}


def check_tracking(uri: str) -> list[Check]:
    """Whether a store answers, under this name and with this schema, and how its clock stands. Nothing is made."""
    return _check_server(uri) if is_server(uri) else _check_database(uri)


def _check_database(uri: str) -> list[Check]:
    shown, file = masked(uri), database_file(uri)
    if file is not None and not file.exists():
        return [Check("mlflow", "ok", f"{shown}: made by the first run")]
    from ablation.databases import look_at

    try:
        seen = look_at(uri)
        clock = [] if seen.ahead is None else [compare_clocks(shown, seen.ahead)]
        if _OPTUNAS_TABLE in seen.tables:
            advice = "Give MLflow a database of its own: both keep their version in a table of the same name."
            return [Check("mlflow", "problem", f"{shown} is Optuna's database", advice), *clock]
        if _OWN_TABLE in seen.tables:
            open_client(uri).search_experiments(max_results=1)
    # Stores are plugins over many libraries.
    except Exception as error:  # noqa: BLE001
        return [Check("mlflow", "problem", f"{shown}: {_reason(error, uri)}", _way_in(error))]
    found = f"{shown}: answers" + ("" if seen.tables else ", and is empty; the first run makes its tables")
    if file is None:
        advice = "Put MLflow's server in front of it: by itself, artifacts go to a folder of each client's own."
        return [Check("mlflow", "warning", found, advice), *clock]
    return [Check("mlflow", "ok", found), *clock]


def _way_in(error: Exception) -> str:
    if "out-of-date database schema" in str(error):
        return "Back the database up, then: mlflow db upgrade ADDRESS"
    if isinstance(error, ImportError):
        return 'Install its driver: `pip install "ablation-harness[postgresql]"` has the one for PostgreSQL.'
    return "Start or free that store, or set MLFLOW_TRACKING_URI to another."


def _check_server(uri: str) -> list[Check]:
    shown, host = masked(uri), urlsplit(uri).netloc.rpartition("@")[2]
    told = _ask(uri, "/version")
    if isinstance(told, str):
        advice = "Start it, or set MLFLOW_TRACKING_URI to where it runs. In a container `localhost` is the container."
        return [Check("mlflow", "problem", f"{shown} does not answer: {told}", advice)]
    clock = [] if told.ahead is None else [compare_clocks(shown, told.ahead)]
    client = open_client(uri)
    try:
        location = str(client.get_experiment(_DEFAULT_EXPERIMENT).artifact_location)
    except Exception as error:  # noqa: BLE001 - a client raises whatever the libraries under it do
        status = int(getattr(error, "get_http_status_code", lambda: 0)())
        if status == 403 and "Host" in str(error):
            found = f"{shown} answers 403: it does not go by the name {host!r}"
            advice = f"Start it with --allowed-hosts {host}, its other names after commas."
        else:
            found, advice = f"{shown}: {_reason(error, uri)}", _REFUSALS.get(status, "Look at the server's own log.")
        return [Check("mlflow", "problem", found, advice), *clock]
    return [_check_versions(shown, told.text, location), *clock]


def _check_versions(shown: str, theirs: str, artifacts: str) -> Check:
    from mlflow import __version__ as ours

    if urlsplit(artifacts).scheme in ("", "file"):
        advice = "Start it with --artifacts-destination, so that artifacts go through it; studies begun before stay."
        return Check("mlflow", "problem", f"{shown} leaves artifacts to each client's own disk ({artifacts})", advice)
    if _release(theirs) < _release(ours):
        advice = f"Bring the server up to {ours}: a client may ask for what an older server does not know."
        return Check("mlflow", "warning", f"{shown}: MLflow {theirs}, and this machine has {ours}", advice)
    return Check("mlflow", "ok", f"{shown}: MLflow {theirs}, artifacts through the server")


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


@dataclass(frozen=True, slots=True)
class _Told:
    text: str
    ahead: float | None


def _ask(uri: str, path: str) -> _Told | str:
    """What a server says without being asked who one is; the reason where it says nothing."""
    place = urlsplit(uri)
    address = urlunsplit((place.scheme, place.netloc.rpartition("@")[2], place.path.rstrip("/") + path, "", ""))
    before = time.time()
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 - http or https, by is_server
            return _Told(answer.read(100).decode(errors="replace").strip(), _ahead(answer.headers, before))
    except urllib.error.HTTPError as error:
        return _Told("", _ahead(error.headers, before))
    except OSError as error:
        return str(getattr(error, "reason", error))


def _ahead(headers: Message, before: float) -> float | None:
    """How far the server's clock is ahead; its answer names whole seconds, cut off."""
    if "Date" not in headers:
        return None
    return parsedate_to_datetime(headers["Date"]).timestamp() + 0.5 - (before + time.time()) / 2


def _reason(error: Exception, uri: str) -> str:
    return f"{type(error).__name__}: {masked(' '.join(str(error).split()), uri)[:300]}"
