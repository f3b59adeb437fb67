"""`ablate ui --optuna`: the study's own Optuna storage in Optuna's dashboard."""

from __future__ import annotations

from pathlib import Path

from ablation.addresses import database_file, masked, sqlite_uri, storage_errors
from ablation.cli.locate import find_folder
from ablation.cli.terminal import say
from ablation.errors import AblationError, InputError
from ablation.run_folder import RunFolder
from ablation.sampling.dashboard import dashboard
from ablation.serving import HOST, free_port, serve


def serve_dashboard(study: Path | None, runs_dir: Path, scale: str | None, storage: str | None, port: int) -> int:
    """Show a study's Optuna storage until Ctrl-C; the exit code.

    Raises:
        AblationError: the dashboard is not installed, the port is taken, or there is no such storage.
        InputError: no study is named, and the runs directory does not hold just one.
    """
    folder = find_folder(study or _only_folder(runs_dir), runs_dir, scale)
    address = storage or sqlite_uri((folder.path / "study.db").absolute())
    with storage_errors(address):
        file = database_file(address)
    if file is not None and not file.exists():
        raise AblationError(f"There is no {file}: `ablate sync {folder.path}` makes it from the run folder.")
    port = free_port(port)
    server = dashboard(address, port)
    return serve(
        server, lambda: say(f"Optuna's dashboard over {masked(address)}: http://{HOST}:{port} (Ctrl-C ends it)")
    )


def _only_folder(runs_dir: Path) -> Path:
    found = sorted(path for path in runs_dir.glob("*") if RunFolder(path).begun())
    if len(found) == 1:
        return found[0]
    names = ", ".join(path.name for path in found) or "none yet"
    raise InputError(f"Which study? Run folders in {runs_dir}: {names}. `ablate ui STUDY --optuna` opens one.")
