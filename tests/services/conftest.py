"""One stack of services for the tests of a file: starting it takes half a minute."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from compose_file import FILE
from local_stack import LocalStack

from ablation.cli.services import write_secrets


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Every store and server of the compose file, healthy; skips where there is no PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("stack")
    shutil.copy(FILE, folder)
    write_secrets(folder)
    stack = LocalStack(folder)
    try:
        for name in ("mlflow", "optuna-dashboard"):
            stack.start(name)
        for name in ("mlflow", "optuna-dashboard"):
            stack.wait_healthy(name)
        yield stack
    finally:
        stack.close()
