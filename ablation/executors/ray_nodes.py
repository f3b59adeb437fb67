"""The nodes of a Ray cluster: to join it, list them, ask them. No other file knows Ray, but for `ray_cluster`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ablation.errors import AblationError, InputError
from ablation.failures import PlaceLostError

Result = TypeVar("Result")

ANSWER_SECONDS = 10.0
"""How long the head of a cluster is waited for."""

TOUCH = 0.001
"""The share of a GPU that a question to a node takes, so that its process sees the device."""


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of the cluster, as long as it does not leave: one that comes back is another node."""

    id: str
    host: str
    cpus: int
    gpus: int

    def __str__(self) -> str:
        return f"node {self.host} ({self.id[:8]})"


@contextlib.contextmanager
def joined(address: str | None) -> Iterator[None]:
    """Be the driver of a cluster: that of an address, of RAY_ADDRESS, of this machine, or one for the time being.

    Meanwhile nothing is written to standard output, where Ray prints what it logs: it is kept for data.

    Raises:
        AblationError: no cluster answers there.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = signal.getsignal(signal.SIGTERM)
    try:
        _join(address)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray puts its own in place, which would end the study as it stands
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            yield
        finally:
            ray.shutdown()


def _join(given: str | None) -> None:
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    wanted = given or os.environ.get("RAY_ADDRESS", "")
    address = wanted or _cluster_here()
    if not wanted and not _answers(address):
        ray.init("local", **quiet)
        return
    if not _answers(address):  # Ray would try for minutes, and hear no signal meanwhile
        raise AblationError(f"no Ray cluster answers at {address}: see `ray status`.")
    try:
        ray.init(wanted or "auto", **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise AblationError(
            f"cannot join the Ray cluster at {address}: {error}. The command must run on a machine of the cluster, "
            "with its versions of Ray and Python, its RAY_AUTH_MODE and its token."
        ) from error


def _cluster_here() -> str:
    """The address of the cluster that was last started on this machine; it may be gone by now."""
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")  # noqa: S108 - where Ray writes it
    return file.read_text().strip() if file.exists() else ""


def _answers(address: str) -> bool:
    if not address:
        return False
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise InputError(f"{address}: the address of a cluster is HOST:PORT of its head.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def nodes() -> tuple[Node, ...]:
    """The nodes that are there now."""
    found = []
    for each in ray.nodes():
        if each["Alive"]:
            has = each["Resources"]
            found.append(
                Node(each["NodeID"], each["NodeManagerHostname"], int(has.get("CPU", 0)), int(has.get("GPU", 0)))
            )
    return tuple(found)


def ask(asked: Sequence[Node], question: Callable[..., Result], *arguments: object) -> list[Result | Exception]:
    """What a function gives or raises on each node, asked of all at once."""
    remote = ray.remote(num_cpus=0, max_retries=0)(_there)
    references = [
        remote.options(num_gpus=TOUCH if node.gpus else 0, scheduling_strategy=on(node)).remote(
            str(Path.cwd()), environment(), question, arguments
        )
        for node in asked
    ]
    return [_said(node, reference) for node, reference in zip(asked, references, strict=True)]


def _there(folder: str, given: Mapping[str, str], question: Callable[..., Result], arguments: Any) -> Result:
    try:
        os.chdir(folder)
    except OSError as error:
        raise AblationError(
            f"there is no {folder}, where this command runs. Run it in a folder that all nodes share."
        ) from error
    os.environ.update(given)
    return question(*arguments)


def _said(node: Node, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else AblationError(str(error))
    except RayError:
        return PlaceLostError(str(node))


def on(node: Node) -> NodeAffinitySchedulingStrategy:
    """There and nowhere else."""
    return NodeAffinitySchedulingStrategy(node.id, soft=False)


def environment() -> dict[str, str]:
    """What of the driver's environment holds wherever the study runs."""
    return {name: value for name, value in os.environ.items() if name.startswith("ABLATE_")}
