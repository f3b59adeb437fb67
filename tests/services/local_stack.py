"""The services of docker-compose.yml as processes of this machine.

Commands, environments and health checks are as they stand there, with the names and paths of containers replaced by
those of here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compose_file import OWNER, load
from postgres_server import PostgresServer, free_port
from source_tree import ROOT

from ablation.cli.services import SECRETS

PROGRAMS = {"mlflow": ["-m", "mlflow"], "python": [], "gunicorn": ["-m", "gunicorn"], "ablate": ["-m", "ablation"]}
DEADLINE = 240.0


class LocalStack:
    """Starts what a service needs before the service, as compose does. `folder` has what `ablate up --init` wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"mlflow": free_port(), "optuna-dashboard": free_port()}
        self.settings = {
            **OWNER,
            "MLFLOW_PORT": str(self.ports["mlflow"]),
            "DASHBOARD_PORT": str(self.ports["optuna-dashboard"]),
            "ABLATE_STUDY": "small.yaml",
        }
        self.services: dict[str, dict[str, Any]] = load(self.settings)["services"]
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.postgres = self._made_postgres()
        self._places = self._mounts()

    def secret(self, name: str) -> str:
        return (self.folder / SECRETS / name).read_text("utf-8").strip()

    def start(self, name: str) -> None:
        """Start a service, and first what it waits for, each in the state that it is waited for."""
        for needed, how in self.services[name].get("depends_on", {}).items():
            if needed not in self.processes:
                self.start(needed)
            if how["condition"] == "service_completed_successfully":
                assert self.processes[needed].wait(DEADLINE) == 0, self.said(needed)
            else:
                self.wait_healthy(needed)
        if name == "postgres":
            self.processes[name] = self.postgres.start()
            self._make_databases()
        elif name not in self.processes:
            self.processes[name] = self.run(name)

    def run(self, name: str) -> subprocess.Popen[str]:
        """The command of a service, whatever has become of an earlier one."""
        log = (self.folder / f"{name}.log").open("a")
        return subprocess.Popen(
            self._command(name), env=self.environment(name), cwd=self._tmp(), stdout=log, stderr=log, text=True,
            start_new_session=True,
        )  # fmt: skip

    def wait_healthy(self, name: str) -> None:
        """Until the health check of a service is content."""
        kind, *check = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        deadline = time.monotonic() + DEADLINE
        command, environment = self._local(name, check), self.environment(name)
        while subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
            assert self.processes[name].poll() is None, self.said(name)
            assert time.monotonic() < deadline, self.said(name)
            time.sleep(0.2)

    def environment(self, name: str) -> dict[str, str]:
        """That of the service and nothing else of this machine but where programs are."""
        given = {key: self._here(name, value) for key, value in self.services[name].get("environment", {}).items()}
        there = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "OMP_NUM_THREADS") if key in os.environ}
        return {**there, **given, "PGPORT": str(self.postgres.port), "TMPDIR": str(self._tmp())}

    def said(self, name: str) -> str:
        log = self.folder / f"{name}.log"
        return log.read_text("utf-8") if log.exists() else ""

    def close(self) -> None:
        for process in self.processes.values():
            if process is not self.postgres.process and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.postgres.close()

    def _made_postgres(self) -> PostgresServer:
        """As the image's entry point makes it: a superuser with its password, and scram for whoever comes by TCP."""
        service = self.services["postgres"]
        initdb = service["environment"]["POSTGRES_INITDB_ARGS"].split()
        return PostgresServer(initdb, service["command"], self.secret("postgres_password"))

    def _make_databases(self) -> None:
        """Run what the image runs when its volume is new."""
        if "mlflow" in self.postgres.sql("-c", "SELECT datname FROM pg_database"):
            return
        script = (ROOT / "docker" / "roles.sql").read_text("utf-8")
        self.postgres.sql(given=script.replace("/run/secrets", str(self.folder / SECRETS)))

    def _mounts(self) -> Mapping[str, str]:
        """Where a place of a container lies here: volumes below this stack's folder, the rest in the checkout."""
        places = {"/run/secrets": self.folder / SECRETS, "/opt/migrate.py": ROOT / "docker" / "migrate.py"}
        places |= {"/opt": ROOT / "docker"}
        for service in self.services.values():
            for mount in service.get("volumes", []):
                source, target = mount.removesuffix(":ro").rsplit(":", 1)
                places[target] = self.folder / Path(source).name
        for place in ("runs", "data", "studies", "cache", "artifacts"):
            (self.folder / place).mkdir(exist_ok=True)
        return {there: str(here) for there, here in places.items()}

    def _here(self, name: str, text: str) -> str:
        """A word of a command or an environment as it reads here."""
        for there, here in self._places.items():
            if text == there or f"{there}/" in text or text.endswith(f"={there}"):
                text = text.replace(there, here, 1)
                break
        text = text.replace("@postgres:5432", f"@127.0.0.1:{self.postgres.port}")
        text = text.replace("http://mlflow:5000", f"http://127.0.0.1:{self.ports['mlflow']}")
        for mapping in self.services[name].get("ports", []):
            host, port, inside = mapping.split(":")
            text = text.replace(f"0.0.0.0:{inside}", f"{host}:{port}").replace(f"127.0.0.1:{inside}", f"{host}:{port}")
            text = text.replace(f"--port={inside}", f"--port={port}").replace("--host=0.0.0.0", f"--host={host}")
        return str(self._tmp()) if text == "/tmp" else text

    def _local(self, name: str, words: list[str]) -> list[str]:
        program, *rest = words
        if program in PROGRAMS:
            return [sys.executable, *PROGRAMS[program], *(self._here(name, word) for word in rest)]
        return [self.postgres.programs[program], *(self._here(name, word) for word in rest)]

    def _command(self, name: str) -> list[str]:
        """A service without a program of its own gives the arguments of its image's."""
        words = self.services[name]["command"]
        return self._local(name, words if words[0] in PROGRAMS else ["ablate", *words])

    def _tmp(self) -> Path:
        place = self.folder / "tmp"
        place.mkdir(exist_ok=True)
        return place
