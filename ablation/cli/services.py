"""`ablate up` and `ablate down`: the services of docker-compose.yml, and the secrets that they start with."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ablation.cli.terminal import say
from ablation.errors import AblationError, InputError

COMPOSE_FILE, SETTINGS, SECRETS = "docker-compose.yml", ".env", "secrets"
PROFILES = ("cpu", "gpu")
"""What runs a study beside the stores; nothing does unless it is asked for."""

SECRET_FILES = ("postgres_password", "ablate_password", "reader_password", "pgpass", "reader_pgpass")

NOBODY = 10001
"""The user that services run as where root starts them; no person's."""

MADE_FOLDERS = ("runs", "data")
"""What is mounted from here; a folder that is missing would be made by Docker, as root's."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the services run as: whoever owns the secrets, which nobody else can read."""

    user: int
    group: int


def write_secrets(folder: Path) -> None:
    """Draw the passwords and write what the services start with; what is there stays as it is.

    Raises:
        InputError: the folder has no compose file.
    """
    compose_file(folder)
    if _is_ready(folder):
        say(f"{folder / SETTINGS} and the secrets in {folder / SECRETS} are there already, and stay as they are.")
        return
    owner = _owner()
    (folder / SECRETS).mkdir(mode=0o700, exist_ok=True)
    _give(folder / SECRETS, owner)
    for name, text in _drawn().items():
        _write(folder / SECRETS / name, text, owner)
    for name in MADE_FOLDERS:
        if not (folder / name).exists():
            (folder / name).mkdir()
            _give(folder / name, owner)
    # Last, since with these lines the others count as whole.
    _write(folder / SETTINGS, f"{_settings(folder)}ABLATE_UID={owner.user}\nABLATE_GID={owner.group}\n", owner)
    say(f"wrote {folder / SETTINGS} and {folder / SECRETS}; keep both out of version control.\nnext: ablate up")


def _is_ready(folder: Path) -> bool:
    return "ABLATE_UID=" in _settings(folder) and all((folder / SECRETS / name).exists() for name in SECRET_FILES)


def _settings(folder: Path) -> str:
    """What somebody has written there already, such as other ports; whole lines."""
    file = folder / SETTINGS
    text = file.read_text("utf-8") if file.exists() else ""
    return text if not text or text.endswith("\n") else f"{text}\n"


def start_services(folder: Path, profile: str | None) -> None:
    """Start the services and wait until they are healthy; with a profile also what runs a study, unwaited for.

    Raises:
        InputError: there is no compose file, or there are no secrets yet.
        AblationError: Docker is missing, or refuses.
    """
    file = compose_file(folder)
    if not _is_ready(folder):
        raise InputError(f"the services have no passwords yet in {folder / SECRETS}. Run `ablate up --init` first.")
    _compose(file, "up", "--detach", "--build", "--wait")
    if profile is not None:
        _compose(file, "--profile", profile, "up", "--detach", "--build")
    say("MLflow: http://localhost:5000, Optuna: http://localhost:8080, unless .env names other ports.")


def stop_services(folder: Path) -> None:
    """Stop the services and remove their containers; what they have stored stays, in volumes.

    Raises:
        InputError: there is no compose file.
        AblationError: Docker is missing, or refuses.
    """
    file = compose_file(folder)
    _compose(file, *(word for profile in PROFILES for word in ("--profile", profile)), "down")


def compose_file(folder: Path) -> Path:
    """The compose file of a checkout."""
    file = folder / COMPOSE_FILE
    if not file.exists():
        raise InputError(
            f"there is no {file}: the services are built from a checkout of this project. Go there, or give --dir."
        )
    return file


def _drawn() -> Mapping[str, str]:
    """The content of each secret. A password file of libpq's is read only where nobody else may read it."""
    postgres, owner, reader = (secrets.token_urlsafe(32) for _ in range(3))
    texts = postgres, owner, reader, f"*:*:*:ablate:{owner}\n", f"*:*:*:reader:{reader}\n"
    return dict(zip(SECRET_FILES, texts, strict=True))


def _owner() -> Owner:
    """Whoever calls, but never root."""
    user, group = (os.getuid(), os.getgid()) if hasattr(os, "getuid") else (0, 0)
    return Owner(user, group) if user else Owner(NOBODY, NOBODY)


def _write(path: Path, text: str, owner: Owner) -> None:
    """Made for its owner alone from the start: a mode that is set later leaves a moment in which all may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _give(path, owner)


def _give(path: Path, owner: Owner) -> None:
    if hasattr(os, "getuid") and os.getuid() == 0:
        os.chown(path, owner.user, owner.group)


def _compose(file: Path, *arguments: str) -> None:
    """Run Docker's compose; its messages go to the terminal as they come."""
    docker = shutil.which("docker")
    if docker is None:
        raise AblationError(
            "there is no docker here: the services run in containers. Install Docker with its compose plugin, or run "
            "without them: studies need neither (see docs/how-to/run-the-services.md)."
        )
    command = [docker, "compose", "--file", str(file), "--project-directory", str(file.parent), *arguments]
    code = subprocess.run(command, check=False).returncode  # noqa: S603 - the words are ours, the program is Docker
    if code:
        raise AblationError(
            f"`docker compose {' '.join(arguments)}` ended with {code}; its reason stands above. Look whether Docker "
            "runs (`docker info`), has its compose plugin (`docker compose version`), and what the services say "
            "(`docker compose logs`)."
        )
