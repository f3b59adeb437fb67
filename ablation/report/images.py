"""The second layer: each contrast over the test images, with the trained models held fixed."""

from __future__ import annotations

from ablation.findings import Analysis
from ablation.report.drawing import Table
from ablation.report.figures.effects import ordered
from ablation.report.numbers import UNITS

MEANING = (
    "The intervals of the findings say what other seeds would give on these images. This table says what other images "
    "of the same kind would give with these trained models: each image has one value, the difference of mean "
    "correctness over the seed blocks, and the images are the sample. Its intervals are not corrected for the number "
    "of contrasts, and no verdict rests on them."
)
DRAWN_ANEW = "Each seed block draws validation images of its own, so there is no image that the blocks share."


def table(analysis: Analysis) -> Table | None:
    """One row a contrast, in the order of the findings; None where no contrast has this layer."""
    unit = UNITS["accuracy"]
    rows = [(one, one.images) for one in ordered(analysis) if one.images is not None]
    if not rows:
        return None
    return Table(
        caption="Difference of accuracy over the test images, level minus reference",
        columns=(
            *("contrast", "difference", "standard error", "95 % interval", "images that gain", "images that lose"),
            *("images", "seed blocks"),
        ),
        rows=tuple(
            (
                one.label,
                unit.difference(seen.effect),
                unit.difference(seen.standard_error).lstrip("+"),
                unit.interval(seen.low, seen.high),
                f"{seen.gained:,}",
                f"{seen.lost:,}",
                f"{seen.images:,}",
                str(seen.seed_blocks),
            )
            for one, seen in rows
        ),
        numbers=range(1, 8),
    )
