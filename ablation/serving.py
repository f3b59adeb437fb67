"""Pages of another program, served on this machine only by a process of its own until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ablation.addresses import masked
from ablation.errors import AblationError

HOST = "127.0.0.1"
_LAST_LINES = 15
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """What is started. Addresses of stores go by the environment: command lines are seen by everybody."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: str
    """What stands in the line that it prints once it answers."""


def free_port(port: int) -> int:
    """The port, or with 0 any free one. Raises AblationError where it cannot be had."""
    with socket.socket() as probe:
        # As servers do: else a port that was closed a moment ago counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise AblationError(
                f"Port {port} of {HOST} cannot be had ({error.strerror}). Take another, such as --port {port + 1}, "
                "or --port 0 for any free one."
            ) from error
        free: int = probe.getsockname()[1]
        return free


def serve(server: Server, ready: Callable[[], None]) -> int:
    """Run the server until it ends, or Ctrl-C or SIGTERM ends it; `ready` is called once it answers.

    Returns the exit code: 0 after Ctrl-C. Raises AblationError where it does not come to answer.
    """
    with _ending_on_signals(), _started(server) as process:
        return _follow(server, process, ready)


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that the server does not stay behind, and heed that where a shell had it ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _started(server: Server) -> Iterator[subprocess.Popen[str]]:
    # The safe path keeps a file such as click.py in the user's folder from being imported by the server.
    environment = {**os.environ, **server.environment, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(  # noqa: S603
        server.command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """End the server, which Ctrl-C on a terminal has reached too; a second Ctrl-C does not wait."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _follow(server: Server, process: subprocess.Popen[str], ready: Callable[[], None]) -> int:
    """Read what the server prints, so that it never blocks, until it ends."""
    assert process.stdout is not None
    last: deque[str] = deque(maxlen=_LAST_LINES)
    answers = False
    try:
        for line in process.stdout:
            last.append(masked(line.rstrip()))
            if server.ready in line and not answers:
                answers = True
                ready()
    except KeyboardInterrupt:
        return 0
    if not answers:
        raise AblationError(f"The pages of {server.name} did not start:\n" + "\n".join(last))
    return process.wait()
