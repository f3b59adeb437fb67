"""The documents hold: commands run, snippets load, links lead somewhere, the reference of what they write is whole."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown import PAGES, anchors, blocks, code, links, rows, section
from source_tree import ROOT

from ablation import study_file

TUTORIAL = ROOT / "docs" / "tutorial.md"
REFERENCE = ROOT / "docs" / "reference"
STARTER = yaml.safe_load((ROOT / "ablation" / "study_file" / "starter.yaml").read_text("utf-8"))
PIECES = {key: value for key, value in STARTER.items() if key not in {"evaluate_on", "scales"}}
"""What a snippet that is a piece of a study file is laid over."""
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
LARGER_SCALE = re.compile(r"--scale (?:laptop|full)\b")
NO_SCALE = re.compile(r"^(?:\w+=\S+ )*ablate (?:run|plan) \S+\.ya?ml(?!.*--scale)", re.MULTILINE)
"""Commands that take a scale and name a larger one, or none: the tests take the small one that every study has."""


def names(page: Path) -> str:
    return str(page.relative_to(ROOT))


def run_page(page: Path, folder: Path) -> None:
    """Write the files that a page shows and run its commands, in their order; each must end well."""
    if "studies/" in page.read_text("utf-8"):
        shutil.copytree(ROOT / "studies", folder / "studies")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, "utf-8")
        elif block.language == "bash" and not block.not_run:
            script = NO_SCALE.sub(r"\g<0> --scale smoke", LARGER_SCALE.sub("--scale smoke", block.text))
            command = ["bash", "-euo", "pipefail", "-c", script]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def after_tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the tutorial ends with; the how-to pages go on in copies of it."""
    folder = tmp_path_factory.mktemp("tutorial")
    run_page(TUTORIAL, folder)
    return folder


def test_the_tutorial_ends_with_a_report(after_tutorial: Path) -> None:
    assert (after_tutorial / "runs" / "study-smoke" / "report.html").exists()


RUNNABLE = [
    page
    for page in PAGES
    if page != TUTORIAL and any(not block.not_run and not block.file for block in blocks(page, "bash"))
]


@pytest.mark.parametrize("page", RUNNABLE, ids=names)
def test_the_commands_of_a_page_run(page: Path, after_tutorial: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(after_tutorial, tmp_path / "folder")
    run_page(page, folder)
    snippets_load(page, folder)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in RUNNABLE], ids=names)
def test_the_snippets_of_a_page_load(page: Path, tmp_path: Path) -> None:
    snippets_load(page, tmp_path)


def snippets_load(page: Path, folder: Path) -> None:
    """Read from `folder`, where modules of its own may lie."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number, block in enumerate(blocks(page, "yaml", "json", "python")):
            if block.language == "python":
                ast.parse(block.text)
            elif block.language == "json":
                json.loads(block.text)
            else:
                piece = yaml.safe_load(block.text)
                whole = piece if "question" in piece else PIECES | piece
                path = Path(f"snippet{number}.yaml")
                path.write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
                study_file.load(path, "full", (), lambda: False)
    finally:
        os.chdir(before)


LASTING = {("ablate", command) for command in ("ui", "up", "down")}
"""Commands that serve until they are ended, or need Docker."""


def test_only_what_cannot_run_here_is_not_run() -> None:
    """A command that this package alone could run has no excuse."""
    for page in PAGES:
        for block in blocks(page, "bash"):
            if block.not_run:
                lines = block.text.replace("\\\n", " ").splitlines()
                first_words = {tuple(shlex.split(line, comments=True)[:2]) for line in lines} - {()}
                plain = {words for words in first_words if words[0] == "ablate"} - LASTING
                excused = "CIFAR-10" in block.not_run or "cluster" in block.not_run
                assert not plain or excused, f"{names(page)}: {plain}"


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page, "bash"))], ids=names)
def test_what_is_not_run_is_at_least_a_script(page: Path) -> None:
    for block in blocks(page, "bash"):
        read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert read.returncode == 0, f"{block.text}\n{read.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if target.startswith(("https://", "http://")):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert not broken


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in links(index)}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} - {index} <= listed


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = [block.text for block in blocks(ROOT / "README.md", "bash")]
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/ablate run studies/quickstart.yaml\n",
        'python3 -m venv .venv && .venv/bin/pip install -e ".[dev]" && .venv/bin/pytest\n',
    ]


@pytest.mark.parametrize("study", STUDIES, ids=names)
def test_a_shipped_study_says_what_it_asks_costs_and_expects(study: Path) -> None:
    said = re.findall(r"^# (\w+) +\S", study.read_text("utf-8").partition("\nquestion:")[0], re.MULTILINE)
    wanted = ["Question", "Hypothesis", "Data", "Cost", "Expect"]
    assert [word for word in said if word in wanted] == wanted


def test_the_pages_name_the_shipped_studies() -> None:
    assert {f"studies/{path.name}" for path in STUDIES} <= set(links(ROOT / "README.md"))
    findings = (ROOT / "docs/findings.md").read_text("utf-8")
    assert set(re.findall(r"ablate run (studies/\w+\.yaml)", findings)) == {f"studies/{path.name}" for path in STUDIES}


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """The keys of JSON as the reference writes them. Of a list the first entry tells; names of factors are data."""
    if isinstance(value, list):
        for each in value[:1]:
            yield from keys_of(each, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}" if path else key
            if key not in {"levels", "choices"}:
                yield from keys_of(inner, f"{path}.{key}" if path else key)


@pytest.mark.parametrize(
    ("heading", "arguments"),
    [
        ("## Plan", ["plan", "study.yaml", "--scale", "smoke"]),
        ("## Status", ["status", "study.yaml"]),
        ("## Explain", ["explain", "study.yaml", "TRIAL"]),
        ("## Findings", ["report", "study.yaml"]),
        ("## Components", ["components"]),
        ("## Doctor", ["doctor"]),
        ("## Data", ["data", "digits"]),
    ],
)
def test_the_reference_has_every_key_of_the_json(heading: str, arguments: list[str], after_tutorial: Path) -> None:
    trial = min(after_tutorial.glob("runs/study-smoke/trials/*")).name
    arguments = [trial if each == "TRIAL" else each for each in arguments]
    command = [sys.executable, "-m", "ablation", *arguments, "--json"]
    done = subprocess.run(command, cwd=after_tutorial, capture_output=True, text=True, timeout=60, check=True)
    listed = [code(row[0])[0] for row in rows(section(REFERENCE / "json.md", heading))]
    assert listed == list(keys_of(json.loads(done.stdout)))


def test_the_reference_has_every_file_of_a_run_folder(after_tutorial: Path) -> None:
    folder = after_tutorial / "runs" / "study-smoke"
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    there = {f"trials/<id>/{path.name}" if path.parts[0] == "trials" else str(path) for path in files}
    listed = {name for row in rows((REFERENCE / "run-folder.md").read_text("utf-8")) for name in code(row[0])}
    sometimes = {"trials/<id>/log.txt", "trials/<id>/earlier-<n>/", "driver.json", "driver.stop", "confirmations.txt"}
    sometimes |= {"trials/<id>/attempt.json", "trials/<id>/checkpoint-<epoch>-<step>.pt", ".sha256"}
    sometimes |= {"compiled/", "<key>.json"}
    assert listed - there <= sometimes
    assert there <= listed
