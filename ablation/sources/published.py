"""Data sets as their publishers give them: found where they lie, in torchvision's layouts too, or downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablation.errors import InputError
from ablation.sources.downloads import Archive, Remote, obtain, obtain_files, ways_out


@dataclass(frozen=True, slots=True)
class PublishedFiles:
    """A data set of single files; in the first of the folders, named from the data root, they are downloaded."""

    title: str
    folders: tuple[str, ...]
    remotes: tuple[Remote, ...]


def find_files(published: PublishedFiles, root: Path) -> tuple[Path, ...]:
    """Where the files lie, in their order: in a folder that has them all, gzipped or unpacked, or downloaded.

    InputError where a folder has some of them, AblationError, with the ways out, where they cannot be fetched.
    """
    places = [root / folder for folder in published.folders]
    for place in places:
        there = tuple(filter(None, (_lying(place, remote) for remote in published.remotes)))
        if len(there) == len(published.remotes):
            return there
        if there and place != places[0]:  # in the first a download may have been broken off, and goes on
            missing = next(remote.name for remote in published.remotes if not _lying(place, remote))
            raise InputError(f"{place / missing} is missing, and other files of {published.title} lie there; add it")
    names = ", ".join(remote.name for remote in published.remotes)
    folders = " or ".join(published.folders)
    with ways_out(published.title, root, f"{names}, in its folder {folders}", published.remotes):
        obtain_files([each for each in published.remotes if not _lying(places[0], each)], places[0])
    return tuple(filter(None, (_lying(places[0], remote) for remote in published.remotes)))


def find_unpacked(title: str, archive: Archive, root: Path, needed: Sequence[str]) -> Path:
    """The archive's folder, in `root` or in a folder of it; unpacked, and before that downloaded, if need be.

    InputError where one lacks some of the `needed` files, AblationError, with the ways out, where it cannot be had.
    """
    for place in _places(root, archive.folder):
        missing = [place / name for name in needed if not (place / name).is_file()]
        if missing and len(missing) < len(needed):
            raise InputError(f"{missing[0]} is missing; delete {place} to download it again")
        if not missing:
            return place
    with ways_out(title, root, f"{archive.name} or its folder {archive.folder}", [archive]):
        return obtain(archive, root)


def _lying(folder: Path, remote: Remote) -> Path | None:
    """A file as it was published, else as it is unpacked."""
    candidates = (folder / remote.name, folder / remote.name.removesuffix(".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _places(root: Path, folder: str) -> Iterator[Path]:
    """Also where the root is the folder itself."""
    yield root / folder
    if root.name == folder:
        yield root
