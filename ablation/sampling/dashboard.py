"""Optuna's dashboard over the storage of a study, as `ablate ui --optuna` serves it: this file run as a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna

from ablation.errors import AblationError
from ablation.serving import HOST, Server

_STORAGE = "ABLATE_DASHBOARD_STORAGE"
_READY = "the dashboard answers"
_FORBIDDEN = "403 Forbidden"

Application = Callable[..., Iterable[bytes]]


def dashboard(storage: str, port: int) -> Server:
    """What serves the dashboard.

    Raises:
        AblationError: it is not installed.
    """
    if find_spec("optuna_dashboard") is None:
        raise AblationError(
            "Optuna's dashboard is not installed. `pip install 'ablation-harness[dashboard]'` has it; `ablate ui` "
            "without --optuna shows the study in MLflow."
        )
    command = [sys.executable, "-m", "ablation.sampling.dashboard", str(port)]
    return Server("Optuna's dashboard", command, {_STORAGE: storage}, ready=_READY)


def main() -> None:
    """Serve until the process is ended."""
    import optuna_dashboard

    port = int(sys.argv[1])
    storage = optuna.storages.get_storage(os.environ.pop(_STORAGE))
    application = _for_this_machine(optuna_dashboard.wsgi(storage), port)
    with make_server(HOST, port, application, server_class=_Threaded, handler_class=_Quiet) as server:
        sys.stdout.write(f"{_READY}\n")
        sys.stdout.flush()
        server.serve_forever()


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has in the library
        """Print nothing for each request."""


def _for_this_machine(application: Application, port: int) -> Application:
    """Answer under this machine's own names alone: else a page of somebody else could be made to lead here."""
    names = {f"{name}:{port}" for name in (HOST, "localhost")}

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") in names:
            return application(environ, start_response)
        start_response(_FORBIDDEN, [("Content-Type", "text/plain")])
        return [_FORBIDDEN.encode()]

    return answer


if __name__ == "__main__":
    main()
