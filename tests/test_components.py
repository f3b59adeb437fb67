"""Components are read from their source; what is read must be what Python would see."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from ablation import components
from ablation.components import Kind
from ablation.errors import ComponentError, InputError
from ablation.settings import Fraction, Part
from ablation.signatures import read_signature

SHIPPED = [(kind, name) for kind in components.KINDS for name in components.names(kind)]


def signature_of(parameters: str, above: str = "") -> Any:
    return read_signature(f'{above}\ndef build(x, *, {parameters}):\n    """One line.\n\n    More.\n    """', "tiny.py")


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("dataset", {"cifar10", "cifar100", "digits", "fashion_mnist", "image_folder", "mnist", "parquet", "stl10"}),
        ("model", {"convnext", "densenet", "mlp", "plain", "resnet", "small", "timm", "torchvision", "vgg", "vit"}),
        ("preprocessing", {"normalize", "whiten"}),
        ("augmentation", {"color_jitter", "crop", "cutmix", "cutout", "flip", "mixup", "randaugment"}),
        ("optimizer", {"adam", "adamw", "rmsprop", "sgd"}),
        ("schedule", {"constant", "cosine", "one_cycle", "step"}),
    ],
)
def test_names_are_the_files_that_have_a_build(kind: Kind, known: set[str]) -> None:
    assert known <= set(components.names(kind))
    for file in ("image_size", "operations"):  # files of ablation/models and ablation/augmentations that are none
        assert file not in components.names(kind)


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_what_is_read_is_what_python_sees(kind: Kind, name: str) -> None:
    component = components.describe(kind, name)
    build = components.load(kind, name)
    parameters = inspect.signature(build).parameters.values()
    choices = {each.name: each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}

    assert {choice.name: choice.default for choice in component.choices} == {
        key: None if each.default is inspect.Parameter.empty else each.default for key, each in choices.items()
    }
    assert component.description == (build.__doc__ or "").partition("\n")[0]
    assert component.description.endswith(".")


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_the_defaults_of_every_component_pass_its_own_check(kind: Kind, name: str) -> None:
    part = components.complete(kind, Part(name=name))
    assert components.complete(kind, part) == part
    assert set(part.choices) == {choice.name for choice in components.describe(kind, name).choices}


def test_describing_every_component_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ablation import components as c; "
        "[c.describe(kind, name) for kind in c.KINDS for name in c.names(kind)]; "
        "print([m for m in ('torch', 'numpy', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("parameters", "above", "expected"),
    [
        ("depth: int = 3", "", int),
        ("rate: float | None = None", "", float | None),
        ("mode: Literal['a', 'b'] = 'a'", "", Literal["a", "b"]),
        ("sizes: list[int] = [1, 2]", "", list[int]),
        ("rate: Fraction = 0.0", "from ablation.settings import Fraction", Fraction),
        ("rate: F | None = 0.0", "from ablation.settings import Fraction as F", Fraction | None),
        ("mode: Mode = 'a'", "Mode = Literal['a', 'b']", Literal["a", "b"]),
    ],
)
def test_annotations(parameters: str, above: str, expected: object) -> None:
    assert signature_of(parameters, above).choices[0].type == expected


def test_a_default_may_be_a_name_that_the_module_assigns() -> None:
    assert signature_of("milestones: list[float] = HALVES", "HALVES = [0.5, 0.75]").choices[0].default == [0.5, 0.75]


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("depth: int = 3", "depth: integer (default 3)"),
        ("width: int", "width: integer"),
        ("width: Count = 4", "width: integer >= 1 (default 4)"),
        ("share: Fraction = 0.5", "share: number in [0, 1) (default 0.5)"),
        ("turn: HalfTurn = 0.0", "turn: number in [0, 0.5] (default 0.0)"),
        ("rate: Positive | None = None", "rate: number > 0 or null (default null)"),
        ("most: Annotated[int, Field(le=9)] = 3", "most: integer <= 9 (default 3)"),
        ("mode: Literal['a', 'b', 'c'] = 'a'", 'mode: a, b or c (default "a")'),
        ("channels: Literal[1, 3] = 1", "channels: 1 or 3 (default 1)"),
        ("sizes: list[Count] = [1, 2]", "sizes: list of integer >= 1 (default [1, 2])"),
        ("flat: bool = True", "flat: true or false (default true)"),
        ("name_of: str = 'x'", 'name_of: text (default "x")'),
    ],
)
def test_a_choice_is_told_in_words(parameter: str, told: str) -> None:
    above = "from ablation.settings import Count, Fraction, HalfTurn, Positive"
    assert str(signature_of(parameter, above).choices[0]) == told


def test_bounds_are_read_from_a_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bounded_").mkdir()
    source = (
        "def build(*, share: Annotated[float, Field(ge=0, le=1, description='of all')] = 0.5):\n    '''Bounded.'''\n"
    )
    (tmp_path / "bounded_" / "field.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ComponentError, match="share must be at most 1, not 2"):
        components.complete("schedule", Part(name="bounded_.field", choices={"share": 2}))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("depth=3", "tiny.py:2: the choice `depth` has no annotation"),
        ("depth: torch.Tensor = 3", "the annotation `torch.Tensor` is not one that a choice may have"),
        ("depth: dict[int, str] = 3", "the annotation `dict[int, str]` is not one that a choice may have"),
        ("depth: int = len('abc')", "`len('abc')` is not a literal value"),
        ("depth: int = __import__('os').system('true')", "is not a literal value"),
        ("name: str = 'x'", "a choice cannot be called `name`"),
    ],
)
def test_what_a_signature_may_not_have(parameters: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        signature_of(parameters)
    assert message in str(refused.value)


def test_a_file_without_build_says_so() -> None:
    with pytest.raises(InputError, match=r"tiny\.py has no function `build`"):
        read_signature("def make(): ...", "tiny.py")


def test_a_file_that_is_no_python_names_the_line() -> None:
    with pytest.raises(InputError, match=r"tiny\.py:2:"):
        read_signature("x = 1\ndef build(:\n", "tiny.py")


def test_complete_fills_defaults_and_makes_numbers_canonical() -> None:
    part = components.complete("optimizer", Part(name="sgd", choices={"momentum": 0}))
    assert part.choices == {"momentum": 0.0, "weight_decay": 0.0005, "nesterov": False}
    assert isinstance(part.choices["momentum"], float)


@pytest.mark.parametrize(
    ("choices", "problems"),
    [
        ({"momentum": "0.9"}, [(("momentum",), 'momentum must be a number, not "0.9".')]),
        ({"momentum": True}, [(("momentum",), "momentum must be a number, not true.")]),
        ({"nesterov": 1}, [(("nesterov",), "nesterov must be true or false, not 1.")]),
        ({"momentum": 1.0}, [(("momentum",), "momentum must be below 1, not 1.0.")]),
        (
            {"momentun": 0.9, "weight_decay": -1.0},
            [
                (("weight_decay",), "weight_decay must be at least 0, not -1.0."),
                (
                    ("momentun",),
                    'sgd has no choice "momentun". Did you mean momentum? Allowed: momentum, weight_decay, nesterov.',
                ),
            ],
        ),
    ],
)
def test_complete_tells_every_problem(choices: dict[str, Any], problems: list[tuple[tuple[str, ...], str]]) -> None:
    with pytest.raises(ComponentError) as refused:
        components.complete("optimizer", Part(name="sgd", choices=choices))
    assert list(refused.value.problems) == problems


@pytest.mark.parametrize("value", [3.0, True, "3", None])
def test_a_whole_number_is_neither_float_nor_truth_nor_text(value: object) -> None:
    with pytest.raises(ComponentError, match="padding must be a whole number"):
        components.complete("augmentation", Part(name="crop", choices={"padding": value}))


@pytest.mark.parametrize(
    "name", ["resnot", "../secrets", "small.py", "", "no.such.module", ".hidden", "a..b", "os.path", "__main__.x"]
)
def test_there_is_no_such_component(name: str) -> None:
    with pytest.raises(InputError):
        components.load("model", name)


def test_a_dotted_name_is_read_without_importing_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = tmp_path / "mylab_" / "nets"
    nets.mkdir(parents=True)
    (tmp_path / "mylab_" / "__init__.py").write_text("raise RuntimeError('imported')")
    (nets / "tiny.py").write_text("def build(classes, channels, *, width: int = 4):\n    '''A tiny net.'''\n")
    monkeypatch.chdir(tmp_path)

    component = components.describe("model", "mylab_.nets.tiny")
    assert (component.description, component.choices[0].default) == ("A tiny net.", 4)
    assert components.complete("model", Part(name="mylab_.nets.tiny")).choices == {"width": 4}
    assert "mylab_" not in sys.modules


def test_a_dotted_name_is_imported_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ownlab_").mkdir()
    (tmp_path / "ownlab_" / "tiny.py").write_text("def build(*, width: int = 4):\n    '''Tiny.'''\n    return width\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert components.load("model", "ownlab_.tiny")(width=3) == 3


def test_an_import_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brokenlab_").mkdir()
    (tmp_path / "brokenlab_" / "net.py").write_text("import no_such_library\ndef build():\n    '''Broken.'''\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(InputError, match=r"The model brokenlab_\.net cannot be imported: .*no_such_library"):
        components.load("model", "brokenlab_.net")
