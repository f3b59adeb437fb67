"""`ablate`: its exit codes, and errors as one message."""

from __future__ import annotations

import sys

from ablation.cli.app import app
from ablation.cli.commands import driving, exporting, finding, keeping, looking, serving
from ablation.cli.terminal import say, take_any_text
from ablation.errors import AblationError

__all__ = ["app", "driving", "exporting", "finding", "keeping", "looking", "main", "serving"]


def main() -> None:
    """Run the command line; an error is one message and its exit code."""
    take_any_text()
    try:
        app()
    except AblationError as error:
        say(f"{error.label}: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        from ablation.durable import disk_failure

        if disk_failure(error) is None:
            raise
        say(f"error: the disk gave out: {error}")
        sys.exit(AblationError.exit_code)
