"""Commands as a person gives them, run in this process."""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ablation.cli import main

ROOT = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """That of a process which runs this checkout from any folder, and no store but that of its own runs directory."""
    path = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))  # an empty entry would be the current directory
    given = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return given | {"PYTHONPATH": os.pathsep.join(path)}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def ablate(*arguments: str, cwd: Path) -> Done:
    """Run a command in this process, which has loaded torch already; a run still starts real workers, here one."""
    slots = ["--slots", "1"] if arguments[0] == "run" and "--slots" not in arguments else []
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            sys.argv = ["ablate", *arguments, *slots]
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
