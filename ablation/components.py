"""Components by kind and name: the name of a file is the name of its component; there is no list to edit.

    names("model")                       ("convnext", "densenet", "mlp", ...)
    describe("model", "resnet")          its description and choices, read from the source: nothing is imported
    complete("model", Part(...))         the part checked, defaults filled in
    load("model", "mylab.nets.tiny")     the `build` of any module on sys.path or in the working directory

Imports torch only when `load` imports a component that does.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from ablation import wording
from ablation.code_sums import module_sum, package_sum
from ablation.errors import AblationError, ComponentError, DataError, InputError
from ablation.failures import failure_of
from ablation.settings import MetricPart, Part, Settings
from ablation.signatures import Parameter, find_build, read_flag, read_signature

if TYPE_CHECKING:
    from ablation.splits import Extent, Splits  # numpy with it

Kind = Literal["dataset", "model", "preprocessing", "augmentation", "optimizer", "schedule", "metric", "trainer"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FOLDERS: dict[Kind, str] = {
    "dataset": "datasets",
    "model": "models",
    "preprocessing": "preprocessing",
    "augmentation": "augmentations",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "metric": "metrics",
    "trainer": "trainers",
}


@dataclass(frozen=True, slots=True)
class Component:
    """What is known of a component without importing it."""

    kind: Kind
    name: str
    description: str
    choices: tuple[Parameter, ...]


def names(kind: Kind) -> tuple[str, ...]:
    """The components of a kind that come with the package, in alphabetical order."""
    files = sorted((Path(__file__).parent / _FOLDERS[kind]).glob("*.py"))
    return tuple(file.stem for file in files if find_build(ast.parse(file.read_text("utf-8"))) is not None)


@cache
def describe(kind: Kind, name: str) -> Component:
    """Read a component's description and choices from its source.

    Raises ComponentError where there is no such component, InputError where its `build` cannot be read.
    """
    file = _file_of(kind, name)
    signature = read_signature(file.read_text("utf-8"), str(file))
    return Component(kind, name, signature.description, signature.choices)


def complete(kind: Kind, part: Part) -> Part:
    """Check a part's choices against the signature and fill in the defaults.

    Raises ComponentError with every problem; their paths start inside the part: `("name",)`, `("depth",)`.
    """
    checker = _checker(kind, part.name)
    try:
        checked = checker.model_validate(part.choices)
    except ValidationError as error:
        allowed = [choice.name for choice in describe(kind, part.name).choices]
        raise ComponentError(_problems(part.name, error, allowed)) from None
    return Part(name=part.name, choices=checked.model_dump(mode="json"))


def complete_settings(settings: Settings) -> Settings:
    """Complete every component. Raises ComponentError with the problems of the first that has any."""
    recipe = settings.recipe
    return settings.model_copy(
        update={
            "dataset": complete("dataset", settings.dataset),
            "model": complete("model", settings.model),
            "preprocessing": tuple(complete("preprocessing", part) for part in settings.preprocessing),
            "augmentations": tuple(complete("augmentation", part) for part in settings.augmentations),
            "recipe": recipe.model_copy(
                update={
                    "optimizer": complete("optimizer", recipe.optimizer),
                    "schedule": complete("schedule", recipe.schedule),
                    "trainer": complete("trainer", recipe.trainer) if recipe.trainer is not None else None,
                }
            ),
        }
    )


def complete_metric(part: Part) -> MetricPart:
    """A metric completed, with what its file says is good of it. Raises as `complete` does."""
    completed, file = complete("metric", part), _file_of("metric", part.name)
    better = read_flag(file.read_text("utf-8"), str(file), "HIGHER_IS_BETTER")
    return MetricPart(name=completed.name, choices=completed.choices, higher_is_better=better)


def load(kind: Kind, name: str) -> Callable[..., Any]:
    """Import a component and return its `build`.

    A dotted name may lie in the working directory, which is put at the end of `sys.path` for it. Raises ComponentError
    where there is no such component, InputError where importing it fails.
    """
    describe(kind, name)
    module = name if "." in name else f"ablation.{_FOLDERS[kind]}.{name}"
    if "." in name and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        build: Callable[..., Any] = importlib.import_module(module).build
    except ImportError as error:
        raise InputError(f"The {kind} {name} cannot be imported: {error}.") from error
    return build


def extent_of(part: Part) -> Extent | None:
    """How much a data set of the package holds, where its file has a function `extent` that knows it without files."""
    module = sys.modules[load("dataset", part.name).__module__]
    known: Callable[..., Extent] | None = getattr(module, "extent", None)
    return known(**part.choices) if known else None


def open_data(part: Part, root: Path) -> Splits:
    """The data set of this name; whatever its files make its component stumble over is said to be the data's.

    Raises:
        AblationError: it is missing, damaged, or not what its component takes it for.
    """
    build = load("dataset", part.name)
    try:
        splits: Splits = build(root, **part.choices)
    except AblationError:
        raise
    except Exception as error:
        if failure_of(error).cause != "bug":  # memory, disk and time are not the data's
            raise
        raise DataError(f"data set {part.name} cannot be read: {type(error).__name__}: {error}.") from error
    return splits


def package_code() -> str:
    """The sum of the package's source without its components."""
    return package_sum(frozenset(_FOLDERS.values()))


def code_of(settings: Settings, metrics: Sequence[Part] = ()) -> dict[str, str]:
    """The sum of each component's source, by its dotted name, or by kind and name where it is one of the package."""
    kinds: list[tuple[Kind, Part]] = [("dataset", settings.dataset), ("model", settings.model)]
    kinds += [("preprocessing", part) for part in settings.preprocessing]
    kinds += [("augmentation", part) for part in settings.augmentations]
    kinds += [("optimizer", settings.recipe.optimizer), ("schedule", settings.recipe.schedule)]
    kinds += [("trainer", settings.recipe.trainer)] if settings.recipe.trainer is not None else []
    kinds += [("metric", part) for part in metrics]
    return dict(_code(kind, part.name) for kind, part in kinds)


@cache
def _code(kind: Kind, name: str) -> tuple[str, str]:
    if "." in name:
        return name, module_sum(name, _file_of(kind, name), name.partition(".")[0])
    folder = f"ablation.{_FOLDERS[kind]}"
    return f"{kind} {name}", module_sum(f"{folder}.{name}", _file_of(kind, name), folder)


def own_place(error: BaseException, parts: Iterable[Part]) -> str:
    """The last `file:line` of somebody's own code that an exception came through; empty where it came through none.

    Own code are the packages that components with dotted names lie in.
    """
    files = {part.name: _module_file(part.name) for part in parts if "." in part.name}
    folders = [file.resolve().parents[name.count(".") - 1] for name, file in files.items() if file is not None]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).resolve().is_relative_to(folder) for folder in folders):
            return f"{frame.filename}:{frame.lineno}"
    return ""


def _file_of(kind: Kind, name: str) -> Path:
    """The source of a component, found without importing a parent package."""
    if "." not in name:
        file = Path(__file__).parent / _FOLDERS[kind] / f"{name}.py"
        if name not in names(kind):
            message = f"there is no {kind} {wording.shown(name)}.{wording.meant(name, names(kind))}"
            raise ComponentError([(("name",), f"{message} For one of your own write its dotted name: mylab.{name}.")])
        return file
    origin = _module_file(name) if all(segment.isidentifier() for segment in name.split(".")) else None
    if origin is None:
        message = f"there is no module {wording.shown(name)} on Python's path or in the working directory"
        raise ComponentError([(("name",), f"{message}. Components of the package: {wording.listed(names(kind))}.")])
    return origin


def _module_file(name: str) -> Path | None:
    """The file of a dotted module: only the finders of its first package are asked, the rest is looked up by path."""
    top, *inner = name.split(".")
    if top == "__main__":
        return None
    spec = importlib.util.find_spec(top) or PathFinder.find_spec(top, [str(Path.cwd())])
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        stem = Path(folder, *inner)
        for file in (stem.with_suffix(".py"), stem / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def _checker(kind: Kind, name: str) -> type[BaseModel]:
    """A pydantic model with one field for each choice: strict, so that neither "0.9" nor true passes for a number."""
    fields: dict[str, Any] = {
        choice.name: (choice.type, ... if choice.required else choice.default)
        for choice in describe(kind, name).choices
    }
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    return create_model(f"{kind} {name}", __config__=config, **fields)


def _problems(name: str, error: ValidationError, allowed: Sequence[str]) -> list[tuple[wording.Path, str]]:
    problems: dict[wording.Path, str] = {}
    for detail in error.errors():
        path, choice = detail["loc"][:1], str(detail["loc"][0])
        if detail["type"] == "extra_forbidden":
            message = f"{name} has no choice {wording.shown(choice)}.{wording.meant(choice, allowed)}"
        elif detail["type"] == "missing":
            message = f"{name} needs the choice {choice}."
            path = ("name",)
        else:
            message = f"{choice} {wording.explained(detail)}."
        problems[path] = f"{problems[path][:-1]}, or {message}" if path in problems else message
    return list(problems.items())
