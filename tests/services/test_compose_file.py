"""What docker-compose.yml promises, service by service; `test_stack.py` runs its commands."""

import importlib.resources
import json
import re
from typing import Any

import pytest
import yaml
from compose_file import FILE, OWNER, MissingError, load
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from source_tree import ROOT

import ablation
from ablation.cli.services import PROFILES, SECRET_FILES, SECRETS

COMPOSE = load()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = {name for name, service in SERVICES.items() if name != "migrate" and "profiles" not in service}
STUDIES = {"ablate", "ablate-gpu"}
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))

every_service = pytest.mark.parametrize("name", SERVICES)


def test_the_file_is_what_the_compose_specification_allows() -> None:
    """By the specification's own schema, which check-jsonschema carries and keeps up to date."""
    place = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    validator = Draft202012Validator(json.loads(place.read_text("utf-8")))
    assert not [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(COMPOSE)]
    assert [*validator.iter_errors({**COMPOSE, "services": {"one": {"imagee": "x"}}})]


def test_the_services_are_these() -> None:
    assert set(SERVICES) == {"postgres", "migrate", "mlflow", "optuna-dashboard"} | STUDIES


@every_service
def test_a_service_runs_as_the_owner_of_the_secrets_and_can_write_nothing_else(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "1000:1000"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    assert "/var/run/docker.sock" not in json.dumps(service)


def test_without_an_owner_nothing_starts_and_the_way_out_is_told() -> None:
    with pytest.raises(MissingError, match="ablate up --init"):
        load({})


@every_service
def test_a_service_has_limits_and_small_logs(name: str) -> None:
    service = SERVICES[name]
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


def test_what_lasts_is_watched_and_comes_back_and_what_ends_is_left_alone() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == LASTING
    restarts = {name: service["restart"] for name, service in SERVICES.items()}
    assert restarts == dict.fromkeys(LASTING, "unless-stopped") | {"migrate": "no"} | dict.fromkeys(
        STUDIES, "on-failure:5"
    )


def test_nobody_starts_before_what_it_needs() -> None:
    """A one-shot service that a lasting one waits for does not spoil `up --wait`."""
    needs = {name: {k: v["condition"] for k, v in s.get("depends_on", {}).items()} for name, s in SERVICES.items()}
    stores = {"postgres": "service_healthy", "migrate": "service_completed_successfully"}
    study = {"mlflow": "service_healthy", "migrate": "service_completed_successfully"}
    assert needs == {
        "postgres": {},
        "migrate": {"postgres": "service_healthy"},
        "mlflow": stores,
        "optuna-dashboard": stores,
        "ablate": study,
        "ablate-gpu": study,
    }


@every_service
def test_ports_are_those_of_the_loopback_address(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert bool(ports) == (name in {"mlflow", "optuna-dashboard"})
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_postgresql_is_reached_from_inside_alone() -> None:
    assert SERVICES["postgres"]["networks"] == ["stores"]
    assert COMPOSE["networks"]["stores"] == {"internal": True}


def test_servers_answer_to_exact_names() -> None:
    other = load({**OWNER, "MLFLOW_PORT": "5555", "DASHBOARD_PORT": "8888"})["services"]
    (hosts,) = [word for word in other["mlflow"]["command"] if word.startswith("--allowed-hosts=")]
    assert hosts == "--allowed-hosts=mlflow:5000,localhost:5555,127.0.0.1:5555"
    assert other["mlflow"]["ports"] == ["127.0.0.1:5555:5000"]
    dashboard = other["optuna-dashboard"]
    assert dashboard["environment"]["DASHBOARD_ALLOWED_HOSTS"] == "localhost:8888,127.0.0.1:8888"
    assert dashboard["ports"] == ["127.0.0.1:8888:8080"]
    assert "localhost:8888" in dashboard["healthcheck"]["test"][-1]
    assert "*" not in hosts + dashboard["environment"]["DASHBOARD_ALLOWED_HOSTS"]


def test_secrets_are_files_of_their_own_and_no_password_stands_anywhere() -> None:
    assert COMPOSE["secrets"] == {name: {"file": f"./{SECRETS}/{name}"} for name in SECRET_FILES}
    assert set(SECRET_FILES) == {secret for service in SERVICES.values() for secret in service["secrets"]}
    text = FILE.read_text("utf-8")
    assert not re.search(r"://[^/\s@]+:[^/\s@]+@", text), "an address with a password"
    named = {key for service in SERVICES.values() for key in service["environment"] if "PASS" in key}
    assert named == {"POSTGRES_PASSWORD_FILE", "PGPASSFILE"}
    for name in ("secrets/pgpass", ".env", "runs/x", "data/x"):
        assert _ignored_by_docker(name)


def _ignored_by_docker(name: str) -> bool:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    return "*" in lines and name.partition("/")[0] not in kept


@every_service
def test_nothing_is_told_to_anybody(name: str) -> None:
    environment = SERVICES[name]["environment"]
    if name != "postgres":
        assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
        assert environment["DO_NOT_TRACK"] == "1"


def test_images_are_pinned_and_ours_carry_the_package_s_version() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert images == {
        "postgres:17.10-bookworm",
        *(f"ablation-{n}:{ablation.__version__}" for n in ("stores", "cpu", "gpu")),
    }
    for file in DOCKERFILES:
        bases = re.findall(r"^FROM (\S+)", file.read_text("utf-8"), re.MULTILINE)
        assert bases == ["python:3.11.15-slim-bookworm"], file


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_an_image_installs_pinned_versions_and_ends_as_nobody(file) -> None:
    text = file.read_text("utf-8")
    installs = re.findall(r"pip install (.*)", text)
    assert installs
    assert all("-c /opt/constraints.txt" in each for each in installs)
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    for source in re.findall(r"^COPY (\S+)", text, re.MULTILINE):
        assert (ROOT / source).exists()
        assert not _ignored_by_docker(source)


def test_what_the_stores_image_installs_is_pinned() -> None:
    (install,) = re.findall(r"pip install -c \S+ (.*)", (ROOT / "docker" / "stores.Dockerfile").read_text("utf-8"))
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    for name in install.replace('"', "").split():
        assert {Requirement(name).name} | {
            f"{Requirement(name).name}-{extra}" for extra in Requirement(name).extras
        } <= pinned


def test_a_study_runs_on_a_cpu_or_on_gpus_by_profile() -> None:
    assert {name: SERVICES[name]["profiles"] for name in STUDIES} == {"ablate": ["cpu"], "ablate-gpu": ["gpu"]}
    assert PROFILES == ("cpu", "gpu")
    cpu, gpu = SERVICES["ablate"], SERVICES["ablate-gpu"]
    differs = {key for key in cpu if cpu[key] != gpu[key]}
    assert differs == {"profiles", "image", "build", "deploy"}
    reserved = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert reserved == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]
    assert gpu["deploy"]["resources"]["limits"] == cpu["deploy"]["resources"]["limits"]
    assert cpu["command"][1] == "/studies/quickstart.yaml"
    assert load({**OWNER, "ABLATE_STUDY": "augmentation.yaml"})["services"]["ablate"]["command"][1].endswith(
        "/augmentation.yaml"
    )


def test_every_volume_that_is_named_is_used() -> None:
    used = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert {name for name in used if "/" not in name} == set(COMPOSE["volumes"])
    assert yaml.safe_load(FILE.read_text("utf-8"))["name"] == "ablation"
