"""The services of docker-compose.yml at work: a study runs on them, PostgreSQL dies under it, and nothing is lost."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import ablate
from local_stack import LocalStack
from markdown import section
from mlflow import MlflowClient
from small_studies import SMALL
from source_tree import ROOT
from whole_study import assert_holds

from ablation.cli.services import SECRETS
from ablation.run_folder import RunFolder


def ask(address: str, host: str | None = None, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(address, method=method, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def mlflow(stack: LocalStack) -> str:
    return f"http://127.0.0.1:{stack.ports['mlflow']}"


@pytest.fixture(scope="module")
def dashboard(stack: LocalStack) -> str:
    return f"http://127.0.0.1:{stack.ports['optuna-dashboard']}"


def test_the_tables_are_there_and_making_them_again_changes_nothing(stack: LocalStack) -> None:
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    before = [stack.postgres.sql("-c", tables, database=name) for name in ("mlflow", "optuna")]
    assert min(map(int, before)) > 10
    assert stack.run("migrate").wait(60) == 0, stack.said("migrate")
    assert [stack.postgres.sql("-c", tables, database=name) for name in ("mlflow", "optuna")] == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:5000", "mlflow", "localhost"])
def test_servers_refuse_a_name_that_is_not_theirs(mlflow: str, dashboard: str, host: str) -> None:
    assert ask(f"{mlflow}/api/2.0/mlflow/experiments/get?experiment_id=0", host)[0] == 403
    assert ask(f"{dashboard}/api/studies", host)[0] == 403


def test_servers_answer_to_each_of_their_names(stack: LocalStack, mlflow: str, dashboard: str) -> None:
    api = f"{mlflow}/api/2.0/mlflow/experiments/get?experiment_id=0"
    for host in ("mlflow:5000", f"localhost:{stack.ports['mlflow']}", None):
        status, told = ask(api, host)
        assert status == 200
        assert json.loads(told)["experiment"]["artifact_location"].startswith("mlflow-artifacts:")
    for host in (f"localhost:{stack.ports['optuna-dashboard']}", None):
        assert ask(f"{dashboard}/api/studies", host)[0] == 200


def roles(stack: LocalStack, user: str, database: str, statement: str, secret: str) -> str:
    """What PostgreSQL answers a role that gives this secret."""
    command = [stack.postgres.programs["psql"], stack.postgres.address(database, user, "postgresql"), "-Atc", statement]
    environment = {**os.environ, "PGPASSWORD": secret}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip() + done.stderr.strip()


def test_roles_can_do_what_they_must_and_no_more(stack: LocalStack) -> None:
    owner, reader = stack.secret("ablate_password"), stack.secret("reader_password")
    assert roles(stack, "ablate", "optuna", "SHOW is_superuser", owner) == "off"
    assert roles(stack, "reader", "optuna", "SELECT count(*) >= 0 FROM studies", reader) == "t"
    assert "permission denied" in roles(stack, "reader", "optuna", "DELETE FROM studies", reader)
    assert "permission denied" in roles(stack, "reader", "optuna", "CREATE TABLE mine (one int)", reader)
    assert "permission denied" in roles(stack, "reader", "mlflow", "SELECT 1", reader)
    assert "permission denied" in roles(stack, "ablate", "postgres", "SELECT 1", owner)
    for user in ("postgres", "ablate", "reader"):
        assert "password authentication failed" in roles(stack, user, "optuna", "SELECT 1", "postgres")
    assert stack.postgres.sql("-c", "SHOW data_checksums") == "on"


@pytest.fixture(scope="module")
def studied(stack: LocalStack) -> RunFolder:
    """A study that the service `ablate` ran, with PostgreSQL killed in its middle and started again."""
    (stack.folder / "studies" / "small.yaml").write_text(SMALL)
    stack.processes["ablate"] = run = stack.run("ablate")
    folder = RunFolder(stack.folder / "runs" / "small")
    while "[1/6]" not in stack.said("ablate"):
        assert run.poll() is None, stack.said("ablate")
        time.sleep(0.02)
    stack.postgres.kill()
    assert run.wait(120) == 7, stack.said("ablate")
    said = stack.said("ablate")
    assert "does not answer" in said
    assert "run the same command again" in said
    before = {record.trial.id: record.outcome for record in folder.records() if record.outcome}
    assert 1 <= len(before) < 6
    stack.postgres.start()
    assert stack.run("ablate").wait(180) == 0, stack.said("ablate")
    after = {record.trial.id: record.outcome for record in folder.records()}
    assert len(after) == 6
    assert {trial: after[trial] for trial in before} == before
    return folder


def test_a_study_goes_on_after_postgresql_was_killed_and_nothing_is_lost(stack: LocalStack, studied: RunFolder) -> None:
    states = "SELECT state, count(*) FROM trials GROUP BY state"
    assert stack.postgres.sql("-c", states, database="optuna") == "COMPLETE|6"
    values = stack.postgres.sql("-c", "SELECT value FROM trial_values ORDER BY value", database="optuna")
    scores = sorted(
        record.outcome.test.accuracy for record in studied.records() if record.outcome and record.outcome.test
    )
    assert [float(value) for value in values.split()] == pytest.approx(scores)


def test_mlflow_holds_what_the_run_folder_holds_and_artifacts_go_through_the_server(
    stack: LocalStack, mlflow: str, studied: RunFolder, tmp_path: Path
) -> None:
    runs = assert_holds(mlflow, studied)
    assert len(runs) == 7
    client = MlflowClient(mlflow)
    experiment = client.get_experiment_by_name(studied.beginning().study.folder_name)
    assert experiment is not None
    assert experiment.artifact_location.startswith("mlflow-artifacts:/")
    (parent,) = [run for run in client.search_runs([experiment.experiment_id]) if "question" in run.data.tags]
    there = Path(client.download_artifacts(parent.info.run_id, "report/report.html", str(tmp_path)))
    assert there.read_bytes() == (studied.path / "report.html").read_bytes()
    assert list((stack.folder / "artifacts").rglob("report.html"))


def test_the_dashboard_shows_the_study_and_cannot_delete_it(
    stack: LocalStack, dashboard: str, studied: RunFolder
) -> None:
    listed = json.loads(ask(f"{dashboard}/api/studies")[1])["study_summaries"]
    assert [each["study_name"] for each in listed] == [studied.beginning().study.folder_name]
    one = f"{dashboard}/api/studies/{listed[0]['study_id']}"
    shown = json.loads(ask(one)[1])
    assert [trial["state"] for trial in shown["trials"]] == ["Complete"] * 6
    assert ask(one, method="DELETE")[0] >= 400
    assert len(json.loads(ask(one)[1])["trials"]) == 6


def documented(heading: str) -> list[str]:
    """The commands of the page about the services below a heading."""
    text = section(ROOT / "docs" / "how-to" / "run-the-services.md", heading)
    (commands,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return str(commands).splitlines()


def follow(stack: LocalStack, commands: list[str]) -> None:
    """Run documented commands in the stack's folder: in place of a container, its program and its folder here."""
    inside = re.compile(r"docker compose exec -T \w+ (\S+)")
    for command in commands:
        if re.match(r"docker compose (stop|start)", command):  # a server that is stopped has no connections
            stack.postgres.sql(
                "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('mlflow', 'optuna')"
            )
            continue
        words = inside.sub(lambda found: stack.postgres.programs.get(found[1], found[1]), command)
        words = words.replace("=/artifacts", f"={stack.folder}/artifacts")
        environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(stack.postgres.port)}
        environment["PGPASSWORD"] = stack.secret("postgres_password")
        done = subprocess.run(
            ["bash", "-euc", words], cwd=stack.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_what_is_lost_comes_back_from_the_documented_backup(
    stack: LocalStack, mlflow: str, dashboard: str, studied: RunFolder
) -> None:
    before = assert_holds(mlflow, studied)
    follow(stack, documented("## Back up"))
    stack.postgres.sql("-c", "DELETE FROM trial_values", database="optuna")
    stack.postgres.sql("-c", "DELETE FROM metrics", "-c", "DELETE FROM tags", database="mlflow")
    shutil.rmtree(stack.folder / "artifacts")
    (stack.folder / "artifacts").mkdir()
    follow(stack, documented("## Restore"))
    assert assert_holds(mlflow, studied) == before
    assert stack.postgres.sql("-c", "SELECT count(*) FROM trial_values", database="optuna") == "6"
    assert ask(f"{dashboard}/api/studies")[0] == 200
    refused = roles(stack, "reader", "mlflow", "SELECT 1", stack.secret("reader_password"))
    assert "permission denied" in refused


def test_no_secret_is_written_but_where_it_belongs(stack: LocalStack, studied: RunFolder) -> None:
    drawn = [stack.secret(name) for name in ("postgres_password", "ablate_password", "reader_password")]
    places = [path for path in stack.folder.rglob("*") if path.is_file() and path.parent.name != SECRETS]
    assert len(places) > 30
    leaked = [path for path in places if any(secret.encode() in path.read_bytes() for secret in drawn)]
    assert not leaked
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [each for each in commands if any(secret.encode() in each for secret in drawn)]


Examined = Callable[..., tuple[int, dict[str, list[tuple[str, str]]]]]


@pytest.fixture
def doctor(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Examined:
    """Runs `ablate doctor` with the environment of the service `ablate`: its exit code, and what it says of what."""

    def examine(*arguments: str, **environment: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
        for name, value in {**stack.environment("ablate"), **environment}.items():
            monkeypatch.setenv(name, value)
        done = ablate("doctor", "--json", *arguments, cwd=stack.folder)
        found: dict[str, list[tuple[str, str]]] = {}
        for check in json.loads(done.stdout)["checks"]:
            found.setdefault(check["about"], []).append((check["state"], f"{check['found']} {check['advice']}"))
        return done.returncode, found

    return examine


def test_the_doctor_finds_the_stores_well(stack: LocalStack, studied: RunFolder, doctor: Examined) -> None:
    code, found = doctor("--storage", stack.postgres.address("optuna", "ablate"))
    assert code == 0, found
    ((optuna, said),) = found["optuna"]
    assert (optuna, "schema" in said) == ("ok", True)
    ((mlflow, said),) = found["mlflow"]
    assert (mlflow, "artifacts through the server" in said) == ("ok", True)
    assert [state for state, _ in found["clock"]] == ["ok"] * 3  # the disk's, PostgreSQL's, MLflow's


def test_the_doctor_says_what_to_do_about_stores_that_are_not(stack: LocalStack, doctor: Examined) -> None:
    port = stack.ports["mlflow"]
    code, found = doctor(
        "--storage", stack.postgres.address("mlflow", "ablate"), MLFLOW_TRACKING_URI=f"http://127.0.0.2:{port}"
    )
    assert code == 5
    assert "a database of its own" in found["optuna"][0][1]
    assert "does not answer" in found["mlflow"][0][1]
    code, found = doctor(MLFLOW_TRACKING_URI=f"http://127.1:{port}")  # another name of the same place
    assert code == 5
    assert f"Start it with --allowed-hosts 127.1:{port}" in found["mlflow"][0][1]
    address = stack.postgres.address("optuna", "ablate")
    code, found = doctor("--storage", address.replace("ablate@", "ablate:hunter2@"), MLFLOW_TRACKING_URI=address)
    assert code == 5
    assert "password authentication failed" in found["optuna"][0][1]
    assert "hunter2" not in str(found)
    assert "Optuna's database" in found["mlflow"][0][1]
