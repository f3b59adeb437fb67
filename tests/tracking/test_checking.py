"""What `ablate doctor` says of MLflow's own files; servers are looked at in tests/services/test_stack.py."""

import contextlib
import sqlite3
from pathlib import Path

from ablation.addresses import database_file, sqlite_uri
from ablation.sampling.stores import check_store
from ablation.tracking.checking import check_tracking


def only(uri: str) -> tuple[str, str]:
    (check,) = check_tracking(uri)
    return check.state, f"{check.found} {check.advice}"


def test_a_store_that_is_not_there_yet_is_well_and_stays_unmade(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    assert only(sqlite_uri(file)) == ("ok", f"sqlite:///{file}: made by the first run ")
    assert not file.exists()


def test_a_store_that_answers_is_well_and_no_place_for_optuna(store: str) -> None:
    assert only(store)[0] == "ok"
    (check,) = check_store(store)
    assert (check.state, "a database of its own" in check.advice) == ("problem", True)


def test_a_schema_of_another_version_is_told(store: str) -> None:
    file = database_file(store)
    assert file is not None
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    state, said = only(store)
    assert state == "problem"
    assert "found version 451aebb31d03" in said
    assert "mlflow db upgrade" in said


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("no database, but long enough to be looked at as one" * 10)
    assert only(sqlite_uri(file))[0] == "problem"
