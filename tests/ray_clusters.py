"""Real Ray clusters of several nodes on this machine, which leave no process and no file behind."""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_processes import all_gone
from source_tree import ROOT

QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 4,
}
"""A lost node is told in two or three seconds; as Ray comes it takes about half a minute."""


@contextlib.contextmanager
def real_cluster(cpus: int = 0) -> Iterator[Any]:
    """A cluster whose head has so many CPUs, and to which nodes can be added; skips where Ray is not installed."""
    pytest.importorskip("ray", reason="Ray is not installed")
    before = dict(os.environ)
    place = tempfile.mkdtemp(prefix="ray-")  # short: the paths of sockets have 107 characters at most
    atexit.register(shutil.rmtree, place, ignore_errors=True)  # Ray makes it anew, empty, after the cluster's end
    paths = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "executors")]
    os.environ |= {"RAY_TMPDIR": place, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": os.pathsep.join(paths)}
    from ray.cluster_utils import Cluster

    head = {"num_cpus": cpus, "include_dashboard": False, "_system_config": QUICK_TO_NOTICE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()
        os.environ.clear()
        os.environ |= before
        shutil.rmtree(place, ignore_errors=True)


def end_all(processes: list[int]) -> None:
    """End what is left of a cluster: Ray's own agents outlive a node that was killed by up to two minutes."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert all_gone(processes, 10)


@contextlib.contextmanager
def blind_node(cluster: Any, folder: Path) -> Iterator[None]:
    """A node of two CPUs for which a folder is another, empty one; skips where this user may not do that."""
    script = 'mount -t tmpfs none "$1" && shift && exec "$@"'
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--address={cluster.address}"]
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(folder)]
    allowed = shutil.which("unshare") and subprocess.run([*command, "true"], check=False, capture_output=True)
    if not allowed or allowed.returncode:
        pytest.skip("this user may not give a process a mount of its own")
    node = subprocess.Popen(
        [*command, *start, "--num-cpus=2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        yield
    finally:
        node.terminate()
        node.wait(30)
