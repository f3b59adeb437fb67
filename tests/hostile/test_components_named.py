"""Code from outside the package: read but not imported by a plan, named by a run before any of it is imported."""

import contextlib
import sys
from pathlib import Path

import pytest
from command import Done, ablate
from small_studies import SEARCH, SMALL

from ablation.cli.outsiders import outsiders
from ablation.study_file import load

MARK = "import pathlib; pathlib.Path(__file__).with_suffix('.imported').touch()\n"
MODEL = (
    MARK
    + '''
def build(num_classes, in_channels, *, width: int = 4):
    """A model from outside."""
    raise RuntimeError("built")
'''
)
DATASET = (
    MARK
    + '''
def build(root, *, train_size: int = 96):
    """A data set from outside."""
    raise RuntimeError("built")
'''
)
AUGMENTATION = (
    MARK
    + '''
def build():
    """An augmentation from outside."""
    raise RuntimeError("built")
'''
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with three components that leave a mark where they are imported, in a package that does too."""
    package = tmp_path / "foreign"
    package.mkdir()
    for name, source in {"__init__": MARK, "net": MODEL, "data": DATASET, "noise": AUGMENTATION}.items():
        (package / f"{name}.py").write_text(source)
    return tmp_path


def imported(place: Path) -> list[str]:
    return sorted(path.stem for path in (place / "foreign").glob("*.imported"))


def command(place: Path, text: str, *arguments: str) -> Done:
    (place / "study.yaml").write_text(text)
    path = list(sys.path)
    with contextlib.chdir(place):
        done = ablate(place, *arguments)
    sys.path[:] = path
    return done


NET = SMALL.replace("name: small, width: 4", "name: foreign.net")
DATA = SMALL.replace("name: synthetic, train_size: 96, test_size: 96, num_classes: 3", "name: foreign.data")
NOISE = SMALL.replace("{augmentations.flip: {}}", "{augmentations.foreign.noise: {}}")


@pytest.mark.parametrize("text", [NET, DATA, NOISE], ids=["model", "dataset", "augmentation"])
def test_a_plan_imports_nothing_from_outside(text: str, place: Path) -> None:
    done = command(place, text, "plan", "study.yaml")
    assert "runs code from outside" not in done.stderr
    assert done.code == 0, done.stderr
    assert imported(place) == []


@pytest.mark.parametrize(("text", "name"), [(NET, "net"), (DATA, "data"), (NOISE, "noise")])
def test_a_run_names_what_comes_from_outside_before_it_is_imported(
    text: str, name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("ablation.cli.outsiders.say", lambda line: said.append((line, imported(place))))
    monkeypatch.setattr("ablation.cli.running.run._prepare_data", lambda *_: sys.exit(9))
    done = command(place, text, "run", "study.yaml", "--no-tracking")
    assert done.code == 9, done.stderr
    assert said == [(f"runs code from outside the package: foreign.{name}", [])]


def test_outsiders_of_a_search_are_found_wherever_they_stand(place: Path) -> None:
    text = SEARCH.replace("sampler: tpe", "sampler: optuna.samplers.QMCSampler").replace(
        "{augmentations.flip: {}}", "{model: {name: foreign.net}}"
    )
    (place / "study.yaml").write_text(text)
    with contextlib.chdir(place):
        study = load(Path("study.yaml"), "full", (), lambda: False)
        assert outsiders(study) == ("foreign.net", "optuna.samplers.QMCSampler")
    assert imported(place) == []


NO_COMPONENTS = (
    *("os", "os.system", "subprocess.run", "builtins.eval", "sys.path", "pathlib", "__main__.x", "a.b.c"),
    *("..net", ".net", "foreign.", "foreign..net", "foreign/net.py", "foreign.net.build"),
)


@pytest.mark.parametrize("name", NO_COMPONENTS)
def test_a_name_that_is_no_component_is_refused_without_an_import(name: str, place: Path) -> None:
    done = command(place, SMALL.replace("name: small, width: 4", f'name: "{name}"'), "plan", "study.yaml")
    assert done.code == 2
    assert "Traceback" not in done.stderr
    assert imported(place) == []
