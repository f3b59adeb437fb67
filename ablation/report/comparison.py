"""The page of a comparison: what B changes against A, by the same figures and in the same manner as a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ablation.analysis.compared import Compared, ComparedSide
from ablation.analysis.regression import regression_text
from ablation.findings import Ratio
from ablation.report import pictures
from ablation.report.drawing import Table
from ablation.report.figures import class_differences, confusion, curves, differences
from ablation.report.numbers import MISSING, NOT_COMPARABLE, UNITS, count, duration, probability, short, signed
from ablation.report.palette import arm_styles
from ablation.report.pictures import ChosenImages
from ablation.report.section import Section
from ablation.report.top import with_true_minus
from ablation.report.writing import filled, readable
from ablation.trial import Record

_MOST_LISTED = 200
_IMAGES = (
    "The interval of the difference says what other seeds would give on these images. This says what other images of "
    "the same kind would give with these trained models: each image has one value, the difference of mean correctness, "
    "and the images are the sample."
)


@dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """Everything that the page says. Nothing else is read: no clock, no file, no network."""

    compared: Compared
    created: str
    """ISO 8601."""
    command: str
    """One line that makes this page again."""
    margin: float
    """Of the study of A, on the metric that both were declared for."""
    records_a: Sequence[Record]
    records_b: Sequence[Record]
    pictures: ChosenImages | None = None
    no_pictures: str = ""
    """Why there are none."""

    @property
    def title(self) -> str:
        """What is held against what."""
        return f"{self.compared.b.label} instead of {self.compared.a.label}"

    @cached_property
    def labelled(self) -> tuple[Record, ...]:
        """The trials of both sides, each under the label of its side: arms of two studies may be called alike."""
        sides = ((self.compared.a, self.records_a), (self.compared.b, self.records_b))
        return tuple(_called(one, side.label) for side, records in sides for one in records)

    @property
    def labels(self) -> list[str]:
        """Those of A and B."""
        return [self.compared.a.label, self.compared.b.label]


def _called(record: Record, label: str) -> Record:
    arm = record.trial.arm.model_copy(update={"name": label})
    return record.model_copy(update={"trial": record.trial.model_copy(update={"arm": arm})})


def render_comparison(page: ComparisonPage) -> str:
    """The page as HTML."""
    return filled(
        "comparison.html",
        page=page,
        created=readable(page.created),
        state=state(page),
        banner=banner(page),
        sentence=with_true_minus(page.compared.sentence),
        sections=comparison_sections(page),
    )


def state(page: ComparisonPage) -> str:
    """What is compared on, and over how much, in one line."""
    compared = page.compared
    return f"{compared.metric} on the {compared.split} split · {compared.method}"


def banner(page: ComparisonPage) -> str:
    """What a reader has to know before anything else: the judgement that was asked for, or what is provisional."""
    regression = page.compared.regression
    text = regression_text(regression) if regression else ""
    said = [text[:1].upper() + text[1:]] if text else []
    return " ".join([*said, *(note for note in page.compared.notes if note.startswith("Provisional"))])


def comparison_sections(page: ComparisonPage) -> tuple[Section, ...]:
    """Everything below the sentence."""
    return (
        _difference(page),
        _classes(page),
        _curves(page),
        _images(page),
        _pictures(page),
        _confusion(page),
        _cost(page),
        _unlike(page),
        _made(page),
    )


def _difference(page: ComparisonPage) -> Section:
    value = differences.compute(page.compared, page.records_a, page.records_b, page.margin)
    return Section(id="differences", title="The difference", drawing=differences.draw(value))


def _classes(page: ComparisonPage) -> Section:
    value = class_differences.compute(page.compared.classes)
    missing = "" if value else "Changes per class need confusion matrices of both sides."
    drawing = class_differences.draw(value) if value else None
    return Section(id="classes", title="Changes per class", drawing=drawing, missing=missing)


def _curves(page: ComparisonPage) -> Section:
    value = curves.compute(page.labelled, page.labels, page.labels)
    missing = "" if value else "Learning curves need the epochs of at least one complete trial."
    drawing = curves.draw(value, arm_styles(page.labels, page.compared.a.label)) if value else None
    return Section(id="curves", title="Learning curves", drawing=drawing, missing=missing)


def _images(page: ComparisonPage) -> Section:
    seen, test = page.compared.images, page.compared.mcnemar
    title, note = "Over the images", page.compared.images_note
    if seen is None:
        return Section(id="images", title=title, missing=note)
    unit = UNITS["accuracy"]
    columns = ("images", "difference", "standard error", "95 % interval", "right more often in B", "in A")
    row = (
        f"{seen.images:,}",
        unit.difference(seen.effect),
        unit.difference(seen.standard_error).lstrip("+"),
        unit.interval(seen.low, seen.high),
        f"{seen.gained:,}",
        f"{seen.lost:,}",
    )
    told = [_IMAGES, *([note] if note else [])]
    if test:
        told.append(
            f"{test.only_first:,} images are right in A alone, {test.only_second:,} in B alone: McNemar's exact test, "
            f"p {_equals(test.p)}. It speaks of these two models, whatever other seeds would give."
        )
    table = Table("Difference of accuracy over the images, B minus A", columns, (row,), numbers=range(1, 6))
    return Section(id="images", title=title, paragraphs=tuple(told), tables=(table,), folded=tuple(_disagreeing(page)))


def _equals(p: float) -> str:
    said = probability(p)
    return said if said.startswith("<") else f"= {said}"


def _disagreeing(page: ComparisonPage) -> Iterator[Table]:
    found = page.compared.disagreements
    if not found:
        return
    rest = f"; the first {_MOST_LISTED}, disagreements.csv has all" if len(found) > _MOST_LISTED else ""
    yield Table(
        f"{count(len(found), 'image')} that A and B take for different classes{rest}",
        ("image", "true class", "A", "B", "A is right", "B is right"),
        tuple(
            (str(one.image), one.true, one.a, one.b, f"{100 * one.a_right:.0f} %", f"{100 * one.b_right:.0f} %")
            for one in found[:_MOST_LISTED]
        ),
        numbers=range(4, 6),
    )


def _pictures(page: ComparisonPage) -> Section:
    return pictures.section(page.pictures, page.no_pictures)


def _confusion(page: ComparisonPage) -> Section:
    value = confusion.compute(page.labelled, *page.labels)
    missing = "" if value else "This needs confusion matrices of both sides in one seed block."
    drawing = confusion.draw(value) if value else None
    return Section(id="confusion", title="Confusion matrices", drawing=drawing, missing=missing)


def _cost(page: ComparisonPage) -> Section:
    """Both sides' medians, and B against A where that may be told."""
    compared, (a, b) = page.compared, (page.compared.a, page.compared.b)
    seconds, rate, memory = (
        _ratio(ratio, compared) for ratio in (compared.seconds, compared.images_per_second, compared.peak_memory)
    )
    rows = (
        ("training time of a trial", duration(a.seconds), duration(b.seconds), *seconds),
        ("images a second", *_both(a.images_per_second, b.images_per_second), *rate),
        ("peak memory (bytes)", *_both(a.peak_memory, b.peak_memory), *memory),
        ("parameters", *_both(a.parameters, b.parameters), _counted(compared), MISSING),
    )
    caption = "Medians of the complete trials of each side; B against A within seed blocks whose trials ran alike"
    table = Table(caption, ("cost", "A", "B", "B against A", "95 % interval"), rows, numbers=range(1, 5))
    told = (compared.cost_note,) if compared.cost_note else ()
    facts = tuple((f"{name} ran on", " or ".join(side.circumstances)) for name, side in (("A", a), ("B", b)))
    return Section(
        id="cost", title="Cost", paragraphs=told, tables=(table,), facts=tuple(fact for fact in facts if fact[1])
    )


def _both(a: float | None, b: float | None) -> tuple[str, str]:
    first, second = (MISSING if value is None else short(value) for value in (a, b))
    return first, second


def _ratio(ratio: Ratio | None, compared: Compared) -> tuple[str, str]:
    if ratio is None:
        return (NOT_COMPARABLE if NOT_COMPARABLE in compared.cost_note else MISSING), MISSING
    value, low, high = (signed(100 * (one - 1), 1) for one in (ratio.value, ratio.low, ratio.high))
    return f"{value}\u202f%", f"[{low}, {high}]"


def _counted(compared: Compared) -> str:
    if compared.parameters is None:
        return MISSING
    more = compared.parameters.level - compared.parameters.reference
    return f"{more:+,.0f}".replace("-", "−") if more else "0"


def _unlike(page: ComparisonPage) -> Section:
    found = tuple(text.replace(" -> ", " → ") for text in page.compared.differences)
    missing = "" if found else "Settings, versions, code and machine are the same on both sides."
    return Section(id="unlike", title="In what they differ", listed=found, missing=missing)


def _made(page: ComparisonPage) -> Section:
    compared = page.compared
    facts = [(name, text) for name, side in (("A", compared.a), ("B", compared.b)) for name, text in _facts(name, side)]
    return Section(id="made", title="How it was made", facts=(*facts, ("Made again by", page.command)))


def _facts(name: str, side: ComparedSide) -> Iterator[tuple[str, str]]:
    yield name, side.label
    yield f"Run folder of {name}", side.folder
    if side.trial is not None:
        yield f"Trial of {name}", side.trial
    yield f"Seed blocks of {name}", ", ".join(map(str, side.seed_blocks))
    unit = UNITS["loss"]
    scores = f"accuracy {UNITS['accuracy'].value(side.accuracy)}, loss {unit.value(side.loss)}"
    yield f"Scores of {name}", f"{scores} (means)"
