"""Images in one folder a class, as torchvision's ImageFolder takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ablation.errors import InputError
from ablation.sources.encoded import Encoded, Frame, decode_all
from ablation.splits import LabelledImages

_OF_WINDOWS = {"thumbs.db", "desktop.ini"}
"""What a file manager leaves behind beside images."""


def class_names(folder: Path) -> tuple[str, ...]:
    """The folders of a folder in alphabetical order, hidden ones left out. InputError where a name is no text."""
    names = tuple(path.name for path in _visible(folder) if path.is_dir())
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise InputError(f"{folder}: the name of the folder {name!r} is not UTF-8; rename it") from None
    return names


def find_images(folder: Path, classes: Sequence[str]) -> tuple[Path, ...]:
    """The files in `folder/<class>` and the folders below it, in the order of classes and names; no hidden ones.

    InputError where a folder of a class is missing or another one stands there.
    """
    found = set(class_names(folder)) if folder.is_dir() else set()
    strange, missing = sorted(found - set(classes)), sorted(set(classes) - found)
    if strange or missing:
        wrong = f"{strange[0]!r} is none of them" if strange else f"{missing[0]!r} is missing"
        raise InputError(f"{folder} is to hold one folder a class ({', '.join(classes)}); {wrong}")
    return tuple(path for name in classes for path in _below(folder / name))


def read_folders(folder: Path, paths: Sequence[Path], classes: Sequence[str], frame: Frame) -> LabelledImages:
    """Images whose class is the name of their folder in `folder`. InputError names the files that are damaged."""
    return decode_all(_files(folder, paths, classes), len(paths), frame)


def _below(folder: Path) -> Iterator[Path]:
    """Links to folders are followed at the top alone, so that none leads round in a circle."""
    for path in _visible(folder):
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from _below(path)


def _visible(folder: Path) -> list[Path]:
    seen = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in seen if path.name.lower() not in _OF_WINDOWS)


def _files(folder: Path, paths: Sequence[Path], classes: Sequence[str]) -> Iterator[Encoded]:
    numbers = {name: number for number, name in enumerate(classes)}
    for path in paths:
        try:
            yield Encoded(str(path), path.read_bytes(), numbers[path.relative_to(folder).parts[0]])
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error}") from error
