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
class Strip:
    """Several images side by side in one file, with a line that says what they are."""

    label: str
    note: str = ""
    address: str = ""
    """`data:`, with the images in it; empty where there are none, and `note` says why."""
    alt: str = ""
    width: int = 0
    height: int = 0
    """Pixels on the page, where it is wide enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Strips below each other, which show the same images or images of one kind."""

    id: str
    title: str
    caption: str
    strips: tuple[Strip, ...]
    small: bool = False
    """Whether the strips are so short that several stand side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is empty is not drawn; `missing` says in one line why a section has nothing to show."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
    pictures: tuple[Pictures, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    folded: tuple[Table, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()
    listed: tuple[str, ...] = ()
    """Texts as a list."""
    links: tuple[tuple[str, str], ...] = ()
    """Texts and the files beside the page that they lead to."""
    missing: str = ""
