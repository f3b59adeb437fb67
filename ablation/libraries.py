"""Parts of other libraries by name: looked up, made, and told about in words where they do not fit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ablation import wording
from ablation.errors import AblationError, InputError
from ablation.failures import failure_of

_NEAR = 5
"""How many names are told that were perhaps meant."""

Made = TypeVar("Made")


def missing(kind: str, library: str, error: ImportError) -> AblationError:
    """What to say where a library is not installed that a component of this kind needs."""
    hint = f"Install it: pip install 'ablation-harness[{library}]'"
    return AblationError(f"{kind} {library} needs the package {library} ({error}). {hint}")


def require_known(library: str, noun: str, name: str, known: Sequence[str]) -> None:
    """Raise InputError where the library has nothing of this name."""
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=_NEAR, cutoff=0.4)
    near = near or difflib.get_close_matches(name.lower(), known, n=_NEAR, cutoff=0.4)
    message = f"{library} has no {noun} {wording.shown(name)} among its {len(known)}"
    raise InputError(f"{message}; the nearest names: {wording.listed(near)}.")


def made(name: str, create: Callable[..., Made], given: Mapping[str, Any]) -> Made:
    """What a library makes of these arguments. Raises InputError with its own words where it cannot."""
    try:
        return create(**given)
    except Exception as error:
        if failure_of(error).is_accident:
            raise
        wanted = ", ".join(f"{key} {value}" for key, value in given.items())
        raise InputError(f"{name} cannot be made with {wanted} ({words_of(error)}).") from error


def words_of(error: Exception) -> str:
    """The first line of what an error says, with its name."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
