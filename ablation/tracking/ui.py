"""`ablate ui`: MLflow's own pages over a store, on this machine only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator

from ablation.addresses import database_file, is_server, masked
from ablation.errors import AblationError, TrackingError
from ablation.tracking.client import SILENCE, artifact_location

_HOST = "127.0.0.1"
_READY = "Uvicorn running on"
_MOST_STUDIES = 10
_LAST_LINES = 15
_PATIENCE = 10.0


def serve(uri: str, port: int, say: Callable[[str], None]) -> int:
    """Show the store until Ctrl-C; `say` gets the address once it answers. Port 0 takes any free one.

    Returns the exit code: 0 after Ctrl-C, and at once where the store is a server that has its own pages. Raises
    AblationError where the port is taken or nothing was tracked yet, TrackingError where MLflow does not start.
    """
    if is_server(uri):
        say(f"This store is a server with pages of its own: {masked(uri)}")
        return 0
    file = database_file(uri)
    if file is not None and not file.exists():
        raise AblationError(
            f"Nothing is tracked yet: no {file}. `ablate run STUDY` makes it; --runs-dir names another."
        )
    port = _free_port(port)
    with _ending_on_sigterm(), _server(uri, port) as server:
        return _follow(server, port, say)


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        # As servers do: else a port that was closed a moment ago counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise AblationError(
                f"Port {port} of {_HOST} cannot be had ({error.strerror}). Take another, such as --port {port + 1}, "
                "or --port 0 for any free one."
            ) from error
        free: int = probe.getsockname()[1]
        return free


@contextlib.contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that the server does not stay behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _server(uri: str, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1"]
    place = artifact_location(uri, "")
    if place:
        command += ["--artifacts-destination", place]
    # The address goes by the environment: it may hold a password, and command lines are seen by everybody.
    # The safe path keeps a file such as click.py in the user's folder from being imported by the server.
    environment = {**os.environ, **SILENCE, "MLFLOW_BACKEND_STORE_URI": uri, "PYTHONSAFEPATH": "1"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    try:
        yield server
    finally:
        _stop(server)


def _stop(server: subprocess.Popen[str]) -> None:
    """End the server, which Ctrl-C on a terminal has reached too; a second Ctrl-C does not wait."""
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
        server.wait()


def _follow(server: subprocess.Popen[str], port: int, say: Callable[[str], None]) -> int:
    """Read what the server prints, so that it never blocks, until it ends."""
    assert server.stdout is not None
    last: deque[str] = deque(maxlen=_LAST_LINES)
    ready = False
    try:
        for line in server.stdout:
            last.append(masked(line.rstrip()))
            if _READY in line and not ready:
                ready = True
                say("\n".join([f"MLflow: http://{_HOST}:{port} (Ctrl-C ends it)", *_study_pages(port)]))
    except KeyboardInterrupt:
        return 0
    if not ready:
        raise TrackingError("MLflow's pages did not start:\n" + "\n".join(last))
    return server.wait()


def _study_pages(port: int) -> list[str]:
    """The pages of the studies, the latest first: from its front page MLflow leads to its view for language models."""
    query = f"max_results={_MOST_STUDIES}&order_by=last_update_time%20DESC"
    with contextlib.closing(http.client.HTTPConnection(_HOST, port, timeout=_PATIENCE)) as connection:
        connection.request("GET", f"/api/2.0/mlflow/experiments/search?{query}")
        found = json.load(connection.getresponse()).get("experiments", [])
    named = [(study["name"], study["experiment_id"]) for study in found if study["name"] != "Default"]
    pages = f"http://{_HOST}:{port}/#/experiments"
    return [f"  {name}: {pages}/{number}/runs?workflowType=machine_learning" for name, number in named]
