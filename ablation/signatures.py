"""What a component's source says about it, read without importing it: `ablate components` needs no torch.

The signature of `build` is the schema: its keyword-only parameters are the choices a study file may make. Annotations
may use int, float, bool, str, `X | None`, `Literal[...]`, `list[...]`, `dict[str, ...]`, `Annotated[X, Field(ge=1)]`
with literal arguments, names that the module itself assigns, and the aliases of `ablation.settings`.
"""

from __future__ import annotations

import ast
import functools
import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field

from ablation import settings
from ablation.errors import InputError

_PLAIN = {"int": int, "float": float, "bool": bool, "str": str}
_NAMES: dict[Any, str] = {int: "integer", float: "number", bool: "true or false", str: "text"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One choice of a component."""

    name: str
    type: Any
    """What pydantic checks values against."""
    default: Any
    """None where the choice is required."""
    required: bool

    @property
    def values(self) -> str:
        """What it may be, in words: `integer >= 1`."""
        return in_words(self.type)

    def __str__(self) -> str:
        """With its default as a study file writes it: `width: integer >= 1 (default 32)`."""
        declared = f"{self.name}: {self.values}"
        return declared if self.required else f"{declared} (default {json.dumps(self.default)})"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the source of a component says."""

    description: str
    choices: tuple[Parameter, ...]


def find_build(tree: ast.Module) -> ast.FunctionDef | None:
    """The `build` at the top of a module; a file without one is no component."""
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "build"), None)


def read_signature(source: str, file: str) -> Signature:
    """Read `build` from the source of a component.

    Raises InputError, with file and line, where there is no `build` or it goes beyond the annotations above.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"{file}:{error.lineno}: {error.msg}") from None
    build = find_build(tree)
    if build is None:
        raise InputError(
            f"{file} has no function `build` at its top; the signature of `build` is a component's schema."
        )
    description = (ast.get_docstring(build) or "").partition("\n")[0]
    types = _Types(file, _assigned(tree), _from_settings(tree))
    pairs = zip(build.args.kwonlyargs, build.args.kw_defaults, strict=True)
    return Signature(description, tuple(types.parameter(argument, default) for argument, default in pairs))


def read_flag(source: str, file: str, name: str) -> bool:
    """What a component's file assigns to this name at its top: `HIGHER_IS_BETTER = True`.

    Raises InputError, with the file, where it does not, or something else than True or False.
    """
    node = _assigned(ast.parse(source)).get(name)
    if not (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
        raise InputError(f"{file} must say `{name} = True` or `{name} = False` at its top.")
    return node.value


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """The names that a module assigns at its top, with what it assigns."""
    assigned: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            assigned[node.target.id] = node.value
    return assigned


def _from_settings(tree: ast.Module) -> dict[str, str]:
    """Local names of what a module imports from `ablation.settings`."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "ablation.settings"]
    return {alias.asname or alias.name: alias.name for node in imports for alias in node.names}


@dataclass(frozen=True, slots=True)
class _Types:
    """Interprets the annotations of one module."""

    file: str
    assigned: dict[str, ast.expr]
    from_settings: dict[str, str]

    def parameter(self, argument: ast.arg, default: ast.expr | None) -> Parameter:
        if argument.arg == "name":
            raise self._refusal(argument, "a choice cannot be called `name`: that is the component's own key")
        if argument.annotation is None:
            raise self._refusal(argument, f"the choice `{argument.arg}` has no annotation")
        return Parameter(
            name=argument.arg,
            type=self.type_of(argument.annotation),
            default=None if default is None else self._literal(default),
            required=default is None,
        )

    def type_of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Name(id=name) if name in _PLAIN:
                return _PLAIN[name]
            case ast.Name(id=name) if name in self.from_settings:
                return getattr(settings, self.from_settings[name])
            case ast.Name(id=name) if name in self.assigned:
                return self.type_of(self.assigned[name])
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return functools.reduce(operator.or_, [self.type_of(left), self.type_of(right)])
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                values = self._literal(inner)
                return Literal[values]
            case ast.Subscript(value=ast.Name(id="list"), slice=inner):
                return list[self.type_of(inner)]  # type: ignore[misc]
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[ast.Name(id="str"), inner])):
                return dict[str, self.type_of(inner)]  # type: ignore[misc]
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, ast.Call() as call])):
                return Annotated[self.type_of(inner), self._field(call)]
        raise self._refusal(node, f"the annotation `{ast.unparse(node)}` is not one that a choice may have")

    def _field(self, call: ast.Call) -> Any:
        if not (isinstance(call.func, ast.Name) and call.func.id == "Field" and not call.args):
            raise self._refusal(call, "`Annotated` takes one `Field(...)` with keywords")
        return Field(**{keyword.arg: self._literal(keyword.value) for keyword in call.keywords if keyword.arg})

    def _literal(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in self.assigned:
            return self._literal(self.assigned[node.id])
        try:
            value = ast.literal_eval(node)
        except ValueError:
            raise self._refusal(node, f"`{ast.unparse(node)}` is not a literal value") from None
        return value

    def _refusal(self, node: ast.expr | ast.arg, message: str) -> InputError:
        return InputError(f"{self.file}:{node.lineno}: {message}. See the header of ablation/signatures.py.")


def in_words(kind: Any, limits: Sequence[Any] = ()) -> str:
    """A type as a person says it, with limits that stand beside it: `integer >= 1`."""
    return f"{_kind_in_words(kind)}{_bounds(limits)}"


def _kind_in_words(kind: Any) -> str:
    inner = get_args(kind)
    match get_origin(kind):
        case None if isinstance(kind, type) and issubclass(kind, BaseModel):
            return "mapping"
        case None:
            return _NAMES.get(kind, "null")
        case origin if origin is Annotated:
            return in_words(inner[0], [limit for field in inner[1:] for limit in getattr(field, "metadata", ())])
        case origin if origin is Literal:
            *most, last = [value if isinstance(value, str) else json.dumps(value) for value in inner]
            return f"{', '.join(most)} or {last}" if most else last
        case origin if origin is list:
            return f"list of {in_words(inner[0])}"
        case origin if origin is dict:
            return f"mapping of names to {in_words(inner[1])}"
    return " or ".join(map(in_words, inner))


def _bounds(limits: Sequence[Any]) -> str:
    """` >= 1`, ` in [0, 1)`."""
    signs: dict[str, str] = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    found = {name: getattr(limit, name) for limit in limits for name in signs if hasattr(limit, name)}
    low, high = found.keys() & {"ge", "gt"}, found.keys() & {"le", "lt"}
    if low and high:
        (above,), (below,) = low, high
        ends = "[" if above == "ge" else "(", "]" if below == "le" else ")"
        return f" in {ends[0]}{found[above]:g}, {found[below]:g}{ends[1]}"
    return "".join(f" {signs[name]} {value:g}" for name, value in found.items())
