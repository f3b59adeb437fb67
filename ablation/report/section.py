"""One section of the page, as the template reads it."""

from __future__ import annotations

from dataclasses import dataclass

from ablation.report.drawing import Drawing, Table


@dataclass(frozen=True, slots=True)
class Source:
    """A text shown letter by letter, folded away."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One image of a data set, with what was said of it."""

    address: str
    """`data:`, with the image in it."""
    alt: str
    true: str
    taken: tuple[tuple[str, str, bool], ...]
    """For each arm its name, the class that it took the image for, and whether that is right."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A row of images."""

    caption: str
    items: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is empty is not drawn; `missing` says in one line why a section has nothing to show."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
    pictures: tuple[Pictures, ...] = ()
    folded: tuple[Table, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()
    listed: tuple[str, ...] = ()
    """Texts as a list."""
    links: tuple[tuple[str, str], ...] = ()
    """Texts and the files beside the page that they lead to."""
    missing: str = ""
