"""Every hostile text in every text that a study file holds: it becomes a study, or a clean error."""

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hostile_strings import PATHS, STRINGS, controls
from small_studies import SMALL

from ablation import designs, study_file
from ablation.errors import InputError
from ablation.study import Study

NAMES = SMALL.replace("flip: {none: {}, flipped: ", "NAME: {none: {}, LEVEL: ").replace(
    "design: one-factor", "design: {kind: explicit, arms: {ARM: {NAME: LEVEL}}}"
)


def written(text: str) -> str:
    """A text between double quotes, as YAML reads it again."""
    return json.dumps(text, ensure_ascii=False)


def read(path: Path, text: str) -> Study | str:
    """The study, or the error that refuses it."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return study_file.load(path, "full", (), lambda: False)
    except InputError as error:
        return str(error)


def is_clean(message: str, path: Path) -> bool:
    """Every line names the file, and nothing unseen stands in it."""
    return (
        not controls(message)
        and all(line.startswith(str(path)) for line in message.splitlines())
        and len(message) < 10_000
    )


def test_names_are_taken_as_they_are_or_refused_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    taken = 0
    for text in STRINGS:
        name = written(text)
        found = read(path, NAMES.replace("NAME", name).replace("LEVEL", name).replace("ARM", name))
        if isinstance(found, Study):
            taken += 1
            assert list(found.factors) == ["crop", text]
            assert [arm.name for arm in designs.arms(found)] == ["baseline", text]
        else:
            assert is_clean(found, path), (text, found)
    assert taken > 120


@pytest.mark.parametrize(
    ("place", "texts"),
    [
        ("question: Do shifts and flips help on small glyphs?", STRINGS),
        ("precision: float32", STRINGS),
        ("padding: 2", STRINGS),
        ("augmentations.crop:", STRINGS),
        ("seeds: 2", STRINGS),
        ("name: small", STRINGS[::12]),  # a name that is not known is held against every component's source
        ("name: synthetic", PATHS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_texts_too(place: str, texts: Sequence[str], tmp_path: Path) -> None:
    assert place in SMALL
    key, _, value = place.partition(": ")
    path = tmp_path / "texts.yaml"
    for text in texts:
        found = read(path, SMALL.replace(place, f"{key}: {written(text)}" if value else f"{written(text)}:"))
        assert isinstance(found, Study) or is_clean(found, path), (text, found)


def test_overrides_too(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    for text in STRINGS:
        for override in (text, f"{text}=1"):
            with pytest.raises(InputError) as refused:
                study_file.load(path, "full", (override,), lambda: False)
            message = str(refused.value)
            assert not controls(message), message
            assert len(message) < 15_000


def test_a_study_file_of_a_hostile_name_is_refused(tmp_path: Path) -> None:
    for text in STRINGS:
        path = tmp_path / f"{text}.yaml"
        with contextlib.suppress(OSError, ValueError):  # no file can have this name
            path.write_text(SMALL)
            refused = read_name(path)
            assert refused or re.fullmatch(r"[A-Za-z0-9][\w.-]*", path.stem, re.ASCII), text


def read_name(path: Path) -> bool:
    """Whether the file is refused for its name."""
    try:
        study_file.load(path, "full", (), lambda: False)
    except InputError as error:
        return "the name of a study becomes that of a folder" in str(error)
    return False
