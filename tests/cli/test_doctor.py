"""`ablate doctor` on this machine; what it says of servers stands in tests/services/test_stack.py."""

import json
import sqlite3
from pathlib import Path

import pytest
from commands import ablate
from disks import read_only, small_disk

from ablation.addresses import sqlite_uri
from ablation.checks import Check, compare_clocks
from ablation.cli import machine
from ablation.sampling.stores import check_store, open_store


def test_it_says_how_everything_stands_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("ablation.cli.machine.ENOUGH_MEMORY", 0)  # of the machine that tests this
    monkeypatch.setattr("ablation.cli.machine.ENOUGH_DISK", 0)
    done = ablate("doctor", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    abouts = [check["about"] for check in told["checks"]]
    assert abouts == ["python", "packages", "device", "memory", "shared memory", "disk", "clock", "optuna", "mlflow"]
    assert "that are needed are in range" in told["checks"][1]["found"]
    assert all(check["state"] == "ok" or check["advice"] for check in told["checks"])
    assert not list(tmp_path.iterdir())
    text = ablate("doctor", cwd=tmp_path)
    assert [
        line.split()[0] for line in text.stdout.splitlines() if line.split()[0] in ("ok", "warning", "problem")
    ] == [check["state"] for check in told["checks"]]


def test_a_problem_ends_with_exit_code_5_and_says_what_to_do(tmp_path: Path) -> None:
    done = ablate("doctor", "--storage", "postgresql+psycopg://me:hunter2@127.0.0.1:1/studies", cwd=tmp_path)
    assert done.returncode == 5
    assert "problem  optuna" in done.stdout
    assert "Start that database" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def only(checks: list[Check]) -> tuple[str, str]:
    (check,) = checks
    return check.state, f"{check.found} {check.advice}"


def altered(file: Path, statement: str) -> str:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()
    return sqlite_uri(file)


def test_the_schema_of_optuna_s_storage_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    assert only(check_store(sqlite_uri(file))) == ("ok", f"sqlite:///{file}: made by the first run ")
    assert not file.exists()
    open_store(sqlite_uri(file))
    assert only(check_store(sqlite_uri(file)))[0] == "ok"
    older = altered(file, "UPDATE alembic_version SET version_num = 'v3.0.0.a'")
    state, said = only(check_store(older))
    assert state == "problem"
    assert f"optuna storage upgrade --storage 'sqlite:///{file}'" in said
    newer = altered(file, "UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    state, said = only(check_store(newer))
    assert (state, "A newer Optuna wrote it" in said) == ("problem", True)


def test_a_missing_driver_is_named() -> None:
    state, said = only(check_store("mssql+pymssql://me@host/studies"))
    assert (state, "Install its driver" in said) == ("problem", True)


def test_memory_is_that_of_the_container(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   8000000 kB\n")
    assert machine.check_memory(tmp_path / "meminfo", tmp_path).state == "ok"
    (tmp_path / "memory.max").write_text("1000000000\n")
    (tmp_path / "memory.current").write_text("400000000\n")
    check = machine.check_memory(tmp_path / "meminfo", tmp_path)
    assert (check.state, check.found) == ("warning", "600.0 MB are left")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.check_memory(tmp_path / "meminfo", tmp_path).found == "8.19 GB are left"


def test_a_small_disk_and_one_that_takes_no_writing_are_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        assert machine.check_disk(disk).state == "warning"
        shared = machine.check_shared_memory(disk)
        assert (shared.state, "--shm-size" in shared.advice) == ("warning", True)
        with read_only(disk):
            check = machine.check_disk(disk)
            assert (check.state, "Read-only file system" in check.found) == ("problem", True)


def test_clocks_that_are_apart_are_told() -> None:
    assert compare_clocks("the server", 4).state == "ok"
    check = compare_clocks("the server", -90)
    assert (check.state, check.found) == ("warning", "the server: 90.0 s behind this machine's")


def test_an_older_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        machine, "_requirements", lambda: ["torch>=99.1", "no-such-package>=1", 'ruff>=99; extra == "dev"']
    )
    (packages,) = [check for check in machine.check_versions() if check.about == "packages"]
    assert packages.state == "problem"
    assert "is older than 99.1; no-such-package is not installed" in packages.found
    assert "ruff" not in packages.found


@pytest.mark.gpu
def test_every_gpu_is_named_with_its_memory_and_multiplies() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    checks = machine.check_devices()
    assert [check.about for check in checks] == ["device"] * torch.cuda.device_count()
    assert all(check.state != "problem" for check in checks)
    assert torch.cuda.get_device_name(0) in checks[0].found
    assert "GB free" in checks[0].found
