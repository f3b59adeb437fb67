"""`ablate up` and `ablate down`: what they write, what they ask Docker for, and what they say where there is none."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from commands import ablate
from source_tree import ROOT

from ablation.cli.services import COMPOSE_FILE, NOBODY, SECRET_FILES

DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_SAW"
exit "${DOCKER_ENDS:-0}"
"""
"""Stands for Docker, which no test may count on: writes down what it is asked for."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    place.mkdir()
    shutil.copy(ROOT / COMPOSE_FILE, place)
    return place


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a docker that obeys writes down what it is asked for."""
    programs, saw = tmp_path / "bin", tmp_path / "saw"
    programs.mkdir()
    (programs / "docker").write_text(DOCKER)
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_SAW", str(saw))
    return saw


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_draws_passwords_that_their_owner_alone_can_read(checkout: Path) -> None:
    done = ablate("up", "--init", cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert "next: ablate up" in done.stderr
    files = [checkout / "secrets" / name for name in SECRET_FILES]
    assert {mode(path) for path in (*files, checkout / ".env")} == {0o600}
    assert mode(checkout / "secrets") == 0o700
    texts = {path.name: path.read_text().strip() for path in files}
    passwords = [texts[name] for name in SECRET_FILES if name.endswith("_password")]
    assert len(set(passwords)) == 3
    assert min(map(len, passwords)) >= 43  # 256 bits
    assert not [text for text in passwords if text in done.stderr + done.stdout]
    assert texts["pgpass"] == f"*:*:*:ablate:{texts['ablate_password']}"
    assert texts["reader_pgpass"] == f"*:*:*:reader:{texts['reader_password']}"
    user = os.getuid() or NOBODY
    assert {path.stat().st_uid for path in (*files, checkout / ".env", checkout / "secrets")} == {user}
    assert (checkout / ".env").read_text().splitlines()[0] == f"ABLATE_UID={user}"
    assert all((checkout / name).is_dir() for name in ("runs", "data"))


def test_init_leaves_what_is_there(checkout: Path) -> None:
    """New passwords would not open the databases that the old ones were made for."""
    (checkout / ".env").write_text("MLFLOW_PORT=5001")
    assert ablate("up", "--init", cwd=checkout).returncode == 0
    assert (checkout / ".env").read_text().startswith("MLFLOW_PORT=5001\nABLATE_UID=")
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    again = ablate("up", "--init", cwd=checkout)
    assert again.returncode == 0
    assert "stay as they are" in again.stderr
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_git_leaves_the_secrets_out(checkout: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    shutil.copy(ROOT / ".gitignore", checkout)
    ablate("up", "--init", cwd=checkout)
    listed = subprocess.run(
        ["git", "-C", str(checkout), "ls-files", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.split() == [".gitignore", COMPOSE_FILE]


def test_up_starts_the_stores_and_waits_and_a_study_is_not_waited_for(checkout: Path, docker: Path) -> None:
    ablate("up", "--init", cwd=checkout)
    assert not docker.exists()
    done = ablate("up", "--profile", "cpu", "--dir", str(checkout), cwd=checkout.parent)
    assert done.returncode == 0, done.stderr
    place = f"compose --file {checkout}/{COMPOSE_FILE} --project-directory {checkout}"
    assert docker.read_text().splitlines() == [
        f"{place} up --detach --build --wait",
        f"{place} --profile cpu up --detach --build",
    ]


def test_down_takes_everything_down_and_no_volume(checkout: Path, docker: Path) -> None:
    done = ablate("down", cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert docker.read_text().split()[-5:] == ["--profile", "cpu", "--profile", "gpu", "down"]


def test_up_without_passwords_says_how_to_draw_them(checkout: Path, docker: Path) -> None:
    done = ablate("up", cwd=checkout)
    assert done.returncode == 2
    assert "ablate up --init" in done.stderr
    assert not docker.exists()


@pytest.mark.parametrize("command", [["up"], ["up", "--init"], ["down"]], ids=" ".join)
def test_elsewhere_than_in_a_checkout_it_says_so(command: list[str], tmp_path: Path) -> None:
    done = ablate(*command, cwd=tmp_path)
    assert done.returncode == 2
    assert "built from a checkout" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_profile_is_refused(checkout: Path) -> None:
    done = ablate("up", "--profile", "tpu", cwd=checkout)
    assert done.returncode == 2
    assert "allowed are cpu, gpu" in done.stderr


@pytest.mark.parametrize("command", ["up", "down"])
def test_without_docker_it_says_so(
    command: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablate("up", "--init", cwd=checkout)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = ablate(command, cwd=checkout)
    assert done.returncode == 5
    assert "there is no docker here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_docker_that_refuses_ends_with_its_words_and_the_way_out(
    checkout: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablate("up", "--init", cwd=checkout)
    monkeypatch.setenv("DOCKER_ENDS", "17")
    done = ablate("up", cwd=checkout)
    assert done.returncode == 5
    assert "`docker compose up --detach --build --wait` ended with 17" in done.stderr
    assert "docker compose logs" in done.stderr
