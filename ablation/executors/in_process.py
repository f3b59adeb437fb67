"""Trials one after another in this process: for tests and debuggers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def open_executor() -> ThreadPoolExecutor:
    """One thread, since the driver must answer a trial while it runs."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial")
