"""What the benchmarks of speed share: options, interleaved repetitions, medians with their spread, printing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Figures = dict[str, object]


def options(header: str | None) -> argparse.ArgumentParser:
    """The options that every script has; its own header is its help."""
    parser = argparse.ArgumentParser(description=header, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions or a smaller study: a look, no figure")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def interleaved(
    sides: Mapping[str, Callable[[], float]], repetitions: int, warm: bool = True
) -> dict[str, list[float]]:
    """What each side returns, in turn and alternating in order: whatever else the machine does meets all of them."""
    if warm:
        for side in sides.values():
            side()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for repetition in range(repetitions):
        for name in list(sides)[:: -1 if repetition % 2 else 1]:
            taken[name].append(sides[name]())
    return taken


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def command(*arguments: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> float:
    """How long a Python command takes from its start to its end; it must end well."""
    line = [sys.executable, *map(str, arguments)]
    begun = time.perf_counter()
    ended = subprocess.run(
        line, cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - begun
    assert ended.returncode == 0, f"{line}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"
    return taken


def spread(values: Sequence[float], digits: int = 3) -> Figures:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
        "n": len(values),
    }


def ratios(above: Sequence[float], below: Sequence[float], digits: int = 2) -> Figures:
    """The ratio within each interleaved pair, summed up."""
    return spread([a / b for a, b in zip(above, below, strict=True)], digits)


def machine(device: str = "cpu") -> Figures:
    """Where the figures come from."""
    from ablation.training.devices import device_name  # with torch, which some scripts time

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "processor": device_name("cpu"),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load before": round(load, 2),
        **({} if device == "cpu" else {"device": device_name(device)}),
    }


def show(figures: Figures, as_json: bool) -> None:
    """One JSON object, or a line a figure."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name}: {_text(value)}")


def _text(value: object) -> str:
    if isinstance(value, dict) and "median" in value:
        return f"{value['median']} (of {value['n']}: {value['least']} to {value['most']})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    return str(value)
