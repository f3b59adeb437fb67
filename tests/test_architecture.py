"""Who may import whom, who owns which package, and what a light command may load."""

import json
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from markdown import code, rows, section
from packaging.requirements import Requirement
from source_tree import MODULES, ROOT, own_imports

from ablation.run_folder import Beginning, RunFolder
from ablation.study import Study

ROWS = (
    {"__main__"},
    {"cli", "loading"},
    {"study_page", "data_page"},
    {"seen_images", "data_sheets"},
    {"driver", "report", "exporting"},
    {"sampling", "executors", "tracking", "worker", "calibration", "analysis", "study_file", "changes", "confirming"}
    | {"rehearsal", "previews", "node_checks"},
    {"designs", "preparation", "watching", "attempts", "infeasible", "inbox", "keeping", "waiting"},
    {"datasets", "models", "augmentations", "preprocessing", "optimizers", "schedules"}
    | {"metrics", "components", "training", "run_folder"},
    {"libraries"},
    {
        "signatures",
        "patches",
        "sources",
        "holding",
        "failures",
        "conditions",
        "hypotheses",
        "outcome_index",
        "serving",
        "trial_files",
    },
    {
        "study",
        "trial",
        "seeding",
        "sending",
        "contracts",
        "splits",
        "findings",
        "addresses",
        "checks",
        "databases",
        "provenance",
        "durable",
        "sealed",
        "code_sums",
        "processes",
        "stopping",
    }
    | {"fractions"},
    {"settings"},
    {"errors", "wording", "faults"},
    {"visible", ""},
)
"""From the top: a file or folder may import those in the rows below its own. "" is `ablation/__init__.py`."""

OWNERS = {
    "optuna": {"sampling"},
    "optuna_dashboard": {"sampling"},
    "mlflow": {"tracking"},
    "sqlalchemy": {"addresses", "databases"},
    "plotly": {"report", "loading"},
    "jinja2": {"report"},
    "pandas": {"analysis", "loading"},
    "scipy": {"analysis", "datasets"},
    "torch": {"training", "worker", "preparation", "models", "augmentations", "preprocessing", "optimizers", "cli"}
    | {"metrics", "sending", "rehearsal", "exporting", "previews", "contracts"},
    "numpy": {"training", "worker", "analysis", "report", "datasets", "seen_images", "exporting"}
    | {"tracking", "splits", "sources", "sampling", "rehearsal", "previews", "data_page", "data_sheets"},
    "safetensors": {"exporting"},
    "onnxruntime": {"exporting"},
    "sklearn": {"datasets"},
    "pyarrow": {"sources"},
    "PIL": {"sources"},
    "yaml": {"study_file"},
    "typer": {"cli"},
    "rich": {"cli", "sources"},
    "filelock": {"holding", "sources", "training"},
    "platformdirs": {"sources"},
    "timm": {"models", "optimizers"},
    "torchvision": {"models"},
    "pydantic": {"settings", "study", "trial", "components", "signatures", "run_folder", "trial_files", "attempts"}
    | {"holding", "study_file", "exporting", "augmentations", "preprocessing", "findings", "analysis"},
    "pydantic_core": {"study_file", "wording", "settings"},
    "ray": {"executors"},
}
"""Which files or folders may import which package. A package that is not here may be imported by none."""

LATE = {"mlflow": {"tracking"}, "torch": {"cli"}, "sklearn": {"datasets"}, "scipy": {"datasets"}}
LATE |= {"pyarrow": {"sources"}}
LATE |= {"onnxruntime": {"exporting"}, "timm": {"models", "optimizers"}, "torchvision": {"models"}}
LATE |= {"optuna_dashboard": {"sampling"}}
"""Where a package may be imported inside of functions alone, since importing it costs half a second or more."""

OPTIONAL = {"onnxruntime": "onnx", "timm": "timm", "torchvision": "torchvision", "ray": "ray"}
OPTIONAL |= {"optuna_dashboard": "dashboard"}
"""The extra that has a package which only those need who ask for it."""

COMES_WITH = {"sqlalchemy": "mlflow", "pydantic_core": "pydantic"}
DISTRIBUTIONS = {"yaml": "pyyaml", "sklearn": "scikit-learn", "PIL": "pillow"}
DISTRIBUTIONS |= {"optuna_dashboard": "optuna-dashboard"}

LIGHT = """
import json, sys
from ablation.cli.main import app
try:
    app(sys.argv[2:], standalone_mode=False)
finally:
    tops = sorted({name.partition(".")[0] for name in sys.modules})
    open(sys.argv[1], "w").write(json.dumps(tops))
"""


def row_of(unit: str) -> int:
    found = [number for number, row in enumerate(ROWS) if unit in row]
    assert len(found) == 1, f"give {unit} its place in ROWS"
    return found[0]


def third_party() -> list[tuple[str, str, bool, str]]:
    """Package, importing file or folder, whether only inside functions, and the place."""
    return [
        (package, module.unit, each.lazy or each.typing, f"{module.path.relative_to(ROOT)}:{each.line}")
        for module in MODULES
        for each in module.imports
        if (package := each.target.partition(".")[0]) not in {*sys.stdlib_module_names, "ablation"}
    ]


def test_every_file_and_folder_has_one_row() -> None:
    placed = [unit for row in ROWS for unit in row]
    assert sorted(placed) == sorted({module.unit for module in MODULES})


def test_the_documented_rows_are_these() -> None:
    page = ROOT / "docs" / "explanation" / "architecture.md"
    documented = [set(code(cells[1])) for cells in rows(section(page, "## Who may import whom"))]
    assert documented == [row - {""} for row in ROWS[1:]]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name or "ablation")
def test_a_module_imports_from_lower_rows_or_from_its_own_folder(module) -> None:
    wrong = [
        f"{module.path.relative_to(ROOT)}:{each.line} imports {target}"
        for target, each in own_imports(module)
        if (unit := target.partition(".")[0]) != module.unit and row_of(unit) <= row_of(module.unit)
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module.name: {target for target, _ in own_imports(module)} - {module.name} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_a_package_is_imported_by_its_owners_alone() -> None:
    wrong = [f"{at}: {package}" for package, unit, _, at in third_party() if unit not in OWNERS.get(package, set())]
    assert not wrong


def test_every_owner_imports_what_it_owns() -> None:
    """Else the table above would allow what nobody needs."""
    imported = {(package, unit) for package, unit, _, _ in third_party()}
    assert {(package, unit) for package, units in OWNERS.items() for unit in units} == imported


def test_slow_packages_are_imported_late() -> None:
    wrong = [
        f"{at}: {package}" for package, unit, late, at in third_party() if unit in LATE.get(package, ()) and not late
    ]
    assert not wrong


def test_what_is_imported_is_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {Requirement(each).name for each in project["dependencies"]}
    imported = {package for package, *_ in third_party()} - COMES_WITH.keys()
    assert declared == {DISTRIBUTIONS.get(package, package) for package in imported - OPTIONAL.keys()}
    for package, extra in OPTIONAL.items():
        named = {Requirement(each).name for each in project["optional-dependencies"][extra]}
        assert DISTRIBUTIONS.get(package, package) in named


def loaded_by(tmp_path: Path, *arguments: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    modules = tmp_path / "modules.json"
    command = [sys.executable, "-c", LIGHT, str(modules), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(modules.read_text()))


@pytest.fixture
def begun(tmp_path: Path, small_study: Study) -> Path:
    folder = RunFolder(tmp_path / "runs" / "small")
    folder.begin(
        Beginning(
            study=small_study, digest=small_study.digest(), scale_reason="asked for", started="", source="small.yaml"
        ),
        "",
    )
    return folder.path


HEAVY = {"ray", "torch", "mlflow", "optuna", "plotly", "pandas", "scipy", "numpy", "sklearn"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["init"], ["components"], ["schema"]], ids=" ".join
)
def test_help_and_lists_load_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    assert not loaded_by(tmp_path, *arguments) & HEAVY


def test_help_loads_nothing_that_a_study_needs(tmp_path: Path) -> None:
    assert not loaded_by(tmp_path, "--help") & {*HEAVY, "pydantic", "yaml", "filelock"}


def test_status_loads_nothing_heavy(tmp_path: Path, begun: Path) -> None:
    assert not loaded_by(tmp_path, "status", str(begun)) & HEAVY


def test_report_loads_neither_torch_nor_optuna_nor_mlflow(tmp_path: Path, begun: Path) -> None:
    loaded = loaded_by(tmp_path, "report", str(begun))
    assert (begun / "report.html").exists()
    assert "plotly" in loaded
    assert not loaded & {"torch", "mlflow", "optuna"}
