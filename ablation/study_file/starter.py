"""A study file to start from, with its schema beside it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from ablation.errors import AblationError, InputError
from ablation.study import FOLDER_RULE, names_folder
from ablation.study_file.schema import FILE_NAME, schema


def init(path: Path, force: bool) -> tuple[Path, ...]:
    """Write the starter study to `path` and the schema beside it, and return what was written.

    Raises InputError where that would overwrite a study, or another schema, without `force`; then nothing is written.
    """
    if path.suffix not in {".yaml", ".yml"} or not names_folder(path.stem):
        raise InputError(f"{path}: give the study a name such as study.yaml; its stem becomes a folder: {FOLDER_RULE}.")
    starter = resources.files("ablation.study_file").joinpath("starter.yaml").read_text("utf-8")
    texts = {path: starter.replace("THIS_FILE", path.name), path.with_name(FILE_NAME): schema_text()}
    if taken := [str(file) for file, text in texts.items() if not force and _holds_another(file, text)]:
        raise InputError(f"{' and '.join(taken)} would be overwritten. Give another path, or --force.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AblationError(f"{path} cannot be written: {error.strerror}. Give a path in a folder of yours.") from error
    return tuple(texts)


def schema_text() -> str:
    """The schema of study files as it is stored beside them."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _holds_another(file: Path, text: str) -> bool:
    """Whether something other than `text` stands at a path already; an equal schema may be written over."""
    if not file.exists():
        return False
    return file.name != FILE_NAME or not file.is_file() or file.read_text("utf-8") != text
