"""A comparison as files: its page, all its numbers, and a table of the images on which the two sides disagree."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ablation.analysis.compared import Compared
from ablation.analysis.compared_files import write_compared
from ablation.analysis.gallery import MOST, Gallery
from ablation.analysis.sides import Pair, Side
from ablation.errors import AblationError
from ablation.report.comparison import ComparisonPage, render_comparison
from ablation.report.writing import save
from ablation.seen_images import images_of
from ablation.study_page import now
from ablation.trial import Record


def write_comparison(pair: Pair, compared: Compared, folder: Path, command: Iterable[str]) -> tuple[Path, ...]:
    """Write all of it into a folder, which is made where it is not there; what was written, the page first.

    `command` are the words of the command line that makes it again.
    """
    files = write_compared(compared, folder)
    page = folder / "compare.html"
    save(render_comparison(_page(pair, compared, shlex.join(command))), page)
    return (page, *files)


def _page(pair: Pair, compared: Compared, command: str) -> ComparisonPage:
    a, b = _read(pair.a, pair.blocks_a), _read(pair.b, pair.blocks_b)
    page = ComparisonPage(
        compared=compared,
        created=now(),
        command=command,
        margin=pair.a.study.margin,
        records_a=a,
        records_b=b,
        no_pictures=compared.images_note,
    )
    if compared.images is None:
        return page
    if compared.split != "test":
        return replace(page, no_pictures="Validation images are drawn by the seed block, and not shown.")
    try:
        return replace(page, pictures=images_of(_gallery(compared), (*a, *b)))
    except AblationError as error:
        return replace(page, no_pictures=str(error))


def _read(side: Side, blocks: Iterable[int]) -> tuple[Record, ...]:
    scored = side.scored
    return tuple(scored[block] for block in blocks)


def _gallery(compared: Compared) -> Gallery:
    """The most telling images, as a report shows those of two arms."""
    assert compared.images is not None, "asked for only where images are compared"
    return Gallery(
        first=compared.a.label,
        second=compared.b.label,
        seed_blocks=compared.images.seed_blocks,
        both_wrong=compared.both_wrong[:MOST],
        apart=compared.disagreements[:MOST],
        num_both_wrong=len(compared.both_wrong),
        num_apart=len(compared.disagreements),
    )
