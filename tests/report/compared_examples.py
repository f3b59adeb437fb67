"""Comparisons of arms of the realistic study, with predictions and images made up for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from examples import arm, records, study

from ablation.analysis.compare import compare
from ablation.analysis.compared import TakenFor
from ablation.analysis.gallery import Gallery
from ablation.analysis.images import McNemar
from ablation.analysis.sides import Side, pair_of
from ablation.findings import ImageEffect
from ablation.report.comparison import ComparisonPage, render_comparison
from ablation.report.page import Page
from ablation.report.pictures import ChosenImages
from ablation.report.writing import render, save
from ablation.run_folder import RunFolder
from ablation.trial import Record

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
IMAGES = ImageEffect(
    images=2000, seed_blocks=5, effect=-0.016, standard_error=0.004, low=-0.024, high=-0.008, gained=310, lost=402
)
APART = tuple(TakenFor(image=at, true="cat", a="cat", b="dog", a_right=1.0, b_right=at / 10) for at in range(4))
WRONG = (TakenFor(image=9, true="ship", a="airplane", b="bird", a_right=0.0, b_right=0.0),)


def side(name: str, label: str = "", kept: Sequence[Record] = ()) -> Side:
    """An arm of the study, with all its trials or those that are kept; slots are recorded."""
    own = [one for one in kept or records() if one.trial.arm.name == name]
    return Side(
        label or name, study(), RunFolder(Path("runs/augmentation-laptop")), arm(name), tuple(map(_slotted, own))
    )


def _slotted(record: Record) -> Record:
    assert record.outcome is not None
    assert record.outcome.stamp is not None
    stamp = record.outcome.stamp.model_copy(update={"slots": 2})
    return record.model_copy(update={"outcome": record.outcome.model_copy(update={"stamp": stamp})})


def compared_page(a: Side, b: Side) -> ComparisonPage:
    """What `ablate compare` writes of them where no predictions are at hand."""
    pair = pair_of(a, b)
    read = [tuple(one.scored[at] for at in blocks) for one, blocks in ((a, pair.blocks_a), (b, pair.blocks_b))]
    return ComparisonPage(
        compared=compare(pair, ["augmentations.flip.probability: 0.5 -> not there"]),
        created="2026-11-23T02:10:00+00:00",
        command="ablate compare studies/augmentation.yaml flip=without --out compared",
        margin=0.005,
        records_a=read[0],
        records_b=read[1],
        no_pictures="The images of cifar10 are not at hand.",
    )


def comparison_page() -> ComparisonPage:
    """Two arms over five seed blocks, with images."""
    bare = compared_page(side("baseline"), side("flip=without"))
    compared = bare.compared.model_copy(
        update={"images": IMAGES, "images_note": "", "disagreements": APART * 60, "both_wrong": WRONG}
    )
    chosen = Gallery("baseline", "flip=without", 5, WRONG, APART, len(WRONG), len(APART))
    return replace(bare, compared=compared, pictures=ChosenImages(chosen, dict.fromkeys((0, 1, 2, 3, 9), PIXEL)))


def trials_page() -> ComparisonPage:
    """Two trials: one seed block, McNemar's test, and no interval."""
    a, b = (
        replace(
            side(name, f"{name} (seed block 0)", [one for one in records() if one.trial.block == 0]), trial=f"{name}-0"
        )
        for name in ("baseline", "crop=without")
    )
    page = compared_page(a, b)
    test = McNemar(only_first=93, only_second=31, p=2.1e-8)
    update = {"images": IMAGES.model_copy(update={"seed_blocks": 1}), "images_note": "", "mcnemar": test}
    return replace(page, compared=page.compared.model_copy(update=update))


def write_page(page: Page | ComparisonPage, path: Path) -> None:
    """Whichever page it is, as a file."""
    save(render_comparison(page) if isinstance(page, ComparisonPage) else render(page), path)
