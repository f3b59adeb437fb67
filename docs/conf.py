"""The documentation as a site: `sphinx-build docs build/site`. Its pages are the Markdown files as they are."""

from __future__ import annotations

from sphinx.application import Sphinx

REPOSITORY = "https://github.com/ablation-harness/ablation-harness/blob/main"
CONTENTS = {
    "Start": ["tutorial", "findings"],
    "To get something done": ["how-to/*"],
    "To look something up": ["reference/*"],
    "To understand": ["explanation/*"],
}
"""What the sidebar lists, by globs."""

project = "ablation-harness"
extensions = ["myst_parser"]
root_doc = "README"
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]
"""A study file shows `...` where something is left out."""


def _as_page(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx calls it so
    """Lead links that leave this folder to the repository, and give the first page the contents."""
    outside = "../" * (page.count("/") + 1)
    source[0] = source[0].replace(f"]({outside}", f"]({REPOSITORY}/")
    if page == root_doc:
        source[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n" + "\n".join(globs) + "\n```\n"
            for caption, globs in CONTENTS.items()
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _as_page)
