"""JSON that carries its own sha256: what changed on the disk, be it a single bit, is noticed when it is read."""

from __future__ import annotations

import hashlib

_BEGIN = b'{"sha256":"'
_END = b'",'
_SUM_AT, _START = 11, 11 + 64 + 2


class BrokenSealError(ValueError):
    """The text is not the one that was sealed."""


def seal(text: str) -> str:
    """The same JSON object, not an empty one, with the sum of its text as its first member."""
    return f'{{"sha256":"{sum_of(text.encode())}",{text[1:]}'


def unseal(data: bytes) -> bytes:
    """The object that was sealed.

    Raises:
        BrokenSealError: there is no sum where it should be, or it is that of another text.
    """
    if len(data) <= _START or not data.startswith(_BEGIN):
        raise BrokenSealError("it does not begin with its sha256")
    text = b"{" + data[_START:]
    if data[_SUM_AT:_START] != sum_of(text).encode() + _END:
        raise BrokenSealError("its sha256 is not that of its content")
    return text


def sum_of(data: bytes) -> str:
    """The sha256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
