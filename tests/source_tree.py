"""The package as source: every module parsed, with what it imports. Nothing of it is imported for this."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ablation"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full name; lazy ones stand inside a function, typing ones under TYPE_CHECKING."""

    target: str
    line: int
    lazy: bool
    typing: bool


@dataclass(frozen=True)
class Module:
    """One file of the package; `name` is the dotted name under `ablation`, empty for `ablation` itself."""

    path: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def unit(self) -> str:
        """The file or folder at the top of the package that the module belongs to."""
        return self.name.partition(".")[0]

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, lazy=False, typing=False))

    def at(self, node: ast.AST) -> str:
        """`file:line` of a node."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def _imports(node: ast.AST, lazy: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, lazy, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                # A name may be a module of the package that it is imported from: `from ablation import designs`.
                yield Import(f"{child.module}.{alias.name}", child.lineno, lazy, typing)
        else:
            inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            checking = typing or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
            yield from _imports(child, inside, checking)


MODULES = tuple(Module(path) for path in sorted(PACKAGE.rglob("*.py")))
BY_NAME = {module.name: module for module in MODULES}


def own_imports(module: Module) -> Iterator[tuple[str, Import]]:
    """The modules of the package that a module imports, by their dotted names under `ablation`."""
    for each in module.imports:
        top, _, rest = each.target.partition(".")
        if top != "ablation":
            continue
        while rest not in BY_NAME:
            rest = rest.rpartition(".")[0]
        yield rest, each
