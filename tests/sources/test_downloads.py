"""Downloads against a real HTTPS server on this machine, with an authority of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from https_site import Site, tar_gz

from ablation.errors import AblationError, InputError
from ablation.sources.downloads import Archive, Remote, download, extract, obtain, obtain_files

GOOD = tar_gz({"flowers/rose.bin": b"red" * 1000, "flowers/tulip.bin": b"yellow", "flowers/README": b"Flowers."})
FILES = {"rose.bin": b"red" * 1000, "tulip.bin": b"yellow"}


def archive_at(url: str, expected: bytes = GOOD) -> Archive:
    digest = hashlib.sha256(expected).hexdigest()
    return Archive(url, digest, len(expected), "flowers", tuple(FILES), unpacked=3006)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def left_over(folder: Path) -> list[str]:
    """What stands in the folder besides the lock."""
    return [path.name for path in folder.iterdir() if path.suffix != ".lock"] if folder.exists() else []


@pytest.mark.parametrize("place", ["data", "with space and [brackets]", "Größe/日本 ' \" $HOME"])
def test_good_archive_is_unpacked_and_not_kept(site: Site, tmp_path: Path, place: str) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    root = tmp_path / place
    folder = obtain(archive_at(site.address + "/flowers.tar.gz"), root, tls=site.tls)
    assert folder == root / "flowers"
    assert contents(folder) == FILES
    assert left_over(root) == ["flowers"]


def test_folder_that_is_there_is_not_downloaded(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    assert obtain(archive_at(site.address + "/flowers.tar.gz"), tmp_path, tls=site.tls) == tmp_path / "flowers"
    assert site.requests == []


def test_archive_that_is_there_is_unpacked_offline_and_kept(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers.tar.gz").write_bytes(GOOD)
    obtain(archive_at(site.address + "/flowers.tar.gz"), tmp_path, tls=site.tls)
    assert sorted(left_over(tmp_path)) == ["flowers", "flowers.tar.gz"]
    assert site.requests == []


def test_archive_that_is_there_but_is_another_is_bad_input(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers.tar.gz").write_bytes(GOOD[:-1])
    with pytest.raises(InputError, match=r"flowers\.tar\.gz: its sha256 is .* delete it"):
        obtain(archive_at(site.address + "/flowers.tar.gz"), tmp_path, tls=site.tls)
    assert left_over(tmp_path) == ["flowers.tar.gz"]


def test_redirect_to_https_is_followed(site: Site, tmp_path: Path) -> None:
    site.redirects["/moved.tar.gz"] = f"{site.address}/flowers.tar.gz"
    site.bodies["/flowers.tar.gz"] = GOOD
    assert obtain(archive_at(site.address + "/moved.tar.gz"), tmp_path, tls=site.tls).is_dir()


BAD = {
    "truncated": "100 instead of",
    "hung-up": "100 instead of",
    "longer": "more than",
    "altered": "the sha256 of what came",
    "to-http": "redirects to http://.* not an https",
    "missing": "HTTP Error 404",
}


@pytest.mark.parametrize("path", BAD)
def test_bad_download_leaves_nothing(site: Site, tmp_path: Path, path: str) -> None:
    altered = bytearray(GOOD)
    altered[100] ^= 1
    site.bodies |= {
        "/truncated": GOOD[:100],
        "/hung-up": GOOD[:100],
        "/longer": GOOD + b"x",
        "/altered": bytes(altered),
    }
    site.promised["/hung-up"] = len(GOOD)
    site.redirects["/to-http"] = site.address.replace("https", "http") + "/flowers.tar.gz"
    with pytest.raises(AblationError, match=BAD[path]) as error:
        obtain(archive_at(f"{site.address}/{path}"), tmp_path, tls=site.tls)
    assert error.value.exit_code == 5
    assert left_over(tmp_path) == []


def test_bad_download_leaves_the_old_file_as_it_was(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "flowers.tar.gz"
    target.write_bytes(b"old")
    site.bodies["/flowers.tar.gz"] = GOOD[:-1]
    with pytest.raises(AblationError):
        download(archive_at(site.address + "/flowers.tar.gz"), target, tls=site.tls)
    assert contents(tmp_path) == {"flowers.tar.gz": b"old"}


def test_unknown_authority_is_refused(site: Site, tmp_path: Path) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    with pytest.raises(AblationError, match="CERTIFICATE_VERIFY_FAILED"):
        obtain(archive_at(site.address + "/flowers.tar.gz"), tmp_path)
    assert site.requests == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.tar.gz", "file:///etc/passwd", "ftp://127.0.0.1/a.tar.gz"])
def test_only_https_is_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(AblationError, match="not an https address"):
        obtain(archive_at(url), tmp_path)


def test_link_in_place_of_the_temporary_file_is_not_followed(site: Site, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    root = tmp_path / "root"
    root.mkdir()
    (root / ".flowers.tar.gz.partial").symlink_to(victim)
    (root / ".flowers.partial").symlink_to(tmp_path)
    site.bodies["/flowers.tar.gz"] = GOOD
    obtain(archive_at(site.address + "/flowers.tar.gz"), root, tls=site.tls)
    assert victim.read_bytes() == b"precious"
    assert left_over(root) == ["flowers"]


@pytest.mark.parametrize(
    "name", ["../evil", "flowers/../../evil", "/evil", "elsewhere/evil", "flowers\\..\\..\\evil", "evil"]
)
def test_no_name_in_an_archive_decides_where_anything_is_written(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    file = root / "flowers.tar.gz"
    file.write_bytes(tar_gz({name: b"evil"} | {f"flowers/{each}": content for each, content in FILES.items()}))
    extract(file, root / "flowers", archive_at("https://x/flowers.tar.gz"))
    assert contents(tmp_path) == {
        "root/flowers.tar.gz": file.read_bytes(),
        "root/flowers/rose.bin": FILES["rose.bin"],
        "root/flowers/tulip.bin": FILES["tulip.bin"],
    }


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_file_that_is_no_plain_one_stops_everything(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    file = tmp_path / "flowers.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        link = tarfile.TarInfo("flowers/rose.bin")
        link.type, link.linkname = kind, str(tmp_path / "secret")
        tar.addfile(link)
    with pytest.raises(AblationError, match=r"nothing unpacked, as 'flowers/rose\.bin' is no plain file"):
        extract(file, tmp_path / "flowers", archive_at("https://x/flowers.tar.gz"))
    assert sorted(left_over(tmp_path)) == ["flowers.tar.gz", "secret"]


def test_files_larger_than_published_and_missing_ones_stop_everything(tmp_path: Path) -> None:
    file = tmp_path / "flowers.tar.gz"
    file.write_bytes(GOOD)
    archive = archive_at("https://x/flowers.tar.gz")
    with pytest.raises(AblationError, match=r"'flowers/tulip\.bin' is too large \(6 bytes\)"):
        extract(file, tmp_path / "flowers", replace(archive, unpacked=3005))
    with pytest.raises(AblationError, match=r"nothing unpacked, as it has no flowers/lily\.bin"):
        extract(file, tmp_path / "flowers", replace(archive, files=("rose.bin", "lily.bin")))
    assert left_over(tmp_path) == ["flowers.tar.gz"]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Ten megabytes of nothing in ten kilobytes."""
    file = tmp_path / "flowers.tar.gz"
    file.write_bytes(tar_gz({"flowers/rose.bin": bytes(10_000_000), "flowers/tulip.bin": b"yellow"}))
    with pytest.raises(AblationError, match=r"'flowers/rose\.bin' is too large \(10,000,000 bytes\)"):
        extract(file, tmp_path / "flowers", archive_at("https://x/flowers.tar.gz"))
    assert left_over(tmp_path) == ["flowers.tar.gz"]


@pytest.mark.parametrize("content", [b"", b"no archive", GOOD[:100]], ids=["empty", "text", "torn"])
def test_damaged_archive_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "flowers.tar.gz"
    file.write_bytes(content)
    with pytest.raises(AblationError, match="cannot unpack"):
        extract(file, tmp_path / "flowers", archive_at("https://x/flowers.tar.gz"))
    assert left_over(tmp_path) == ["flowers.tar.gz"]


def test_two_processes_download_once(site: Site, tmp_path: Path) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    archive = archive_at(site.address + "/flowers.tar.gz")
    script = (
        "import ssl, sys; from pathlib import Path; from ablation.sources.downloads import Archive, obtain\n"
        "url, sha256, size, root, ca = sys.argv[1:]\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "archive = Archive(url, sha256, int(size), 'flowers', ('rose.bin', 'tulip.bin'), 3006)\n"
        "print(obtain(archive, Path(root), tls=ssl.create_default_context(cafile=ca)))\n"
    )
    command = [sys.executable, "-c", script, archive.url, archive.sha256, str(archive.size)]
    processes = [
        subprocess.Popen(
            [*command, str(tmp_path), str(site.ca_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert answers == [str(tmp_path / "flowers")] * 2
    assert site.requests == ["/flowers.tar.gz"]
    assert left_over(tmp_path) == ["flowers"]


def test_single_files_are_downloaded_where_they_are_not(site: Site, tmp_path: Path) -> None:
    site.bodies |= {f"/{name}": content for name, content in FILES.items()}
    remotes = [
        Remote(f"{site.address}/{name}", hashlib.sha256(content).hexdigest(), len(content))
        for name, content in FILES.items()
    ]
    (tmp_path / "rose.bin").write_bytes(b"mine")
    obtain_files(remotes, tmp_path, tls=site.tls)
    assert site.requests == ["/tulip.bin"]
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == {"rose.bin": b"mine", "tulip.bin": b"yellow"}


def test_nothing_is_downloaded_offline(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_OFFLINE", "1")
    archive = archive_at(f"{site.address}/flowers.tar.gz")
    for ask in (lambda: obtain(archive, tmp_path), lambda: obtain_files([archive], tmp_path)):
        with pytest.raises(AblationError, match=r"flowers\.tar\.gz is not there, and ABLATE_OFFLINE forbids"):
            ask()
    assert site.requests == []
