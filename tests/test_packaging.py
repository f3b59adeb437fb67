"""The wheel: what it holds, and that it works where nothing of the checkout is."""

import json
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from source_tree import ROOT

SOURCES = ("ablation", "pyproject.toml", "README.md", "LICENSE")
SECTIONS = ("findings", "effects", "arms", "curves", "classes", "confusion", "cost", "seeds", "incomplete", "made")


def checked(*command: str | Path, cwd: Path) -> str:
    """What a command prints on stdout; it must end well."""
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that what an earlier build left in the checkout does not get in."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", out, ".")
    checked(*build, cwd=source)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment that holds the wheel and sees the packages of this one."""
    home = tmp_path_factory.mktemp("fresh environment")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    install = ("--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    checked(sys.executable, "-m", "pip", *install, cwd=home)
    # After the install, or pip would find the checkout among them. An editable install does not come through this.
    (packages,) = home.glob("lib/python*/site-packages")
    others = Path(str(distribution("typer").locate_file("")))
    (packages / "others.pth").write_text(f"{others}\n")
    return python.parent


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "ablation").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in held if ".dist-info/" not in name} == package
    assert {Path(name).suffix for name in package} == {".py", ".html", ".css", ".js", ".yaml", ".typed"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in held)


def test_an_installed_wheel_writes_a_study_and_answers_it(installed: Path, tmp_path: Path) -> None:
    file = checked(installed / "python", "-c", "import ablation; print(ablation.__file__)", cwd=tmp_path).strip()
    assert Path(file).is_relative_to(installed.parent)

    checked(installed / "ablate", "init", cwd=tmp_path)
    said = checked(installed / "ablate", "run", "study.yaml", "--scale", "smoke", cwd=tmp_path)
    assert "shift: without instead of with changes accuracy" in said

    folder = tmp_path / "runs" / "study-smoke"
    page = (folder / "report.html").read_text("utf-8")
    assert [name for name in SECTIONS if f'<section id="{name}"' not in page] == []
    assert "shift: without instead of with" in page
    findings = json.loads((folder / "findings.json").read_text("utf-8"))["findings"]
    assert [finding["factor"] for finding in findings] == ["shift", "mirror"]
    assert len((folder / "results.csv").read_text("utf-8").splitlines()) == 1 + 6
    assert (tmp_path / "runs" / "mlflow.db").exists()


def pinned() -> dict[str, str]:
    """The versions in constraints.txt by canonical name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): str(each.specifier) for each in requirements}


def test_constraints_pin_every_direct_dependency_inside_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    direct = [Requirement(each) for each in (*project["dependencies"], *extras["onnx"], *extras["dev"])]
    versions = {name: pin.removeprefix("==") for name, pin in pinned().items()}
    assert all(pin.startswith("==") for pin in pinned().values())
    wrong = [
        str(each) for each in direct if not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"))
    ]
    assert not wrong
