"""A real MLflow server on SQLite, in a process of its own that can be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from ablation.addresses import sqlite_uri
from ablation.tracking.client import SILENCE


class MlflowServer:
    """Serves `folder`/mlflow.db and `folder`/artifacts on one port, however often it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> str:
        """The database behind it."""
        return sqlite_uri(self.folder / "mlflow.db")

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", self.store]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        # A session of its own, since the server is a family of processes.
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **SILENCE},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        output = self._process.stdout
        assert output is not None
        said = []
        for line in output:
            said.append(line)
            if "Uvicorn running on" in line:  # with one worker this comes last, once the port is open
                break
        else:
            raise AssertionError("MLflow's server did not start:\n" + "".join(said))
        # Read on, so that it never blocks.
        threading.Thread(target=lambda: [None for _ in output], daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it and all its processes at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
