"""Sums of source code: whether two trials ran the same is seen without git, in a dirty checkout, and from anywhere."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

DIGITS = 16
"""Of a sha256: enough to tell states of the code apart."""


@cache
def package_sum(leave_out: frozenset[str]) -> str:
    """The source of this package, but for these folders of it. Read once a process: it runs what it began with."""
    root = Path(__file__).parent
    names = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    return _sum_of({name: path for name, path in names.items() if name.partition("/")[0] not in leave_out})


@cache
def module_sum(module: str, file: Path, within: str) -> str:
    """A module with every module of the package `within` that it imports, and that those import. Once a process."""
    depth = module.count(".") + (file.name == "__init__.py")
    place, found, waiting = file.parents[depth], dict[str, Path](), [module]
    while waiting:
        name = waiting.pop()
        path = _file_in(place, name) if f"{name}.".startswith(f"{within}.") else None
        if path is not None and name not in found:
            found[name] = path
            waiting += [name.rpartition(".")[0], *_imported(name, path)]
    return _sum_of(found)


def _sum_of(files: Mapping[str, Path]) -> str:
    total = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()[:DIGITS]


def _file_in(place: Path, module: str) -> Path | None:
    stem = place.joinpath(*module.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _imported(module: str, file: Path) -> Iterator[str]:
    """What a file may import, by dotted names; a name that a module defines comes out as a module that is not there."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # whoever imports it hears of that
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)
