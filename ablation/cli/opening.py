"""Opening a page in the browser of whoever sits at the terminal."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""One of these says on Linux that there is a screen, or which browser to take without one."""


def open_page(path: Path) -> bool:
    """Open a page, and say whether that was done; without a terminal or a screen nothing is tried.

    On a machine without a screen Python would start a browser of the terminal, which takes it over.
    """
    if not sys.stderr.isatty() or not _has_screen():
        return False
    try:
        return webbrowser.open(path.absolute().as_uri())
    except webbrowser.Error:
        return False


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in _SCREENS)
