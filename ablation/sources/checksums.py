"""Files that are opened only if they are the published ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ablation.errors import InputError

_KINDS = {64: "sha256", 32: "md5"}
"""The kind of a checksum by its number of hexadecimal digits."""


def read_checked(path: Path, checksum: str, *, delete: Path | None = None) -> bytes:
    """The content of a file whose sha256, or MD5 where only that is published, is `checksum`.

    InputError where it is another or cannot be read; it says to delete the file, or what `delete` names.
    """
    way_out = f"delete {delete or path} to download it again"
    kind = _KINDS[len(checksum)]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}; {way_out}") from error
    found = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
    if found != checksum:
        raise InputError(f"{path}: its {kind} is {found}, not {checksum}; {way_out}")
    return content


def sha256_of(path: Path) -> str:
    """The sha256 of a file of any size."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
