"""A study that is really trained, once, and models exported from it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from commands import Done, ablate
from exported import DIGITS

from ablation.run_folder import RunFolder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the study `digits.yaml`, run to its end: of each arm the best trial has weights."""
    place = tmp_path_factory.mktemp("trained")
    (place / "digits.yaml").write_text(DIGITS)
    assert ablate("run", "digits.yaml", "--no-tracking", cwd=place).returncode == 0
    return place


@pytest.fixture(scope="session")
def digits(trained: Path) -> RunFolder:
    return RunFolder(trained / "runs" / "digits")


Export = Callable[..., tuple[Done, Path]]


@pytest.fixture(scope="session")
def models(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The model of the best trial in a format, to be read and not altered."""

    @cache
    def model(to: str) -> Path:
        out = tmp_path_factory.mktemp(to)
        done = ablate("export", "digits.yaml", "best", "--to", to, "--out", str(out), cwd=trained)
        assert done.returncode == 0, done.stderr
        return out / f"model.{to}"

    return model


@pytest.fixture
def export(trained: Path, tmp_path: Path) -> Export:
    """Export a trial of the study to a folder of the test's own: how the command ended, and where the model lies."""

    def run(to: str, trial: str = "best", *more: str) -> tuple[Done, Path]:
        out = tmp_path / "out"
        done = ablate("export", "digits.yaml", trial, "--to", to, "--out", str(out), *more, cwd=trained)
        return done, out / f"model.{to}"

    return run
