"""What a model card is written from, and how its pieces are put into Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ablation.exporting.description import Description, Format
from ablation.exporting.parity import Agreement
from ablation.run_folder import Beginning
from ablation.settings import Part
from ablation.trial import Outcome, Record, Scores
from ablation.visible import in_markdown


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card is written from."""

    begun: Beginning
    record: Record
    outcome: Outcome
    of_the_arm: Sequence[Record]
    """All trials of the same arm, this one among them."""
    arms: int
    """Of the study."""
    description: Description
    sizes: Mapping[str, int]
    """Images of each split, by its name."""
    to: Format
    file: str
    sha256: str
    size: int
    """Bytes."""
    agreements: Sequence[Agreement]

    @property
    def split(self) -> str:
        """What the accuracy is about."""
        return self.record.trial.evaluate_on

    @property
    def scores(self) -> Scores:
        """Over that split."""
        scores = self.outcome.test if self.split == "test" else self.outcome.validation
        assert scores is not None, "a trial with weights was measured"
        return scores

    @property
    def right(self) -> tuple[int, int]:
        """Images of that split that were classified rightly, and all."""
        confusion = self.outcome.confusion
        return sum(row[at] for at, row in enumerate(confusion)), sum(map(sum, confusion))


def table(*rows: tuple[str, str]) -> Iterator[str]:
    """Two columns: what, and what of it."""
    yield "| | |"
    yield "|---|---|"
    for name, text in rows:
        yield f"| {name} | {text} |"


def parts_text(parts: Sequence[Part]) -> str:
    """Components with their choices, in their order."""
    return "; ".join(map(part_text, parts)) or "none"


def part_text(part: Part) -> str:
    """A component with its choices, those that are null left out."""
    choices = ", ".join(f"{name}={value}" for name, value in part.choices.items() if value is not None)
    return in_markdown(f"{part.name} ({choices})" if choices else part.name)
