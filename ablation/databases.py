"""Database servers behind SQLAlchemy addresses: how they are talked to, and what one looks like from here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy.engine import make_url

_PATIENCE: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of libpq, in seconds, the last in milliseconds. Left to the system, a lost network is noticed after hours."""

_LIBPQ = {"psycopg", "psycopg2"}


def engine_options(uri: str) -> dict[str, Any]:
    """What SQLAlchemy's engine is made with for this address. What the address itself says of it stays.

    A connection of a pool is tried before it is used, so that a server that was restarted meanwhile is not noticed.
    """
    url = make_url(uri)
    if url.get_backend_name() != "postgresql":
        return {}
    libpq = url.get_driver_name() in _LIBPQ
    patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    return {"pool_pre_ping": True, "connect_args": patience if libpq else {}}


@dataclass(frozen=True, slots=True)
class Seen:
    """A database as it stands."""

    tables: frozenset[str]
    ahead: float | None
    """Seconds by which its clock is ahead of ours, None where it was not asked."""


def look_at(uri: str) -> Seen:
    """Connect and look; nothing is made. Raises what SQLAlchemy or the driver raises."""
    engine = sqlalchemy.create_engine(uri, **engine_options(uri))
    try:
        with engine.connect() as connection:
            tables = frozenset(sqlalchemy.inspect(connection).get_table_names())
            if engine.dialect.name != "postgresql":
                return Seen(tables, None)
            before = time.time()
            theirs = connection.execute(sqlalchemy.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            return Seen(tables, float(theirs) - (before + time.time()) / 2)
    finally:
        engine.dispose()
