"""Files from the network, trusted only as far as their checksum goes. Knows no data set."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import ssl
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ablation.errors import AblationError, InputError
from ablation.sources.checksums import sha256_of

_BLOCK = 1 << 18
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the network; `size` is in bytes."""

    url: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file name in the address."""
        return PurePosixPath(urlsplit(self.url).path).name


@dataclass(frozen=True, slots=True)
class Archive(Remote):
    """A gzipped tar file: which files are taken out of the one folder at its top, and their most bytes together."""

    folder: str
    files: tuple[str, ...]
    unpacked: int


def obtain(archive: Archive, root: Path, *, tls: ssl.SSLContext | None = None) -> Path:
    """The archive's folder under `root`: unpacked there before, or from the archive lying there, or downloaded.

    Two processes that ask at once download once. AblationError where the network or the disk does not allow it or the
    bytes are not the expected ones; InputError where the archive that lies there is not the expected one. Nothing
    incomplete ever stands under a final name.
    """
    target = root / archive.folder
    file = root / archive.name
    with _writing(root, f".{archive.name}.lock"):
        if target.exists():
            return target
        downloaded = not file.exists()
        if downloaded:
            _download_online(archive, file, tls)
        elif (found := sha256_of(file)) != archive.sha256:
            raise InputError(f"{file}: its sha256 is {found}, not {archive.sha256}; delete it to download it again")
        extract(file, target, archive)
        if downloaded:
            file.unlink()
    return target


def obtain_files(remotes: Sequence[Remote], folder: Path, *, tls: ssl.SSLContext | None = None) -> None:
    """Download into `folder` those of the files that are not there. Promises and errors are those of `obtain`."""
    with _writing(folder, ".download.lock"):
        for remote in remotes:
            if not (folder / remote.name).exists():
                _download_online(remote, folder / remote.name, tls)


@contextlib.contextmanager
def ways_out(title: str, root: Path, forms: str, remotes: Sequence[Remote]) -> Iterator[None]:
    """Where a data set cannot be fetched within this, the error says what to do instead."""
    try:
        yield
    except InputError:
        raise
    except AblationError as error:
        size = sum(remote.size for remote in remotes) / 1e6
        address = remotes[0].url if len(remotes) == 1 else remotes[0].url.removesuffix(remotes[0].name)
        raise AblationError(
            f"{title} is not under {root} and could not be fetched: {error}\nThere are three ways out:\n"
            f"  1. put it there: {forms};\n"
            "  2. name the folder that has it, by --data-dir or ABLATE_DATA;\n"
            f"  3. go online and run the same command again, to download {size:.0f} MB from {address}"
        ) from error


@contextlib.contextmanager
def _writing(folder: Path, lock: str) -> Iterator[None]:
    """Hold the lock of a folder, which is made if need be; what the disk refuses is an AblationError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / lock):
            yield
    except OSError as error:
        raise AblationError(f"cannot write to {folder}: {error}") from error


def _download_online(remote: Remote, target: Path, tls: ssl.SSLContext | None) -> None:
    if os.environ.get("ABLATE_OFFLINE"):
        raise AblationError(f"{target} is not there, and ABLATE_OFFLINE forbids to download it")
    download(remote, target, tls=tls)


def download(remote: Remote, target: Path, *, tls: ssl.SSLContext | None = None) -> None:
    """Write the file at the address to `target`, by https alone, also across redirects.

    The caller sees to it that no other process downloads to the same target. `tls` says which authorities are
    trusted, the system's by default. AblationError where it fails; then `target` is as it was.
    """
    if urlsplit(remote.url).scheme != "https":
        raise AblationError(f"{remote.url} is not an https address")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        # Exclusive creation does not follow a link that somebody may have put there.
        with partial.open("xb") as out:
            found = _copy(remote, out, tls or ssl.create_default_context())
            out.flush()
            os.fsync(out.fileno())
        if found != remote.sha256:
            raise AblationError(f"{remote.url}: the sha256 of what came is {found}, not {remote.sha256}")
        partial.replace(target)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()  # it is the response, too, and holds the connection
        raise AblationError(f"cannot download {remote.url} to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def extract(file: Path, target: Path, archive: Archive) -> None:
    """Copy the archive's files out of a gzipped tar file into the new folder `target`, all of them or nothing.

    They get the names that we know, so no name in the archive decides where anything is written; what else it holds is
    passed over. AblationError where the file is damaged, or one of them is missing, no plain file or too large.
    """
    partial = target.with_name(f".{target.name}.partial")
    wanted = {PurePosixPath(archive.folder, name): name for name in archive.files}
    room = archive.unpacked
    _remove(partial)
    try:
        partial.mkdir()
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                name = wanted.pop(PurePosixPath(member.name), None)
                if name is None:
                    continue
                room -= member.size
                stream = tar.extractfile(member) if member.isfile() else None
                if stream is None or room < 0:
                    wrong = "no plain file" if stream is None else f"too large ({member.size:,} bytes)"
                    raise AblationError(f"{file}: nothing unpacked, as {member.name!r} is {wrong}")
                with stream, (partial / name).open("xb") as out:
                    shutil.copyfileobj(stream, out)
                if not wanted:
                    break
        if wanted:
            raise AblationError(f"{file}: nothing unpacked, as it has no {next(iter(wanted))}")
        partial.rename(target)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise AblationError(f"cannot unpack {file}: {error}") from error
    finally:
        _remove(partial)


def _copy(remote: Remote, out: BinaryIO, tls: ssl.SSLContext) -> str:
    """Copy the body, with a progress bar on stderr, and return its sha256."""
    opener = build_opener(HTTPSHandler(context=tls), _HttpsRedirects())
    request = Request(remote.url, headers={"User-Agent": "ablation-harness"})  # noqa: S310  the scheme was checked
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    sha256, came = hashlib.sha256(), 0
    with (
        opener.open(request, timeout=_TIMEOUT_SECONDS) as response,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task(remote.name, total=remote.size)
        for block in _blocks(response):
            came += len(block)
            if came > remote.size:
                break
            sha256.update(block)
            out.write(block)
            progress.update(bar, completed=came)
    if came != remote.size:
        more_or_less = "more than" if came > remote.size else f"{came:,} instead of"
        raise AblationError(f"{remote.url}: {more_or_less} {remote.size:,} bytes came; try again later")
    return sha256.hexdigest()


class _HttpsRedirects(HTTPRedirectHandler):
    """Follows redirects to https addresses alone."""

    def redirect_request(  # noqa: PLR0913  the signature is the standard library's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            fp.close()
            raise AblationError(f"{req.full_url} redirects to {newurl}, which is not an https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _remove(path: Path) -> None:
    """Remove what a killed process left; a link is removed, not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
