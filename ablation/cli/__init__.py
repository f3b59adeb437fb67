"""The command line: parses, calls, prints. `ablate --help` loads no heavy package; each command loads what it needs."""

from ablation.cli.main import main

__all__ = ["main"]
