"""`ablate compare` of arms, classes and stamps in which every text is hostile."""

import json

from command import Done, ablate
from hostile_strings import controls
from hostile_study import TEXTS

NAMES = [text for text in TEXTS if not text.startswith("-")]
"""What begins with a dash is read as an option, by this command as by any other."""


def test_hostile_names_are_told_letter_by_letter(reported: Done) -> None:
    for one, two in zip(NAMES[::60], NAMES[7::60], strict=False):
        done = ablate(reported.folder, "compare", str(reported.folder), one, two)
        assert done.code == 0, done.stderr
        assert controls(done.stdout + done.stderr) == []
        assert "(no interval, 1 shared seed block)" in done.stdout


def test_a_name_that_is_not_there_is_told_letter_by_letter(reported: Done) -> None:
    done = ablate(reported.folder, "compare", str(reported.folder), "\x1b[31mcrop\u202e")
    assert done.code == 2
    assert controls(done.stdout + done.stderr) == []


def test_the_files_hold_ascii_json_and_no_formula(reported: Done, tmp_path) -> None:
    out = tmp_path / "found"
    done = ablate(reported.folder, "compare", str(reported.folder), NAMES[0], "--json", "--out", str(out))
    assert done.code == 0, done.stderr
    assert done.stdout.isascii()
    assert controls(done.stdout) == []
    assert json.loads(done.stdout)["b"]["arm"] == NAMES[0]
    assert json.loads((out / "compare.json").read_text("utf-8")) == json.loads(done.stdout)
