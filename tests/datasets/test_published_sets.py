"""The published data sets: downloaded from a real HTTPS server, and read as torchvision reads them.

The archives are small ones of the same formats: those that are published cannot be had by tests.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from https_site import Site
from small_archives import SMALL, Small, idx

from ablation import components
from ablation.components import Part
from ablation.datasets import cifar100, fashion_mnist, mnist, stl10, svhn
from ablation.errors import AblationError, InputError
from ablation.sources import idx_files
from ablation.splits import Extent, LabelledImages, Splits

theirs = pytest.importorskip("torchvision.datasets")

NOWHERE = "https://127.0.0.1:1"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(params=SMALL)
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Small:
    """One of them, at an address where nobody listens."""
    made = SMALL[request.param]()
    made.publish(monkeypatch, NOWHERE)
    return made


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def assert_same(part: LabelledImages, expected: LabelledImages) -> None:
    np.testing.assert_array_equal(part.images, expected.images)
    np.testing.assert_array_equal(part.labels, expected.labels)
    assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)


def assert_is(splits: Splits, small: Small) -> None:
    assert_same(splits.train, small.train)
    assert_same(splits.test, small.test)


def test_it_is_downloaded_once_and_decoded_once(
    small: Small, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.publish(monkeypatch, site.address)
    monkeypatch.setenv("SSL_CERT_FILE", str(site.ca_file))
    site.bodies = {f"/{name}": content for name, content in small.served.items()}
    root = tmp_path / "Größe [x]"
    first = small.module.build(root)
    assert_is(first, small)
    assert isinstance(first.train.images, np.memmap)
    decoder = small.module if hasattr(small.module, "whole") else idx_files
    monkeypatch.setattr(decoder, "whole", None)  # what decoding ends with
    assert small.module.build(root).fingerprint == first.fingerprint
    assert site.requests == [f"/{name}" for name in small.served]
    # Nothing is unpacked that is not used, and no archive is kept.
    there = {path.name for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert there == set(small.module.ARCHIVE.files if hasattr(small.module, "ARCHIVE") else small.served)


def test_a_download_that_is_another_leaves_nothing(
    small: Small, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.publish(monkeypatch, site.address)
    monkeypatch.setenv("SSL_CERT_FILE", str(site.ca_file))
    site.bodies = {f"/{name}": content[:-1] + bytes([content[-1] ^ 1]) for name, content in small.served.items()}
    with pytest.raises(AblationError, match=r"(?s)the sha256 of what came is .*three ways out"):
        small.module.build(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_broken_off_download_goes_on(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SMALL["mnist"]()
    small.publish(monkeypatch, site.address)
    monkeypatch.setenv("SSL_CERT_FILE", str(site.ca_file))
    names = list(small.served)
    site.bodies = {f"/{name}": small.served[name] for name in names[:2]}
    with pytest.raises(AblationError, match="HTTP Error 404"):
        mnist.build(tmp_path)
    site.bodies = {f"/{name}": small.served[name] for name in names[2:]}
    assert_is(mnist.build(tmp_path), small)


@pytest.mark.parametrize("kind", ["torchvision's", "as published"])
def test_what_lies_there_is_taken(small: Small, tmp_path: Path, kind: str) -> None:
    if kind == "torchvision's":
        write(tmp_path, small.lying)
    else:
        folder = tmp_path / small.module.__name__.rpartition(".")[2] if hasattr(small.module, "REMOTES") else tmp_path
        write(folder, small.served)
    assert_is(small.module.build(tmp_path), small)


READERS: dict[str, Callable[[Path, bool], Any]] = {
    "mnist": lambda root, train: theirs.MNIST(root, train=train),
    "fashion_mnist": lambda root, train: theirs.FashionMNIST(root, train=train),
    "cifar100": lambda root, train: theirs.CIFAR100(root, train=train),
    "svhn": lambda root, train: theirs.SVHN(root, split="train" if train else "test"),
    "stl10": lambda root, train: theirs.STL10(root, split="train" if train else "test"),
}


@pytest.mark.parametrize("name", SMALL)
def test_it_is_read_as_torchvision_reads_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SMALL[name]()
    small.publish(monkeypatch, NOWHERE)
    write(tmp_path, small.lying)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda path, md5=None: Path(path).is_file())
    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda path, md5=None: Path(path).is_file())
    monkeypatch.setattr("torchvision.datasets.stl10.check_integrity", lambda path, md5=None: Path(path).is_file())
    ours = small.module.build(tmp_path)
    for part, train in ((ours.train, True), (ours.test, False)):
        reader = READERS[name](tmp_path, train)
        assert len(reader) == len(part)
        for number, (image, label) in enumerate(reader):
            pixels = np.asarray(image).reshape(*part.images.shape[2:], -1).transpose(2, 0, 1)
            np.testing.assert_array_equal(part.images[number], pixels)
            assert part.labels[number] == label


def test_sums_and_classes_are_those_that_torchvision_has() -> None:
    assert list(fashion_mnist.CLASSES) == theirs.FashionMNIST.classes
    assert dict(theirs.CIFAR100.train_list + theirs.CIFAR100.test_list) == {
        **cifar100.TRAIN_BATCHES,
        **cifar100.TEST_BATCHES,
    }
    published = dict(theirs.STL10.train_list + theirs.STL10.test_list)
    assert {name: published[name] for name in stl10.FILES} == stl10.FILES
    assert [remote.name for remote in mnist.REMOTES] == [name for name, _ in theirs.MNIST.resources]
    assert [remote.name for remote in fashion_mnist.REMOTES] == [name for name, _ in theirs.FashionMNIST.resources]
    assert [remote.name for remote in svhn.REMOTES] == [theirs.SVHN.split_list[each][1] for each in ("train", "test")]
    for module in (cifar100, stl10):
        assert len(module.ARCHIVE.sha256) == 64
    for module in (mnist, fashion_mnist, svhn):
        assert {len(remote.sha256) for remote in module.REMOTES} == {64}


@pytest.mark.parametrize(
    ("name", "choices", "extent"),
    [
        ("mnist", {}, Extent(60_000, 10_000, 10, 1)),
        ("fashion_mnist", {"train_size": 500}, Extent(500, 10_000, 10, 1)),
        ("cifar100", {}, Extent(50_000, 10_000, 100, 3)),
        ("cifar100", {"labels": "coarse", "test_size": 20}, Extent(50_000, 20, 20, 3)),
        ("svhn", {}, Extent(73_257, 26_032, 10, 3)),
        ("stl10", {"size": 32}, Extent(5_000, 8_000, 10, 3)),
    ],
)
def test_a_plan_needs_no_download(name: str, choices: dict[str, Any], extent: Extent) -> None:
    assert components.extent_of(components.complete("dataset", Part(name=name, choices=choices))) == extent


def test_sizes_draw_each_class_evenly_and_the_same_every_time(small: Small, tmp_path: Path) -> None:
    write(tmp_path, small.lying)
    classes = len(small.module.build(tmp_path).classes)
    drawn = small.module.build(tmp_path, train_size=classes, test_size=classes)
    for part in (drawn.train, drawn.test):
        assert np.bincount(part.labels).tolist() == [1] * classes
    assert drawn.fingerprint == small.module.build(tmp_path, train_size=classes, test_size=classes).fingerprint
    with pytest.raises(InputError, match=rf"train_size is 1; give {classes} \(an image a class\)"):
        small.module.build(tmp_path, train_size=1)


def test_altered_files_are_not_opened(small: Small, tmp_path: Path) -> None:
    lying = small.served if hasattr(small.module, "REMOTES") else small.lying
    name = next(name for name in lying if "train" in name)
    content = bytearray(lying[name])
    content[len(content) // 2] ^= 1
    folder = tmp_path / small.module.__name__.rpartition(".")[2] if hasattr(small.module, "REMOTES") else tmp_path
    write(folder, {**lying, name: bytes(content)})
    with pytest.raises(InputError, match=rf"{Path(name).name}: its (sha256|md5) is .*; delete .* to download it again"):
        small.module.build(tmp_path)


def test_missing_files_are_named(small: Small, tmp_path: Path) -> None:
    name = next(name for name in small.lying if "train" in name)
    write(tmp_path, {each: content for each, content in small.lying.items() if each != name})
    with pytest.raises(InputError, match=rf"{Path(name).name}(\.gz)? is missing"):
        small.module.build(tmp_path)


@pytest.mark.parametrize("offline", [True, False])
def test_without_files_and_network_the_ways_out_are_told(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    if offline:
        monkeypatch.setenv("ABLATE_OFFLINE", "1")
    with pytest.raises(AblationError) as error:
        small.module.build(tmp_path / "data")
    assert error.value.exit_code == 5
    name = next(iter(small.served))
    for way in (str(tmp_path / "data"), f"put it there: {name}", "--data-dir or ABLATE_DATA", "go online", NOWHERE):
        assert way in str(error.value)


def test_coarse_classes_of_cifar_100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SMALL["cifar100"]()
    small.publish(monkeypatch, NOWHERE)
    write(tmp_path, small.lying)
    coarse, fine = cifar100.build(tmp_path, labels="coarse"), cifar100.build(tmp_path)
    assert (len(coarse.classes), len(fine.classes)) == (20, 100)
    assert coarse.train.labels.tolist() == (small.train.labels % 20).tolist()
    assert coarse.fingerprint != fine.fingerprint
    assert cifar100.build(tmp_path / "cifar-100-python").fingerprint == fine.fingerprint


@pytest.mark.parametrize("size", [48, 32])
def test_smaller_images_of_stl10_are_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    small = SMALL["stl10"]()
    small.publish(monkeypatch, NOWHERE)
    write(tmp_path, small.lying)
    images = stl10.build(tmp_path, size=size).train.images
    by = 96 // size
    assert images.shape == (20, 3, size, size)
    square = small.train.images[7, 2, 5 * by : 6 * by, 9 * by : 10 * by]
    assert abs(int(images[7, 2, 5, 9]) - square.mean()) <= 0.5
    assert images.mean() == pytest.approx(small.train.images.mean(), abs=0.01)


IMAGES, LABELS = np.zeros((10, 28, 28), np.uint8), np.arange(10)
WRONG_IDX: dict[str, tuple[bytes, bytes, str]] = {
    "short": (idx(IMAGES)[:-1], idx(LABELS), "train-images-idx3-ubyte holds 7,839 bytes, and its header says 7,840"),
    "long": (idx(IMAGES) + b"x", idx(LABELS), "train-images-idx3-ubyte holds 7,841 bytes"),
    "empty": (b"", idx(LABELS), "train-images-idx3-ubyte is not an IDX file"),
    "wide": (idx(IMAGES[:, :, :20]), idx(LABELS), "is not an IDX file of at most 60000 x 28 x 28 bytes"),
    "flat": (idx(LABELS), idx(LABELS), "is not an IDX file"),
    "large": (b"\0\0\x08\x03" + b"\xff" * 12 + b"x" * 100, idx(LABELS), "is not an IDX file of at most"),
    "fewer labels": (idx(IMAGES), idx(LABELS[:9]), "has 10 images, .*train-labels-idx1-ubyte 9 labels"),
    "label of none": (idx(IMAGES), idx(LABELS + 1), "train-labels-idx1-ubyte: a label is 10; it needs to be 0 to 9"),
    "class without images": (idx(IMAGES), idx(np.maximum(LABELS, 1)), "no training image is of the class 0"),
    "nothing": (idx(IMAGES[:0]), idx(LABELS[:0]), "no training image is of the class 0"),
}


@pytest.mark.parametrize("case", WRONG_IDX)
def test_unpacked_files_of_another_form_are_named(tmp_path: Path, case: str) -> None:
    images, labels, message = WRONG_IDX[case]
    files = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}
    files |= {"t10k-images-idx3-ubyte": idx(IMAGES), "t10k-labels-idx1-ubyte": idx(LABELS)}
    write(tmp_path / "MNIST" / "raw", files)
    with pytest.raises(InputError, match=message):
        mnist.build(tmp_path)


def test_a_gzip_bomb_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checksum would refuse it first: here it is the published one."""
    small = SMALL["mnist"]()
    name = "train-images-idx3-ubyte.gz"
    small.served[name] = gzip.compress(bytes(100_000_000), 1)
    small.publish(monkeypatch, NOWHERE)
    write(tmp_path / "mnist", small.served)
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz is not an IDX file of at most 60000 x 28 x 28"):
        mnist.build(tmp_path)


@pytest.mark.parametrize("content", [b"text", b"MATLAB 5.0" + bytes(500)])
def test_a_file_of_another_kind_is_not_taken_for_svhn(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.mat does not hold the images of SVHN"):
        svhn.read_matrices(tmp_path / "x.mat", hashlib.sha256(content).hexdigest())
