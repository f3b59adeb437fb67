"""`ablate ui`: MLflow's own pages over a store, on this machine only."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from collections.abc import Callable
from typing import Any

from ablation.addresses import database_file, is_server, masked
from ablation.errors import AblationError
from ablation.serving import HOST, Server, free_port
from ablation.serving import serve as serve_pages
from ablation.tracking.client import SILENCE, artifact_location
from ablation.tracking.views import VIEW_TAG, runs_page

_MOST_STUDIES = 10
_PATIENCE = 10.0


def serve(uri: str, port: int, say: Callable[[str], None]) -> int:
    """Show the store until Ctrl-C; `say` gets the address once it answers. Port 0 takes any free one.

    Returns the exit code: 0 after Ctrl-C, and at once where the store is a server that has its own pages. Raises
    AblationError where the port is taken, nothing was tracked yet, or MLflow does not start.
    """
    if is_server(uri):
        say(f"This store is a server with pages of its own: {masked(uri)}")
        return 0
    file = database_file(uri)
    if file is not None and not file.exists():
        raise AblationError(
            f"Nothing is tracked yet: no {file}. `ablate run STUDY` makes it; --runs-dir names another."
        )
    port = free_port(port)

    def ready() -> None:
        say("\n".join([f"MLflow: http://{HOST}:{port} (Ctrl-C ends it)", *_study_pages(port)]))

    return serve_pages(_server(uri, port), ready)


def _server(uri: str, port: int) -> Server:
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    place = artifact_location(uri, "")
    if place:
        command += ["--artifacts-destination", place]
    return Server("MLflow", command, {**SILENCE, "MLFLOW_BACKEND_STORE_URI": uri}, ready="Uvicorn running on")


def _study_pages(port: int) -> list[str]:
    """The pages of the studies, the latest first: from its front page MLflow leads to its view for language models."""
    query = f"max_results={_MOST_STUDIES}&order_by=last_update_time%20DESC"
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=_PATIENCE)) as connection:
        connection.request("GET", f"/api/2.0/mlflow/experiments/search?{query}")
        found = json.load(connection.getresponse()).get("experiments", [])
    return [
        f"  {study['name']}: http://{HOST}:{port}/{runs_page(study['experiment_id'], prepared=_is_prepared(study))}"
        for study in found
        if study["name"] != "Default"
    ]


def _is_prepared(study: dict[str, Any]) -> bool:
    return VIEW_TAG in {tag["key"] for tag in study.get("tags", [])}
