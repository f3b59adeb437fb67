"""A pt2 archive, taken apart before PyTorch reads it, and put together again of what is harmless.

`torch.export.load` unpickles what an archive says is pickled, evaluates the sizes in it as Python expressions, looks
functions up by their names, and writes code of the names that it finds: a file from somebody else can run anything.
What `ablate export` writes needs none of it. So every member and every text is compared here with what such a file
holds, all else is refused, and PyTorch is given the copy that was made of it, never the file.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ablation.errors import InputError

DESCRIPTION = "ablation.json"
"""The extra file that holds the description."""

Members = Mapping[str, bytes]
"""By their names below the archive's own folder."""

_GRAPH = "models/model.json"
_TABLES = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_TENSORS = re.compile(r"data/(?:weights/weight|constants/tensor)_\d+")
_EXTRA = f"extra/{DESCRIPTION}"
_TAKEN = ("archive_format", "archive_version", "byteorder", ".data/version", _EXTRA)
_INPUTS = "data/sample_inputs/model.pt"
"""Pickled by others; left empty here."""
_LEFT = (".data/serialization_id", _INPUTS)

_NAME = re.compile(r"[A-Za-z_][\w.]*|")
_SPECIFICATION = re.compile(
    r'(?:"(?:type|context|children_spec|builtins\.(?:tuple|list|dict)|null|\[\])"|null|[\[\]{},:\s\d])*'
)
_OPERATOR = re.compile(r"torch\.ops\.aten\.\w+\.\w+|_operator\.(?:add|sub|mul|floordiv|mod|getitem|eq|ne|lt|le|gt|ge)")
_SYMBOL = re.compile(r"'[su]\d+'")
_IN_SIZES = frozenset(
    {"Symbol", "Integer", "True", "positive", "nonnegative", "integer"}
    | {"Add", "Mul", "Pow", "Mod", "PythonMod", "FloorDiv", "CeilDiv", "Max", "Min"}
)
"""What an expression of a size may name: a symbol with its properties, and functions of whole numbers."""


class StrangeError(Exception):
    """What an archive holds that is more than a graph of known operations with its tensors."""


def harmless(file: Path | io.BytesIO) -> Members:
    """What an archive holds, where all of it is known to be harmless.

    Raises:
        StrangeError: something in it is not.
        InputError: it is no such archive.
    """
    try:
        members = dict(_members(file))
        for name in (_GRAPH, *_TABLES):
            members[name] = json.dumps(_checked(name, json.loads(members[name]))).encode()
    except (OSError, zipfile.BadZipFile, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{file} cannot be read as pt2: {error or type(error).__name__}") from error
    return members


def text_of(members: Members) -> str:
    """The description in it, empty where it has none."""
    return members.get(_EXTRA, b"").decode("utf-8", errors="replace")


def packed(members: Members) -> io.BytesIO:
    """An archive of these members, as PyTorch reads one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**members, _INPUTS: b""}.items():
            archive.writestr(f"archive/{name}", data)
    content.seek(0)
    return content


def _members(file: Path | io.BytesIO) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename.partition("/")[2] for entry in entries]
        if len(set(names)) < len(names):
            raise StrangeError("two members of one name")
        for name, entry in zip(names, entries, strict=True):
            if entry.compress_type != zipfile.ZIP_STORED:
                raise StrangeError(f"a compressed member, {name}")
            if name in (_GRAPH, *_TABLES, *_TAKEN) or _TENSORS.fullmatch(name):
                yield name, archive.read(entry)
            elif name not in _LEFT:
                raise StrangeError(f"a member {name or entry.filename}")


def _checked(name: str, value: Any) -> Any:
    """The same without the notes that a graph carries of its making."""
    if name in _TABLES:
        folder = name.rpartition("/")[0]
        for entry in value["config"].values():
            if entry["use_pickle"] is not False or not _TENSORS.fullmatch(f"{folder}/{entry['path_name']}"):
                raise StrangeError("tensors that are pickled")
    else:
        for node in value["graph_module"]["graph"]["nodes"]:
            node["metadata"] = {}
    for key, text in _texts(value):
        if not _is_harmless(key, text):
            raise StrangeError(f"the text {text[:60]!r}")
    return value


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON value with the key that it stands under; keys are texts themselves."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield "", name
            yield from _texts(inner, name)


def _is_harmless(key: str, text: str) -> bool:
    match key:
        case "expr_str":
            return _is_size(text)
        case "target":
            return _OPERATOR.fullmatch(text) is not None
        case "in_spec" | "out_spec":
            return _SPECIFICATION.fullmatch(text) is not None
        case "torch_version":
            return re.fullmatch(r"[\w.+]*", text) is not None
        case "as_operator" | "as_custom_obj":
            return False
        case _:
            return _NAME.fullmatch(text) is not None


def _is_size(text: str) -> bool:
    """Whether an expression is made of whole numbers, symbols and a few functions over them."""
    rest = _SYMBOL.sub("", text)
    names = re.findall(r"[A-Za-z_]\w*", rest)
    return _IN_SIZES.issuperset(names) and re.fullmatch(r"[\w\s(),=*+\-]*", rest) is not None
