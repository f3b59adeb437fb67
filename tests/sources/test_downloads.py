"""Downloads against a real HTTPS server on this machine, with an authority of its own."""

from __future__ import annotations

import datetime
import hashlib
import http.server
import io
import ipaddress
import ssl
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ablation.errors import AblationError, InputError
from ablation.sources.downloads import Archive, download, extract, obtain

pytest.importorskip("cryptography", reason="makes the server's certificate; comes with the dev extra")


def tar_gz(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


GOOD = tar_gz({"flowers/rose.bin": b"red" * 1000, "flowers/deep/tulip.bin": b"yellow"})


@dataclass
class Site:
    """What the server answers: bodies and redirects by path."""

    address: str
    ca_file: Path
    bodies: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def archive(self, path: str, expected: bytes = GOOD) -> Archive:
        return Archive(self.address + path, hashlib.sha256(expected).hexdigest(), len(expected), "flowers")

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One PEM file with the key and the certificate of 127.0.0.1, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ablation tests")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def site(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    site = Site(f"https://127.0.0.1:{server.server_port}", certificate)

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
            if target := site.redirects.get(self.path):
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
            elif (body := site.bodies.get(self.path)) is not None:
                self.send_response(200)
                self.send_header("Content-Length", str(site.promised.get(self.path, len(body))))
                self.end_headers()
                self.wfile.write(body)
            else:
                self.send_error(404)

        def log_message(self, *words: object) -> None:
            pass

    server.RequestHandlerClass = Answers
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def left_over(folder: Path) -> list[str]:
    """What stands in the folder besides the lock."""
    return [path.name for path in folder.iterdir() if path.suffix != ".lock"] if folder.exists() else []


@pytest.mark.parametrize("place", ["data", "with space and [brackets]", "Größe/日本 ' \" $HOME"])
def test_good_archive_is_unpacked_and_not_kept(site: Site, tmp_path: Path, place: str) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    root = tmp_path / place
    folder = obtain(site.archive("/flowers.tar.gz"), root, tls=site.tls)
    assert folder == root / "flowers"
    assert contents(folder) == {"rose.bin": b"red" * 1000, "deep/tulip.bin": b"yellow"}
    assert left_over(root) == ["flowers"]


def test_folder_that_is_there_is_not_downloaded(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    assert obtain(site.archive("/flowers.tar.gz"), tmp_path, tls=site.tls) == tmp_path / "flowers"
    assert site.requests == []


def test_archive_that_is_there_is_unpacked_offline_and_kept(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers.tar.gz").write_bytes(GOOD)
    obtain(site.archive("/flowers.tar.gz"), tmp_path, tls=site.tls)
    assert sorted(left_over(tmp_path)) == ["flowers", "flowers.tar.gz"]
    assert site.requests == []


def test_archive_that_is_there_but_is_another_is_bad_input(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flowers.tar.gz").write_bytes(GOOD[:-1])
    with pytest.raises(InputError, match=r"flowers\.tar\.gz: its sha256 is .* delete it"):
        obtain(site.archive("/flowers.tar.gz"), tmp_path, tls=site.tls)
    assert left_over(tmp_path) == ["flowers.tar.gz"]


def test_redirect_to_https_is_followed(site: Site, tmp_path: Path) -> None:
    site.redirects["/moved.tar.gz"] = f"{site.address}/flowers.tar.gz"
    site.bodies["/flowers.tar.gz"] = GOOD
    assert obtain(site.archive("/moved.tar.gz"), tmp_path, tls=site.tls).is_dir()


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
        obtain(site.archive(f"/{path}"), tmp_path, tls=site.tls)
    assert error.value.exit_code == 5
    assert left_over(tmp_path) == []


def test_bad_download_leaves_the_old_file_as_it_was(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "flowers.tar.gz"
    target.write_bytes(b"old")
    site.bodies["/flowers.tar.gz"] = GOOD[:-1]
    with pytest.raises(AblationError):
        download(site.archive("/flowers.tar.gz"), target, tls=site.tls)
    assert contents(tmp_path) == {"flowers.tar.gz": b"old"}


def test_unknown_authority_is_refused(site: Site, tmp_path: Path) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    with pytest.raises(AblationError, match="CERTIFICATE_VERIFY_FAILED"):
        obtain(site.archive("/flowers.tar.gz"), tmp_path)
    assert site.requests == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.tar.gz", "file:///etc/passwd", "ftp://127.0.0.1/a.tar.gz"])
def test_only_https_is_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(AblationError, match="not an https address"):
        obtain(Archive(url, "", 1, "flowers"), tmp_path)


def test_link_in_place_of_the_temporary_file_is_not_followed(site: Site, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    root = tmp_path / "root"
    root.mkdir()
    (root / ".flowers.tar.gz.partial").symlink_to(victim)
    (root / ".flowers.partial").symlink_to(tmp_path)
    site.bodies["/flowers.tar.gz"] = GOOD
    obtain(site.archive("/flowers.tar.gz"), root, tls=site.tls)
    assert victim.read_bytes() == b"precious"
    assert left_over(root) == ["flowers"]


@pytest.mark.parametrize(
    "name", ["../evil", "flowers/../../evil", "/evil", "elsewhere/evil", "flowers\\..\\..\\evil", "evil"]
)
def test_member_outside_the_folder_stops_everything(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    file = root / "flowers.tar.gz"
    file.write_bytes(tar_gz({"flowers/rose.bin": b"red", name: b"evil"}))
    with pytest.raises(AblationError, match="nothing unpacked"):
        extract(file, root / "flowers")
    assert left_over(root) == ["flowers.tar.gz"]
    assert left_over(tmp_path) == ["root"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_member_that_is_no_plain_file_stops_everything(tmp_path: Path, kind: bytes) -> None:
    file = tmp_path / "flowers.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        link = tarfile.TarInfo("flowers/link")
        link.type, link.linkname = kind, "flowers/rose.bin"
        tar.addfile(link)
    with pytest.raises(AblationError, match="nothing unpacked"):
        extract(file, tmp_path / "flowers")
    assert left_over(tmp_path) == ["flowers.tar.gz"]


@pytest.mark.parametrize("content", [b"", b"no archive", GOOD[:-30]], ids=["empty", "text", "torn"])
def test_damaged_archive_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "flowers.tar.gz"
    file.write_bytes(content)
    with pytest.raises(AblationError, match="cannot unpack"):
        extract(file, tmp_path / "flowers")
    assert left_over(tmp_path) == ["flowers.tar.gz"]


def test_two_processes_download_once(site: Site, tmp_path: Path) -> None:
    site.bodies["/flowers.tar.gz"] = GOOD
    archive = site.archive("/flowers.tar.gz")
    script = (
        "import ssl, sys; from pathlib import Path; from ablation.sources.downloads import Archive, obtain\n"
        "url, sha256, size, root, ca = sys.argv[1:]\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "archive = Archive(url, sha256, int(size), 'flowers')\n"
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


def test_what_could_not_be_unpacked_is_not_downloaded(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11.0 to 3.11.3."""
    monkeypatch.delattr("tarfile.data_filter")
    with pytest.raises(AblationError, match=r"needs Python 3\.11\.4 or newer, and this is 3\."):
        obtain(site.archive("/flowers.tar.gz"), tmp_path, tls=site.tls)
    assert not list(tmp_path.iterdir())
