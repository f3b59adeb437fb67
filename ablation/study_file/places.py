"""Where in a study file the parts of an arm are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ablation import wording
from ablation.conditions import factor_order
from ablation.patches import STEPS
from ablation.study import LevelsFactor, Study
from ablation.study_file.documents import overlaid, part_of, with_long_factors
from ablation.study_file.reading import read_override, read_sizes
from ablation.study_file.yaml_reader import Document, Place
from ablation.trial import Level


class Places:
    """A study file at one scale with its overrides, which must be valid."""

    def __init__(self, path: Path, scale: str, overrides: Sequence[str], study: Study) -> None:
        document = read_sizes(path).documents[scale]
        for override in overrides:
            document = overlaid(document, read_override(override))
        self._document, self._study = with_long_factors(document), study

    def of(self, path: wording.Path, levels: Mapping[str, Level]) -> Place:
        """Where what stands at a path of the form is written, in the baseline or where the levels change it."""
        document = self._document
        for name in factor_order(self._study.factors):
            if name in levels:
                document = self._at(document, name, levels[name])
        if path[0] in STEPS:
            return document.place(path, of_key=True)
        return document.place((*path, "name"))

    def _at(self, document: Document, name: str, level: Level) -> Document:
        factor = self._study.factors[name]
        if isinstance(factor, LevelsFactor):
            return overlaid(document, part_of(document, ("factors", name, "levels", str(level))))
        if level not in factor.range:  # the number that stands in the baseline
            return document
        where = document.place(("factors", name, "range"))
        return overlaid(document, Document({factor.sets: level}, {(): where, (factor.sets,): where}))
