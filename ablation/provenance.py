"""Where a result comes from: versions of the packages that shape it, and the state of the code."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("ablation-harness", "torch", "numpy", "optuna", "mlflow")
WHERE_IMPORTED = ("torchvision", "timm")
"""Packages that only some components bring."""


def versions() -> dict[str, str]:
    """Python and the packages that training runs on, by name."""
    found = {"python": platform.python_version(), **{package: _version(package) for package in PACKAGES}}
    return found | {package: _version(package) for package in WHERE_IMPORTED if package in sys.modules}


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def git_state(folder: Path) -> tuple[str, bool]:
    """The commit of the checkout and whether tracked files differ from it; ("", False) outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    return commit, bool(commit and _git(folder, "status", "--porcelain", "--untracked-files=no"))


def _git(folder: Path, *arguments: str) -> str:
    # A checkout that came from somebody may name a program to run on every `git status`.
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
