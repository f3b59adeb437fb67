"""The real MLflow server, started once: its pages, and a study tracked over HTTP."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_up import NOTE, made_up_record, made_up_study
from seen import look

from ablation.addresses import sqlite_uri
from ablation.errors import AblationError
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.ui import serve

PROGRAM = """
import signal, sys
from ablation.tracking.ui import serve
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(serve(sys.argv[1], 0, lambda text: print(text, flush=True)))
"""
DEADLINE = 120.0


@dataclass
class Pages:
    process: subprocess.Popen[str]
    address: str
    store: str
    study: str


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("served 100%")
    # What lies in the folder it is started from must not be imported by the server.
    (folder / "click.py").write_text("raise SystemExit('imported from the current directory')")
    store = sqlite_uri(folder / "mlflow.db")
    MlflowTracker(store).begin(made_up_study("earlier"), NOTE)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, store],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    timer = threading.Timer(DEADLINE, process.kill)
    timer.start()
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    assert first.startswith("MLflow: http://127.0.0.1:"), first
    yield Pages(process, first.split()[1], store, second.strip())
    timer.cancel()
    process.kill()
    process.wait()


def test_the_address_of_each_study_is_printed(pages: Pages) -> None:
    assert pages.study == (
        f"earlier: {pages.address}/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=arms"
    )
    with urllib.request.urlopen(pages.address) as page:
        assert "MLflow" in page.read().decode()


def test_a_study_tracked_over_http_equals_one_in_a_file(pages: Pages, store: str, folder: Path) -> None:
    for uri in (pages.address, store):
        tracker = MlflowTracker(uri)
        tracker.begin(made_up_study(), NOTE)
        tracker.log(made_up_record(), folder)
        tracker.log(made_up_record(), folder)
        tracker.end("# Findings", [], complete=False)
    served, filed = look(pages.address), look(store)
    assert served["shifts"].pop("times")[0] == filed["shifts"].pop("times")[0]
    assert served == filed
    assert "predictions.npz" in served["crop=with · seed block 0"]["artifacts"]


def other_addresses() -> set[str]:
    """Addresses of this machine that the pages are not served on: of the network, and the rest of the loopback."""
    found = {"127.0.0.2", "::1"}
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))  # sends nothing: it only asks which of its addresses the machine would take
            found.add(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    return found - {"127.0.0.1"}


def test_the_pages_are_served_on_the_loopback_address_alone(pages: Pages) -> None:
    port = int(pages.address.rsplit(":", 1)[1])
    answered = []
    for address in other_addresses():
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
            answered.append(address)
    assert answered == []
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        pass


def test_the_pages_answer_to_no_other_name(pages: Pages) -> None:
    """A page of somebody else whose name is made to lead to this machine must not read the store."""
    request = urllib.request.Request(f"{pages.address}/api/2.0/mlflow/experiments/search?max_results=1")
    request.add_header("Host", "somebody.example")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code in (400, 403)


def test_a_taken_port_is_told_with_the_way_out(store: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AblationError, match=rf"Port {port} .* --port {port + 1}"):
            serve(store, port, print)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(AblationError, match="Nothing is tracked yet"):
        serve(sqlite_uri(tmp_path / "mlflow.db"), 0, print)
    assert not list(tmp_path.iterdir())


def test_of_a_server_only_the_address_is_told() -> None:
    said: list[str] = []
    assert serve("http://me:secret@host:5000", 0, said.append) == 0
    assert said == ["This store is a server with pages of its own: http://***@host:5000"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_the_server_and_frees_the_port(pages: Pages) -> None:
    pages.process.send_signal(signal.SIGINT)
    assert pages.process.wait(30) == 0
    port = int(pages.address.rsplit(":", 1)[1])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
