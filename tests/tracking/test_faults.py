"""A real MLflow server behind a proxy that fails: studies go on, and `ablate sync` brings what is missing."""

import base64
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FAULTS, PASSWORD, Fault, FaultProxy
from made_up import NOTE, made_up_record, made_up_study
from mlflow_server import MlflowServer
from seen import Snapshot, look
from small_studies import SMALL, StudyWriter
from whole_study import assert_holds, finished_study, run_ids

from ablation.cli.sync import sync_study
from ablation.errors import TrackingError
from ablation.run_folder import RunFolder
from ablation.study import Study
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, ended_trials, note_of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("served"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def proxy(server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """In front of the server; clients give up after a second here."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with FaultProxy(server.address) as proxy:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.address)
        yield proxy


@pytest.fixture
def folder(small_study: Study, tmp_path: Path, request: pytest.FixtureRequest) -> RunFolder:
    """A finished study of three trials and of a name of its own, which no store has heard of."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return finished_study(tmp_path / "runs" / name, small_study.model_copy(update={"name": name, "seeds": 1}))


def sync(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> str:
    """Run `ablate sync`; what it says last."""
    capsys.readouterr()
    sync_study(folder.path, folder.path.parent, None, None)
    return capsys.readouterr().err.splitlines()[-1]


def ship(folder: RunFolder, uri: str) -> list[str]:
    """Ship a study as a run does, trial by trial and then the end; the warnings."""
    warnings: list[str] = []
    about = note_of(folder, NOTE.stamp)
    with Shipping(MlflowTracker(uri), folder.beginning().study, about, folder, warnings.append) as shipping:
        for record, place in ended_trials(folder):
            shipping.ship(record, place)
        shipping.conclude("# Findings", (), complete=True)
    return warnings


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_for_the_whole_study_sync_makes_the_store_equal_to_the_record(
    server: MlflowServer, proxy: FaultProxy, folder: RunFolder, capsys: pytest.CaptureFixture[str], fault: Fault
) -> None:
    proxy.switch(fault)
    warnings = ship(folder, proxy.address)
    assert len(warnings) == (0 if fault == "slow" else 2)
    assert all("`ablate sync" in warning for warning in warnings)
    assert PASSWORD not in "".join(warnings)
    proxy.switch("none")
    assert sync(folder, capsys).endswith(
        "0 trials logged, 3 already there" if fault == "slow" else "3 trials logged, 0 already there"
    )
    before, ids = assert_holds(server.store, folder, server.address), run_ids(server.store, folder)
    assert sync(folder, capsys).endswith("0 trials logged, 3 already there")
    assert assert_holds(server.store, folder, server.address) == before
    assert run_ids(server.store, folder) == ids


def test_whichever_write_loses_its_answer_the_next_pass_completes_the_store(
    server: MlflowServer, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # so that what gets no answer at all is sent twice
    (tmp_path / "log.txt").write_text("a log")

    def track(uri: str, name: str) -> None:
        tracker = MlflowTracker(uri)
        tracker.begin(made_up_study(name), NOTE)
        tracker.log(made_up_record(), tmp_path)
        tracker.end("# Findings", [tmp_path / "log.txt"], complete=True)

    def shown(name: str) -> list[Snapshot]:
        runs = look(server.store, name, server.address)
        for run in runs.values():
            run["tags"] |= {"study": "", "mlflow.runName": ""}
        return [runs.pop(name), *runs.values()]

    track(proxy.address, "undisturbed")
    expected = shown("undisturbed")
    writes = [number for number, request in enumerate(proxy.requests) if changes_something(request)]
    assert len(writes) > 12
    failed = 0
    for number in writes:
        name, fault = f"lost {number}", ("drop", "cut")[number % 2]
        proxy.switch("none")
        proxy.choose = lambda each, at=number, fault=fault: fault if each == at else "none"  # type: ignore[misc]
        try:
            track(proxy.address, name)
        except TrackingError:
            failed += 1
        track(server.address, name)
        assert shown(name) == expected, f"{fault} of request {number}"
    assert 0 < failed < len(writes)


def changes_something(request: str) -> bool:
    return not request.startswith("GET ") and not request.endswith("/search")


def test_a_server_that_is_killed_in_the_middle_of_a_trial_gets_the_rest_when_it_is_back(
    server: MlflowServer, proxy: FaultProxy, folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    def kill_in_the_second_trial(number: int) -> Fault:
        if sum("log-batch" in request for request in proxy.requests) == 2 and server.alive:
            server.kill()
        return "none"

    proxy.choose = kill_in_the_second_trial
    assert ship(folder, proxy.address)
    proxy.switch("none")
    assert not server.alive
    server.start()
    assert sum(run["status"] == "RUNNING" for run in look(server.store, folder.path.name, server.address).values()) == 2
    assert sync(folder, capsys).endswith("2 trials logged, 1 already there")
    assert_holds(server.store, folder, server.address)


SHIP = """
import sys
from pathlib import Path
from made_up import NOTE
from ablation.run_folder import RunFolder
from ablation.tracking.mlflow_tracker import MlflowTracker
from ablation.tracking.shipping import Shipping, note_of
folder = RunFolder(Path(sys.argv[1]))
tracker = MlflowTracker(sys.argv[2])
with Shipping(tracker, folder.beginning().study, note_of(folder, NOTE.stamp), folder, print) as shipping:
    shipping.conclude("# Findings", (), complete=True)
"""


def test_what_a_killed_driver_left_open_is_closed(
    server: MlflowServer, proxy: FaultProxy, folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = threading.Event()

    def hang_in_the_second_trial(number: int) -> Fault:
        if sum("log-batch" in request for request in proxy.requests) < 2:
            return "none"
        reached.set()
        return "hang"

    proxy.choose = hang_in_the_second_trial
    environment = {**os.environ, "MLFLOW_HTTP_REQUEST_TIMEOUT": "600", "PYTHONPATH": str(Path(__file__).parent)}
    driver = subprocess.Popen([sys.executable, "-c", SHIP, str(folder.path), proxy.address], env=environment)
    assert reached.wait(60)
    driver.kill()
    driver.wait()
    proxy.switch("none")
    assert sum(run["status"] == "RUNNING" for run in look(server.store, folder.path.name, server.address).values()) == 2
    assert sync(folder, capsys).endswith("2 trials logged, 1 already there")
    assert_holds(server.store, folder, server.address)


ONE_EPOCH = SMALL.replace("epochs: 3", "epochs: 1").replace("seeds: 2", "seeds: 1")

RUN = """
import ablation.tracking.shipping
from ablation.cli import main
ablation.tracking.shipping.PATIENCE = 1.0
main()
"""


AT_ONCE: tuple[Fault, ...] = ("refuse", "500", "503", "slow", "cut")


def test_real_runs_in_front_of_stores_that_fail_end_as_ever_and_sync_brings_the_rest(
    server: MlflowServer, write_study: StudyWriter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All side by side, a proxy each: what they take is the start of their processes."""
    with contextlib.ExitStack() as stack:
        runs: dict[Fault, tuple[FaultProxy, Path, subprocess.Popen[str]]] = {}
        for fault in AT_ONCE:
            proxy = stack.enter_context(FaultProxy(server.address))
            proxy.switch(fault)
            path = write_study(ONE_EPOCH, f"run-{fault}.yaml")
            command = [sys.executable, "-m", "ablation", "run", path.name, "--scale", "full", "--slots", "1"]
            environment = {**os.environ, "MLFLOW_TRACKING_URI": proxy.address}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            runs[fault] = proxy, path, subprocess.Popen(command, cwd=path.parent, env=environment, **pipes)
        for fault, (proxy, path, running) in runs.items():
            stdout, stderr = running.communicate(timeout=600)
            assert running.returncode == 0, stderr
            assert ("`ablate sync" in stderr) == (fault != "slow"), stderr
            assert PASSWORD not in stdout + stderr
            proxy.switch("none")
            monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.address)
            folder = RunFolder(path.parent / "runs" / path.stem)
            assert [record.outcome.status for record in folder.records() if record.outcome] == ["complete"] * 3
            logged = 0 if fault == "slow" else 3
            assert sync(folder, capsys).endswith(f"{logged} trials logged, {3 - logged} already there")
            before, ids = assert_holds(server.store, folder, server.address), run_ids(server.store, folder)
            assert sync(folder, capsys).endswith("0 trials logged, 3 already there")
            assert assert_holds(server.store, folder, server.address) == before
            assert run_ids(server.store, folder) == ids


def test_a_study_in_front_of_a_store_that_hangs_ends_as_ever_and_no_secret_is_written(
    server: MlflowServer, proxy: FaultProxy, write_study: StudyWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_study(ONE_EPOCH, "hung.yaml").parent
    storage = f"sqlite:///file:{path}/optuna.db?uri=true&password=hunter3&passwd=hunter4&sig=hunter5%20x"
    proxy.switch("hang")
    command = [sys.executable, "-c", RUN, "run", "hung.yaml", "--scale", "full", "--slots", "1", "--storage", storage]
    environment = {**os.environ, "MLFLOW_HTTP_REQUEST_TIMEOUT": "600"}
    done = subprocess.run(command, cwd=path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "the tracker gives no sign for 1 seconds" in done.stderr
    # The first request has no answer yet: nobody has waited for it, neither the trials nor the end of the process.
    assert len(proxy.requests) == 1
    folder = RunFolder(path / "runs" / "hung")
    assert [record.outcome.status for record in folder.records() if record.outcome] == ["complete"] * 3
    proxy.switch("none")
    capsys.readouterr()
    sync_study(folder.path, folder.path.parent, None, storage)
    said = capsys.readouterr()
    assert said.err.endswith("3 trials logged, 0 already there\n")
    assert f"http://***@127.0.0.1:{proxy.port}" in said.err
    assert_holds(server.store, folder, server.address)
    written = [file.read_bytes() for place in (path, server.folder) for file in place.rglob("*") if file.is_file()]
    texts = b"".join([*written, done.stdout.encode(), done.stderr.encode(), said.out.encode(), said.err.encode()])
    assert len(written) > 40
    secrets = (PASSWORD, "hunter3", "hunter4", "hunter5", base64.b64encode(f"user:{PASSWORD}".encode()).decode())
    assert not [secret for secret in secrets if secret.encode() in texts]
