"""Archives from the network, trusted only as far as their checksum goes. Knows no data set."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
import sys
import tarfile
from collections.abc import Iterator
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

_BLOCK = 1 << 18
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Archive:
    """A gzipped tar file on the network; `folder` is the one folder at its top, `size` is in bytes."""

    url: str
    sha256: str
    size: int
    folder: str

    @property
    def name(self) -> str:
        """The file name in the address."""
        return PurePosixPath(urlsplit(self.url).path).name


def obtain(archive: Archive, root: Path, *, tls: ssl.SSLContext | None = None) -> Path:
    """The archive's folder under `root`: unpacked there before, or from the archive lying there, or downloaded.

    Two processes that ask at once download once. AblationError where the network or the disk does not allow it or the
    bytes are not the expected ones; InputError where the archive that lies there is not the expected one. Nothing
    incomplete ever stands under a final name.
    """
    target = root / archive.folder
    file = root / archive.name
    if not target.exists():
        _require_filter()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{archive.name}.lock"):
            if target.exists():
                return target
            downloaded = not file.exists()
            if downloaded and os.environ.get("ABLATE_OFFLINE"):
                raise AblationError(f"{file} is not there, and ABLATE_OFFLINE forbids to download it")
            if downloaded:
                download(archive, file, tls=tls)
            elif (found := _sha256(file)) != archive.sha256:
                raise InputError(f"{file}: its sha256 is {found}, not {archive.sha256}; delete it to download it again")
            extract(file, target)
            if downloaded:
                file.unlink()
    except OSError as error:
        raise AblationError(f"cannot write to {root}: {error}") from error
    return target


def download(archive: Archive, target: Path, *, tls: ssl.SSLContext | None = None) -> None:
    """Write the file at the archive's address to `target`, by https alone, also across redirects.

    The caller sees to it that no other process downloads to the same target. `tls` says which authorities are
    trusted, the system's by default. AblationError where it fails; then `target` is as it was.
    """
    if urlsplit(archive.url).scheme != "https":
        raise AblationError(f"{archive.url} is not an https address")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        # Exclusive creation does not follow a link that somebody may have put there.
        with partial.open("xb") as out:
            found = _copy(archive, out, tls or ssl.create_default_context())
            out.flush()
            os.fsync(out.fileno())
        if found != archive.sha256:
            raise AblationError(f"{archive.url}: the sha256 of what came is {found}, not {archive.sha256}")
        partial.replace(target)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()  # it is the response, too, and holds the connection
        raise AblationError(f"cannot download {archive.url} to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def extract(file: Path, target: Path) -> None:
    """Unpack the folder `target.name` of a gzipped tar file to `target`, all of it or nothing.

    AblationError where the file is damaged or holds anything but plain files and folders inside that folder.
    """
    _require_filter()
    partial = target.with_name(f".{target.name}.partial")
    _remove(partial)
    try:
        partial.mkdir()
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                _refuse_strange(member, file, target.name)
            tar.extractall(partial, filter="data")
        (partial / target.name).rename(target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise AblationError(f"cannot unpack {file}: {error}") from error
    finally:
        _remove(partial)


def _require_filter() -> None:
    """Refuse before anything is downloaded what could not be unpacked afterwards."""
    if not hasattr(tarfile, "data_filter"):
        found = ".".join(map(str, sys.version_info[:3]))
        raise AblationError(
            f"unpacking an archive safely needs Python 3.11.4 or newer, and this is {found}. Use a newer one, or "
            "unpack the archive yourself."
        )


def _refuse_strange(member: tarfile.TarInfo, file: Path, folder: str) -> None:
    path = PurePosixPath(member.name)
    inside = path.parts[:1] == (folder,) and ".." not in path.parts and "\\" not in member.name
    if not inside or not (member.isfile() or member.isdir()):
        raise AblationError(f"{file}: nothing unpacked, as {member.name!r} is not a plain file or folder in {folder!r}")


def _copy(archive: Archive, out: BinaryIO, tls: ssl.SSLContext) -> str:
    """Copy the body, with a progress bar on stderr, and return its sha256."""
    opener = build_opener(HTTPSHandler(context=tls), _HttpsRedirects())
    request = Request(archive.url, headers={"User-Agent": "ablation-harness"})  # noqa: S310  the scheme was checked
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    sha256, came = hashlib.sha256(), 0
    with (
        opener.open(request, timeout=_TIMEOUT_SECONDS) as response,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task(archive.name, total=archive.size)
        for block in _blocks(response):
            came += len(block)
            if came > archive.size:
                break
            sha256.update(block)
            out.write(block)
            progress.update(bar, completed=came)
    if came != archive.size:
        more_or_less = "more than" if came > archive.size else f"{came:,} instead of"
        raise AblationError(f"{archive.url}: {more_or_less} {archive.size:,} bytes came; try again later")
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


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _remove(path: Path) -> None:
    """Remove what a killed process left; a link is removed, not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
