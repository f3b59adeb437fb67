"""Small images as files hold them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

IMAGE = np.random.default_rng(3).integers(0, 256, size=(8, 8, 3), dtype=np.uint8)


def encoded(image: NDArray[np.uint8] = IMAGE, mode: str = "RGB", kind: str = "PNG", **options: Any) -> bytes:
    """An image H x W x 3 as a file of this kind."""
    out = io.BytesIO()
    Image.fromarray(image).convert(mode).save(out, kind, **options)
    return out.getvalue()


def rows(*contents: bytes | None) -> list[dict[str, bytes | str | None]]:
    """Images as rows of a column of Hugging Face."""
    return [{"bytes": content, "path": "x"} for content in contents]


def write_parquet(path: Path, columns: dict[str, Any], classes: Sequence[str] = (), label: str = "label") -> Path:
    """A Parquet file; class names stand with the schema, as Hugging Face's `datasets` writes them."""
    import json

    table = pa.table(columns)
    if classes:
        features = {label: {"names": list(classes), "_type": "ClassLabel"}, "image": {"_type": "Image"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path
