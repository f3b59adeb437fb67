"""Writing the page: one self-contained HTML file that works from disk, offline, and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from ablation.report.assembly import sections
from ablation.report.drawing import Drawing
from ablation.report.page import Page
from ablation.report.palette import DARK, NAMES, dark_colours
from ablation.report.top import banner, said, state, tally
from ablation.visible import visible

_HERE = Path(__file__).parent


def write(page: Page, path: Path) -> None:
    """Write the page to `path`."""
    save(render(page), path)


def save(html: str, path: Path) -> None:
    """Write a page, all of it or nothing: a reader never meets half a report."""
    data = html.encode("utf-8", "replace")  # a path may hold bytes that are no text
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def render(page: Page) -> str:
    """The page as HTML."""
    return filled(
        "page.html",
        page=page,
        created=readable(page.created),
        state=state(page),
        banner=banner(page),
        findings=said(page),
        tally=tally(page),
        sections=sections(page),
    )


def filled(template: str, **values: object) -> str:
    """A page from its template, with what all pages share: styles, colours and scripts.

    Everything from outside is escaped: by Jinja in the text, by `label` and `plain` in figures.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing_json"] = drawing_json
    scripts = {"plotly": get_plotlyjs(), "own": (_HERE / "page.js").read_text("utf-8")}
    return environment.get_template(template).render(
        scripts=scripts,
        hashes=[_hash(script) for script in scripts.values()],
        style=(_HERE / "page.css").read_text("utf-8"),
        light=NAMES,
        dark={name: DARK[colour] for name, colour in NAMES.items()},
        dark_colours=script_json(dark_colours()),
        **values,
    )


def drawing_json(drawing: Drawing) -> str:
    """A figure and what changes in it on a narrow screen, for the page's script."""
    return script_json({"figure": json.loads(drawing.figure.to_json()), "narrow": dict(drawing.narrow)})


def script_json(value: object) -> str:
    """JSON that may stand in a script element: with no `<`, it can neither end the element nor open a comment."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def _seen(value: object) -> object:
    """Text with nothing unseen in it, before it is escaped; what was marked as safe is no plain text."""
    return visible(value, keep="\n\t") if type(value) is str else value


def _hash(script: str) -> str:
    """What the content security policy calls a script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def readable(created: str) -> str:
    """`23 November 2026, 01:27 UTC`; a text that is no ISO time stays as it is."""
    try:
        time = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{time.day} {time:%B %Y, %H:%M %Z}".strip()
