"""A run on a real terminal: names are letters, and the only escape sequences are those of the display itself."""

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import ablate
from hostile_strings import STRINGS, controls
from small_studies import SMALL

from ablation.cli import main, terminal
from ablation.visible import visible

NAMES = (
    "[bold red]loud[/bold red]",
    "[link=file:///etc/passwd]x[/link]",
    ":bomb: [/] %d {x} <b>",
    "=1+1|’ [/b]",
)
STUDY = (
    SMALL.replace("crop: {none: {}, shifted: ", f'"{NAMES[0]}": {{none: {{}}, "{NAMES[1]}": ')
    .replace("flip: {none: {}, flipped: ", f'"{NAMES[2]}": {{none: {{}}, "{NAMES[3]}": ')
    .replace("on small glyphs?", r"on \x1b]0;title\x07 \u202eglyphs?")
    .replace("question: Do", 'question: "Do')
    .replace("glyphs?\n", 'glyphs?"\n')
    .replace("epochs: 3", "epochs: 1")
    .replace("seeds: 2", "seeds: 1")
)
ONE_TRIAL = (
    SMALL.partition("  flip:")[0].replace("epochs: 3", "epochs: 1") + "design: one-factor\nseeds: 1\nmargin: 0.05\n"
)
OWN = re.compile(r"\x1b\[(?:\?25[lh]|[0-9;]*m|2K|1A)")
"""What rich writes for a live table: the cursor hidden and shown, colours, a line cleared, the cursor one line up."""


def typed(cwd: Path, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; its exit code and all that it wrote."""
    main, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200", "NO_COLOR": ""}
    command = [sys.executable, "-m", "ablation", *arguments]
    process = subprocess.Popen(command, cwd=cwd, stdin=other, stdout=other, stderr=other, env=environment)
    os.close(other)
    written = bytearray()
    while True:
        try:
            some = os.read(main, 65536)
        except OSError:  # what reading a terminal gives that nobody holds any more
            some = b""
        if not some:
            break
        written += some
    os.close(main)
    return process.wait(), written.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_a_run_with_hostile_names_ends_and_writes_no_sequence_of_theirs(tmp_path: Path) -> None:
    (tmp_path / "hostile.yaml").write_text(STUDY)
    code, written = typed(tmp_path, "run", "hostile.yaml", "--no-tracking", "--slots", "1")
    assert code == 0, written
    assert "\x1b[?25l" in written, "no live table was drawn"
    text = OWN.sub("", written).replace("\r", "")
    assert controls(text) == []
    for name in NAMES:
        assert name in text
    planned = ablate(tmp_path, "plan", str(tmp_path / "hostile.yaml"), "--runs-dir", str(tmp_path / "runs"))
    assert controls(planned.stdout) == []
    assert r"on \x1b]0;title\x07 \u202eglyphs?" in planned.stdout
    assert all(name in planned.stdout for name in NAMES)


def test_every_way_of_printing_shows_a_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for text in STRINGS:
        terminal.say(text)
        terminal.tell(text)
        terminal.print_table(("name",), [(text,)])
        terminal.print_json(text)
        captured = capsys.readouterr()
        assert controls(captured.out + captured.err) == []
        assert captured.err == visible(text, keep="\n") + "\n"
        assert captured.out.startswith(captured.err + "name")


def test_an_encoding_that_lacks_a_character_loses_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    (tmp_path / "table.csv").write_text("没有,seed,accuracy\na,0,0.5\nb,0,0.6\n", "utf-8")
    monkeypatch.setattr(sys, "argv", ["ablate", "report", "--from", str(tmp_path / "table.csv")])
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main()
    assert rb"\u6ca1\u6709: b instead of a changes accuracy" in out.buffer.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is always text")
def test_a_path_that_is_no_text_is_told_cleanly(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\x1b[31m")
    folder = tmp_path / name
    folder.mkdir()
    for study in (folder / f"{name}.yaml", folder / "absent.yaml", folder):
        for command in ("plan", "status", "report", "run"):
            done = ablate(folder, command, str(study), "--runs-dir", str(folder))
            assert done.code == 2, done.stderr
            assert controls(done.stdout + done.stderr) == []
            assert r"\udcff\x1b[31m" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is always text")
def test_a_study_below_such_a_path_runs(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "small.yaml").write_text(ONE_TRIAL)
    runs = str(folder / "runs")
    done = ablate(folder, "run", str(folder / "small.yaml"), "--runs-dir", runs, "--no-tracking", "--slots", "1")
    assert done.code == 0, done.stderr
    assert r"\udcff/small.yaml" in (folder / "runs/small/report.html").read_text("utf-8")
