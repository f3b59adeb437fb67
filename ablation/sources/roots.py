"""Where data sets lie and where decoded images are kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_cache_path

from ablation.errors import InputError


def find_data_root(option: Path | None) -> Path:
    """The folder of the data sets, which need not exist yet: the option, else ABLATE_DATA, else `data` in the cache."""
    return _absolute(option) if option is not None else _from_environment("ABLATE_DATA") or find_cache_root() / "data"


def find_cache_root() -> Path:
    """The folder of all that can be made again: ABLATE_CACHE, else the user's cache folder. It need not exist yet."""
    return _from_environment("ABLATE_CACHE") or user_cache_path("ablation-harness", appauthor=False)


@contextlib.contextmanager
def data_at(option: Path | None) -> Iterator[None]:
    """Whoever asks for the folder of the data sets within this, and names none, is given the one found here."""
    with _set("ABLATE_DATA", str(find_data_root(option))):
        yield


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Whoever opens a data set within this takes what is there, and downloads nothing."""
    with _set("ABLATE_OFFLINE", "1"):
        yield


@contextlib.contextmanager
def _set(variable: str, text: str) -> Iterator[None]:
    before = os.environ.get(variable)
    os.environ[variable] = text
    try:
        yield
    finally:
        os.environ.pop(variable)
        if before is not None:
            os.environ[variable] = before


def _from_environment(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return _absolute(Path(text)) if text else None


def _absolute(path: Path) -> Path:
    path = path.expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give the folder that holds the data sets")
    return path
