"""Test images themselves: those that two arms both get wrong, and those on which they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ablation.analysis.compared import TakenFor
from ablation.analysis.gallery import Gallery
from ablation.report.numbers import count
from ablation.report.section import Picture, Pictures, Section

_TITLE = "Images to look at"


@dataclass(frozen=True, slots=True)
class ChosenImages:
    """What a page needs for it: the choice of images, and each as a `data:` address by its number."""

    gallery: Gallery
    images: Mapping[int, str]


def section(shown: ChosenImages | None, missing: str) -> Section:
    """Two rows of pictures; `missing` says why there are none."""
    if shown is None:
        return Section(id="pictures", title=_TITLE, missing=missing)
    chosen = shown.gallery
    arms = f"{chosen.first} and {chosen.second}"
    blocks = count(chosen.seed_blocks, "seed block")
    rows = (
        Pictures(
            f"{count(chosen.num_apart, 'image')} that {arms} take for different classes in most of {blocks}"
            f"{_shown(chosen.apart, chosen.num_apart)}; the most one-sided first",
            _pictures(chosen, chosen.apart, shown.images),
        ),
        Pictures(
            f"{count(chosen.num_both_wrong, 'image')} that both get wrong in every one of {blocks}"
            f"{_shown(chosen.both_wrong, chosen.num_both_wrong)}; the most unanimous first: look for labels that are "
            "wrong or open to dispute",
            _pictures(chosen, chosen.both_wrong, shown.images),
        ),
    )
    told = f"Below each image stands its class, then what {chosen.first} and {chosen.second} take it for."
    return Section(id="pictures", title=_TITLE, paragraphs=(told,), pictures=tuple(row for row in rows if row.items))


def _shown(shown: Sequence[TakenFor], total: int) -> str:
    return f", {len(shown)} of them here" if len(shown) < total else ""


def _pictures(chosen: Gallery, images: Sequence[TakenFor], addresses: Mapping[int, str]) -> tuple[Picture, ...]:
    return tuple(
        Picture(
            address=addresses[one.image],
            alt=f"test image {one.image}",
            true=one.true,
            taken=((chosen.first, one.a, one.a == one.true), (chosen.second, one.b, one.b == one.true)),
        )
        for one in images
    )
