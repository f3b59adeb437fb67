"""Pictures of the pages that tests have open, for people to look at."""

import os
from pathlib import Path
from typing import Any


def keep(page: Any, name: str) -> None:
    """Save the whole page, where `ABLATE_SCREENSHOTS` names a folder for it."""
    if folder := os.environ.get("ABLATE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name.replace(' ', '-')}.png", full_page=True)
