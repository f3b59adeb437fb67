"""The command, run in the process of the tests."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from ablation.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended, and the folder that it was about."""

    code: int
    stdout: str
    stderr: str
    folder: Path


def ablate(folder: Path, *arguments: str) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            sys.argv = ["ablate", *arguments]
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.argv = before
    return Done(code, out.getvalue(), err.getvalue(), folder)
