"""Streams of random numbers, keyed by seed block and purpose and never by arm.

Two arms of one block thus share the split, the order, the initialisation and every augmentation draw: these add no
noise to the difference between them.
"""

from __future__ import annotations

import hashlib


def seed_of(block: int, purpose: str, *key: int) -> int:
    """The seed (0 to 2^63 - 1) of the stream for one purpose in one seed block; `key` tells epochs or repeats apart."""
    text = "/".join([str(block), purpose, *map(str, key)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
