"""Images that a data set holds twice: how many, which, how they were found, and what that way does not see."""

from __future__ import annotations

from collections.abc import Sequence

from ablation.analysis.duplicates import Duplicates, Place, Tally
from ablation.analysis.likeness import ALIKE, BLUR, NEAR, PICTURE, SHIFT, THUMBNAIL
from ablation.report.drawing import Table
from ablation.report.numbers import fixed
from ablation.report.section import Section, Sheet

_MOST_ROWS = 500
_CITED = (
    "Barz, B., Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging "
    "6(6), 41. doi:10.3390/jimaging6060041. By the features of a trained network and by eye they found that about "
    "3.3 % of the test images of CIFAR-10, and 10 % of those of CIFAR-100, have a duplicate among the training or the "
    "other test images. Their lists and this page need not agree image by image."
)
_EQUAL = "Equal images agree in every pixel; they are found by a hash, which misses none."
_NEAR = (
    "Near duplicates are found without a trained network. Every image is held against every other, plain and "
    f"mirrored, as a grey thumbnail of {THUMBNAIL} × {THUMBNAIL} pixels. Pairs whose thumbnails correlate by {ALIKE} "
    f"or more are looked at closely: of grey pictures of at most {PICTURE} × {PICTURE} pixels their blur over {BLUR} × "
    f"{BLUR} pixels is taken off, and the likeness is the correlation of what is left, at the best of all shifts by up "
    f"to {SHIFT} pixels. Reported is what reaches {NEAR}. Means of rows and columns are taken off in both "
    "steps, since a horizon alone would make two pictures alike."
)
_MISSED = (
    "So copies are found that are brighter or darker, of less contrast, in other colours, mirrored, compressed, noisy "
    "or shifted a little. Missed are copies that are rotated or enlarged by more than a little, cut out otherwise, "
    "covered in large part, or negative. Two photographs of one thing from one place, and drawings or silhouettes of "
    "few strokes, may be reported without one being made from the other: look at the pairs."
)


def section(found: Duplicates, sheets: tuple[Sheet, ...], classes: Sequence[str]) -> Section:
    """Counts, pairs to look at, and the pairs as a table."""
    equal, near = in_words(found)
    looked_for = bool(found.near)
    return Section(
        id="duplicates",
        title="Images held twice",
        paragraphs=(
            f"Equal images: {equal} Near duplicates: {near}",
            "A test image that was trained on is no test, and a class that holds one image many times weighs more.",
        ),
        tables=(_counts(found),),
        sheets=sheets,
        folded=tuple(table for table in (_groups(found, classes), _pairs(found, classes)) if table.rows),
        listed=(_EQUAL, *((_NEAR, _MISSED) if looked_for else ()), _CITED),
    )


def in_words(found: Duplicates) -> tuple[str, str]:
    """What there is of equal images and of near duplicates, a sentence or two each."""
    near = f"{_sentence(found.near)} {found.note}".strip() if found.near else found.note
    return _sentence(found.equal), near


def _sentence(tallies: Sequence[Tally]) -> str:
    parts = [
        f"{one.pairs:,} {'pair' if one.pairs == 1 else 'pairs'} {one.relation}{_share(one)}"
        for one in tallies
        if one.pairs
    ]
    apart = sum(one.other_class for one in tallies)
    said = f"{'; '.join(parts)}." if parts else "none."
    if apart:
        said += f" In {apart:,} of them the two images are of different classes."
    return said


def _share(tally: Tally) -> str:
    """The share of the test images that have a partner to be learnt from."""
    if tally.relation != "across the splits":
        return ""
    return f", which touch {tally.images:,} of {tally.of:,} test images ({fixed(tally.images / tally.of * 100, 2)} %)"


def _counts(found: Duplicates) -> Table:
    kinds = (("equal", found.equal), ("near", found.near))
    rows = tuple(
        (
            f"{kind}, {one.relation}",
            f"{one.pairs:,}",
            f"{one.images:,}",
            f"{fixed(one.images / max(1, one.of) * 100, 2)}\u202f%",
            f"{one.other_class:,}",
        )
        for kind, tallies in kinds
        for one in tallies
    )
    columns = ("duplicates", "pairs", "images touched", "of the split", "pairs of different classes")
    return Table(
        "Pairs of duplicates; across the splits it is test images that are counted", columns, rows, range(1, 5)
    )


def _groups(found: Duplicates, classes: Sequence[str]) -> Table:
    rows = tuple(
        (str(number), ", ".join(_named(place, classes) for place in group[:_MOST_ROWS]))
        for number, group in enumerate(found.groups[:_MOST_ROWS], 1)
    )
    return Table(f"Equal images{_of(len(rows), len(found.groups))}", ("group", "images"), rows)


def _pairs(found: Duplicates, classes: Sequence[str]) -> Table:
    rows = tuple(
        (
            _named(pair.first, classes),
            _named(pair.second, classes),
            fixed(pair.likeness, 3),
            "mirrored" if pair.mirrored else "plain",
        )
        for pair in found.near_pairs[:_MOST_ROWS]
    )
    caption = f"Near duplicates{_of(len(rows), len(found.near_pairs))}"
    return Table(caption, ("image", "and", "likeness", "as it is or mirrored"), rows, numbers=range(2, 3))


def _of(shown: int, total: int) -> str:
    return f": the first {shown:,} of {total:,}, all of them with --json" if shown < total else ""


def _named(place: Place, classes: Sequence[str]) -> str:
    return f"{place.split} {place.number} ({classes[place.label]})"
