"""Where Optuna keeps its studies: opened, and looked at."""

from __future__ import annotations

import optuna
from optuna.storages import BaseStorage, RDBStorage

from ablation.addresses import database_file, masked
from ablation.checks import Check, compare_clocks
from ablation.databases import engine_options, look_at

OWN_TABLE, MLFLOWS_TABLE = "version_info", "experiments"


def open_store(address: str) -> BaseStorage:
    """Optuna's storage at an address, its tables made where they are missing."""
    return optuna.storages.get_storage(RDBStorage(address, engine_kwargs=engine_options(address)))


def check_store(address: str) -> list[Check]:
    """Whether a storage can be reached and used, and how its clock stands. Nothing is made or changed."""
    shown, file = masked(address), database_file(address)
    if file is not None and not file.exists():
        return [Check("optuna", "ok", f"{shown}: made by the first run")]
    try:
        seen = look_at(address)
    # Databases are plugins over many libraries: a missing driver, a refused connection and a bad address all differ.
    except Exception as error:  # noqa: BLE001
        reason = masked(" ".join(str(error).split()), address)[:300]
        return [Check("optuna", "problem", f"{shown} cannot be used: {type(error).__name__}: {reason}", way_in(error))]
    clock = [] if seen.ahead is None else [compare_clocks(shown, seen.ahead)]
    if MLFLOWS_TABLE in seen.tables:
        return [
            Check(
                "optuna",
                "problem",
                f"{shown} is MLflow's database",
                "Give Optuna a database of its own: both keep their version in a table of the same name.",
            ),
            *clock,
        ]
    if OWN_TABLE not in seen.tables:
        return [Check("optuna", "ok", f"{shown}: answers, and is empty; the first run makes its tables"), *clock]
    return [_check_version(address), *clock]


def way_in(error: Exception) -> str:
    """What to do about a database that cannot be reached."""
    if isinstance(error, ImportError):
        return 'Install its driver: `pip install "ablation-harness[postgresql]"` has the one for PostgreSQL.'
    return "Start that database, and look at host, port, user and password (PostgreSQL: also in PGPASSFILE)."


def _check_version(address: str) -> Check:
    """Optuna refuses tables of another version; it can bring older ones up."""
    store = RDBStorage(
        address, engine_kwargs=engine_options(address), skip_compatibility_check=True, skip_table_creation=True
    )
    current, head, known = store.get_current_version(), store.get_head_version(), store.get_all_versions()
    store.engine.dispose()
    shown = masked(address)
    if current == head:
        return Check("optuna", "ok", f"{shown}: answers, schema {current}")
    found = f"{shown} has schema {current}, and Optuna {optuna.__version__} needs {head}"
    if current in known:
        return Check("optuna", "problem", found, f"Back it up, then: optuna storage upgrade --storage '{shown}'")
    return Check("optuna", "problem", found, "A newer Optuna wrote it: install that version here too.")
