"""Optuna's dashboard for gunicorn, under exact names: by itself it answers whatever name it is called by.

A web page from elsewhere could otherwise have its own name lead to this machine, and read it as its own.
"""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from optuna.storages import RDBStorage
from optuna_dashboard import wsgi


def application() -> WSGIApplication:
    """The dashboard over DASHBOARD_STORAGE, for requests to one of DASHBOARD_ALLOWED_HOSTS (`name:port`, by commas)."""
    allowed = set(os.environ["DASHBOARD_ALLOWED_HOSTS"].split(","))
    # A connection is tried before it is used, or the first page after a restart of PostgreSQL would be an error. The
    # tables were made before; this role could not.
    storage = RDBStorage(
        os.environ["DASHBOARD_STORAGE"],
        {"pool_pre_ping": True},
        skip_compatibility_check=True,
        skip_table_creation=True,
    )
    dashboard = wsgi(storage)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") in allowed:
            return dashboard(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"This name is not among the allowed hosts.\n"]

    return answer
