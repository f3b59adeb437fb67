"""A study on the nodes of a real Ray cluster: stopped, killed, its nodes lost, it ends as on one machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broken_runs import FEWER, BrokenRuns, differing, pass_epochs
from commands import ablate
from live_processes import all_gone, descendants
from ray_clusters import blind_node, end_all, real_cluster
from small_studies import SMALL
from source_tree import ROOT

from ablation.attempts import attempts

RAY = ["--no-tracking", "--executor", "ray", "--address"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that runs no trial, and two nodes of one CPU each; tests add others."""
    with real_cluster() as cluster:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield cluster


def start(cluster: Any, runs: BrokenRuns, *more: str) -> "subprocess.Popen[str]":
    """Start a run on the cluster."""
    command = [sys.executable, "-m", "ablation", "run", "study.yaml", *RAY, cluster.address, *more]
    return subprocess.Popen(command, cwd=runs.place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def slots_left() -> list[int]:
    """The processes of slots and of what they have started."""
    slots = [each for each in descendants(os.getpid()) if "RemoteSlot" in command_of(each)]
    return sorted({*slots, *(child for each in slots for child in descendants(each))})


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_stopped_and_short_of_a_node_it_ends_bit_for_bit_as_on_one_machine(cluster: Any, tmp_path: Path) -> None:
    whole = BrokenRuns(tmp_path / "whole", FEWER, tracking=False)
    ended = whole.run()
    assert ended.code == 0, ended.stderr
    runs = BrokenRuns(tmp_path / "broken", FEWER, tracking=False)

    stopped = start(cluster, runs)
    pass_epochs(stopped, 30)
    began, processes = time.monotonic(), slots_left()
    stopped.send_signal(signal.SIGTERM)
    _, said = stopped.communicate(timeout=60)
    assert (stopped.returncode, time.monotonic() - began < 6) == (128 + signal.SIGTERM, True), said
    assert processes
    assert all_gone(processes, 10)

    shrinking = start(cluster, runs, "--json")
    pass_epochs(shrinking, 10)
    cluster.remove_node(min(cluster.worker_nodes, key=id), allow_graceful=False)
    told, said = shrinking.communicate(timeout=240)
    assert shrinking.returncode == 0, said
    assert "is lost: it is gone, or does not answer; tried again from its last checkpoint" in said
    assert "raylet" not in said
    assert "findings" in json.loads(told)  # Ray's own words on lost nodes would go to standard output
    assert differing(runs.contents(), whole.contents()) == []
    tried = [one for record in runs.folder.records() for one in attempts(runs.folder.trial_folder(record.trial.id))]
    assert any("is lost" in one.reason for one in tried)
    assert not any(one.counts for one in tried)
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()


def refused(cluster: Any, runs: BrokenRuns, *more: str) -> tuple[int, str]:
    """How a run ends that must not begin."""
    done = ablate("run", "study.yaml", *RAY, cluster.address, *more, cwd=runs.place)
    assert "Traceback" not in done.stderr
    assert not runs.folder.begun()
    return done.returncode, done.stderr


def test_a_node_that_sees_another_run_folder_is_named_before_the_start(cluster: Any, tmp_path: Path) -> None:
    runs = BrokenRuns(tmp_path, SMALL, tracking=False)
    (tmp_path / "runs").mkdir()
    with blind_node(cluster, tmp_path / "runs"):
        wait_for_cpus(cluster, 4)
        code, said = refused(cluster, runs)
    wait_for_cpus(cluster, 2)
    assert code == 5
    assert "error: node " in said
    assert "The run folder must lie on a disk that all nodes share" in said


DATA = '''"""Images that lie in a file."""

from ablation.datasets.digits import build as build_digits
from ablation.errors import DataError


def build(root):
    """The digits, where a file says that they are there."""
    if not (root / "here").exists():
        raise DataError(f"{root} lacks the file `here`")
    return build_digits(root)
'''


def test_a_node_without_the_data_is_named_before_the_start(cluster: Any, tmp_path: Path) -> None:
    study = SMALL.replace("{name: synthetic, train_size: 96, test_size: 96, num_classes: 3}", "{name: lab.images}")
    runs = BrokenRuns(tmp_path, study, tracking=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "here").touch()
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "images.py").write_text(DATA)
    with blind_node(cluster, tmp_path / "data"):
        wait_for_cpus(cluster, 4)
        code, said = refused(cluster, runs, "--data-dir", "data")
    wait_for_cpus(cluster, 2)
    assert code == 2
    assert "error: node " in said
    assert "lacks the file `here`" in said


def test_a_node_with_other_code_is_named_before_the_start(cluster: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(ROOT / "ablation", other / "ablation", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "ablation" / "training" / "fit.py").open("a") as file:
        file.write("# another state of the source\n")
    runs = BrokenRuns(tmp_path / "study", SMALL, tracking=False)
    node = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(other)})
    code, said = refused(cluster, runs)
    cluster.remove_node(node)
    cluster.wait_for_nodes()
    assert code == 5
    assert "is not like this machine" in said
    assert "ablation: " in said


def test_what_no_node_has_room_for_and_where_no_cluster_answers_are_told(cluster: Any, tmp_path: Path) -> None:
    runs = BrokenRuns(tmp_path, SMALL, tracking=False)
    for given, code, words in (
        (["--set", "execution.threads=64"], 5, "no node of the cluster has room: a trial takes 64 CPUs"),
        (["--device", "cuda"], 5, "there is no device 'cuda' on any node of the cluster"),
        (["--address", "127.0.0.1:1"], 5, "no Ray cluster answers at 127.0.0.1:1"),
        (["--address", "ray://127.0.0.1:10001"], 2, "the address of a cluster is HOST:PORT"),
    ):
        ended, said = refused(cluster, runs, *given)
        assert (ended, words in said) == (code, True), said


def test_without_a_cluster_one_of_this_machine_is_made_and_ends_with_the_command(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    runs = BrokenRuns(tmp_path, FEWER, tracking=False)
    with tempfile.TemporaryDirectory(prefix="ray-") as place:
        alone = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        command = [sys.executable, "-m", "ablation", "run", "study.yaml", "--executor", "ray", "--no-tracking"]
        running = subprocess.Popen(
            command, cwd=tmp_path, env={**alone, "RAY_TMPDIR": place, "HOME": place}, stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        pass_epochs(running, 3)
        processes, slots = descendants(running.pid), slots_left()
        assert slots
        running.kill()
        running.communicate()
        assert all_gone(slots, 10)
        end_all(processes)
    assert runs.cut_short()


def test_without_ray_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("ablation.cli.running.cluster", "ablation.executors.ray_"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    runs = BrokenRuns(tmp_path, SMALL, tracking=False)
    done = ablate("run", "study.yaml", "--executor", "ray", cwd=runs.place)
    assert done.returncode == 5
    assert 'pip install "ablation-harness[ray]"' in done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--address", "here:1"], "give --executor ray"),
        (["--executor", "rya"], "neither processes nor ray"),
        (["--executor", "ray", "--trial", "t"], "leave --executor"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, given: list[str], words: str) -> None:
    runs = BrokenRuns(tmp_path, SMALL, tracking=False)
    done = ablate("run", "study.yaml", *given, cwd=runs.place)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def wait_for_cpus(cluster: Any, count: int) -> None:
    """Until the nodes that are there have so many CPUs together."""
    deadline = time.monotonic() + 60
    while sum(each["Resources"].get("CPU", 0) for each in cluster.global_state.node_table() if each["Alive"]) != count:
        assert time.monotonic() < deadline
        time.sleep(0.2)
