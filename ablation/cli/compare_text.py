"""A comparison as a person reads it on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablation.analysis.compared import Compared, ComparedSide, MetricDifference
from ablation.analysis.estimates import Interval
from ablation.analysis.sentences import UNITS, bounds, counted, difference, ratio_text
from ablation.cli.terminal import print_table, tell
from ablation.findings import ClassEffect, ImageEffect, Metric

_MOST_DIFFERENCES = 12


def print_compared(compared: Compared, most_images: int) -> None:
    """Both sides, the difference in words, what stands beside it, then classes and images."""
    for name, side in (("A", compared.a), ("B", compared.b)):
        tell(f"{name}  {_side(side, compared.split)}")
    tell(f"\n{compared.sentence}")
    for name, text in _lines(compared):
        tell(f"{name:>9}  {text}")
    if compared.classes:
        tested = any(one.p_adjusted is not None for one in compared.classes)
        tell(
            f"\nRecall of each class, B minus A{'; intervals and p are corrected over the classes' if tested else ''}:"
        )
        print_table(("class", "change", "95 % interval", "p", "told from zero"), map(_class, compared.classes))
    if compared.disagreements:
        _print_disagreements(compared, most_images)


def _side(side: ComparedSide, split: str) -> str:
    seconds = [] if side.seconds is None else [f"{side.seconds:.1f} s"]
    parameters = [] if side.parameters is None else [f"{side.parameters:,} parameters"]
    trial = "" if side.trial is None else f", trial {side.trial}"
    scores = [f"{split} accuracy {100 * side.accuracy:.2f} %", f"loss {side.loss:.4f}"]
    return f"{side.label}{trial}: {', '.join([*scores, *seconds, *parameters])}; {_blocks(side.seed_blocks)}"


def _blocks(blocks: Sequence[int]) -> str:
    """`seed blocks 0 to 9`, or each of them where some are left out."""
    if len(blocks) == 1:
        return f"seed block {blocks[0]}"
    whole = blocks[-1] - blocks[0] + 1 == len(blocks)
    return f"seed blocks {f'{blocks[0]} to {blocks[-1]}' if whole else ', '.join(map(str, blocks))}"


def _lines(compared: Compared) -> Iterator[tuple[str, str]]:
    """What stands beside the sentence, each with its name."""
    others = {"accuracy": compared.accuracy, "loss": compared.loss}
    yield from ((metric, _measured(found, metric)) for metric, found in others.items() if metric != compared.metric)
    if cost := _cost(compared):
        yield "cost", cost
    if compared.cost_note:
        yield "cost", compared.cost_note
    if compared.images:
        yield "images", _images(compared.images)
    if compared.images_note:
        yield "images", compared.images_note
    if test := compared.mcnemar:
        only = f"{test.only_first:,} images are right in A alone, {test.only_second:,} in B alone"
        yield "McNemar", f"{only}; exact {_probability(test.p)} for these two models, whatever other seeds would give"
    for line in compared.differences[:_MOST_DIFFERENCES]:
        yield "differs", line
    if (more := len(compared.differences) - _MOST_DIFFERENCES) > 0:
        yield "differs", f"and {more} more, in --json"
    for note in compared.notes:
        yield "note", note


def _cost(compared: Compared) -> str:
    """What the sentence does not say of the cost: the rate and the memory, B against A."""
    ratios = {"images a second": compared.images_per_second, "peak memory": compared.peak_memory}
    return ", ".join(ratio_text(ratio, name, 1) for name, ratio in ratios.items() if ratio)


def _measured(measured: MetricDifference, metric: Metric) -> str:
    text = f"{difference(measured.effect, metric)} {UNITS[metric].name}"
    if measured.low is None or measured.high is None or measured.p is None:
        return text
    interval = bounds(Interval(measured.low, measured.high), metric)
    return f"{text} (95 % interval {interval}, {_probability(measured.p)})"


def _images(seen: ImageEffect) -> str:
    error = difference(seen.standard_error, "accuracy").lstrip("+")
    return (
        f"over {counted(seen.images, 'image')} the difference of accuracy, "
        f"{difference(seen.effect, 'accuracy')} pp, has a standard error of {error} pp, these models given; "
        f"{seen.gained:,} are right more often in B, {seen.lost:,} in A"
    )


def _probability(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3g}"


def _class(one: ClassEffect) -> tuple[str | None, ...]:
    if one.effect is None:
        return (one.name, None, None, None, None)
    interval = None if one.low is None or one.high is None else bounds(Interval(one.low, one.high), "accuracy")
    told = None if one.p_adjusted is None else "yes" if one.survives else "no"
    p = None if one.p_adjusted is None else _probability(one.p_adjusted).removeprefix("p ").removeprefix("= ")
    return (one.name, f"{difference(one.effect, 'accuracy')} pp", interval, p, told)


def _print_disagreements(compared: Compared, most: int) -> None:
    total = len(compared.disagreements)
    rest = f"; the first {most}, all with --json or --out" if total > most else ""
    blocks = "" if compared.mcnemar else ", most frequent class over the seed blocks"
    tell(f"\n{counted(total, 'image')} that A and B take for different classes{blocks}{rest}:")
    rows = [
        (one.image, one.true, one.a, one.b, f"{100 * one.a_right:.0f} %", f"{100 * one.b_right:.0f} %")
        for one in compared.disagreements[:most]
    ]
    print_table(("image", "true class", "A", "B", "A is right", "B is right"), rows)
