"""A comparison as files: `compare.json` for programs, `disagreements.csv` for a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ablation.analysis.compared import Compared, TakenFor
from ablation.durable import write_whole
from ablation.visible import in_cell


def write_compared(compared: Compared, folder: Path) -> tuple[Path, ...]:
    """Write both files, making the folder; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, images = folder / "compare.json", folder / "disagreements.csv"
    write_whole(whole, compared.model_dump_json(indent=2) + "\n")
    write_whole(images, _rows(compared))
    return whole, images


def _rows(compared: Compared) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(TakenFor.model_fields)
    for one in compared.disagreements:
        writer.writerow([one.image, *map(in_cell, (one.true, one.a, one.b)), one.a_right, one.b_right])
    return out.getvalue()
