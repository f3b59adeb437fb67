"""A real PostgreSQL server, in a process of its own that can be killed and started again on the same port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

PASSWORD = "hunter 2/@"
DEBIANS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name))


def binary(name: str) -> str:
    """A program of PostgreSQL's; the test skips where there is none."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(DEBIANS)), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip(f"no {name} of PostgreSQL on this machine")
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class PostgresServer:
    """Listens on the loopback address alone. As root it runs as somebody else, since PostgreSQL refuses root."""

    def __init__(
        self, initdb: Sequence[str] = (), command: Sequence[str] = ("postgres",), password: str = PASSWORD
    ) -> None:
        """Make its files. `initdb` and `command` are what a compose file gives the two programs."""
        self.password = password
        self.programs = {
            name: binary(name) for name in ("initdb", "postgres", "pg_isready", "psql", "pg_dump", "pg_restore")
        }
        self.port, self._command = free_port(), command
        self._user = _somebody()
        self.process: subprocess.Popen[str] | None = None
        # Not in the tests' own folder: nobody but its owner may enter that.
        self.folder = Path(
            tempfile.mkdtemp(prefix="ablate-postgres-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        )
        if self._user:
            os.chown(self.folder, self._user, -1)
        given = self.folder / "password"
        given.write_text(f"{password}\n")
        given.chmod(0o644)  # in a folder that its owner alone may enter
        data = ["--username=postgres", f"--pwfile={given}", "--no-sync", "--encoding=UTF8", str(self.folder / "data")]
        self._run("initdb", *(initdb or ["--auth=scram-sha-256"]), *data)
        given.unlink()

    def address(self, database: str = "postgres", user: str = "postgres", driver: str = "postgresql+psycopg") -> str:
        """Without a password, which comes from `environment`."""
        return f"{driver}://{user}@127.0.0.1:{self.port}/{database}"

    def environment(self, place: Path) -> dict[str, str]:
        """What libpq needs to know the password, in a file below `place`."""
        file = place / "pgpass"
        file.write_text(f"*:*:*:*:{self.password}\n")
        file.chmod(0o600)
        return {"PGPASSFILE": str(file)}

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until it answers. What a killed one has left may take a moment to go."""
        log = self.folder / "log"
        for _ in range(20):
            command = [self.programs["postgres"], "-D", str(self.folder / "data"), *self._command[1:]]
            command += ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
            # Files of its folder, which go with it; a killed server leaves others behind.
            command += ["-c", "dynamic_shared_memory_type=mmap"]
            with log.open("w") as file:
                self.process = subprocess.Popen(
                    command, user=self._user, cwd=self.folder, stdout=file, stderr=file, text=True
                )
            while self.process.poll() is None:
                if self.answers():
                    return self.process
                time.sleep(0.05)
            time.sleep(0.25)
        raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}")

    def answers(self) -> bool:
        ready = [self.programs["pg_isready"], "--host=127.0.0.1", f"--port={self.port}", "--username=postgres"]
        return subprocess.run(ready, capture_output=True, check=False).returncode == 0

    def kill(self) -> None:
        """End it at once, as a machine that loses its power; its children notice."""
        assert self.process is not None, "it was not started"
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it and remove its files."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, *arguments: str, database: str = "postgres", given: str = "") -> str:
        """What psql says to a command (`-c`) or a script that it is given, as the superuser."""
        return self._run(
            "psql", f"--port={self.port}", "--host=127.0.0.1", "--username=postgres", f"--dbname={database}",
            "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", *arguments,
            given=given, environment={"PGPASSWORD": self.password},
        )  # fmt: skip

    def _run(self, name: str, *arguments: str, given: str = "", environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            [self.programs[name], *arguments], user=self._user if name == "initdb" else None, cwd=self.folder,
            input=given, text=True, capture_output=True, check=False, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout.strip()


def _somebody() -> int | None:
    """The user that the server runs as where the tests run as root."""
    if os.getuid():
        return None
    names = {each.pw_name: each.pw_uid for each in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
