"""The published data sets in small: files of the same formats, and the images that are in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from https_site import tar_gz
from scipy.io import savemat

from ablation.datasets import cifar100, fashion_mnist, mnist, stl10, svhn
from ablation.sources.downloads import Archive, Remote
from ablation.splits import LabelledImages


@dataclass(frozen=True)
class Small:
    """A data set with few images."""

    module: ModuleType
    train: LabelledImages
    test: LabelledImages
    served: dict[str, bytes]
    """What its publisher's server gives, by file name."""
    lying: dict[str, bytes]
    """The files of torchvision's layout, by their paths from the root."""

    def publish(self, patch: pytest.MonkeyPatch, address: str) -> None:
        """Let the data set be downloaded from that address, with the checksums of these files."""
        if hasattr(self.module, "REMOTES"):
            remotes = tuple(
                Remote(f"{address}/{name}", hashlib.sha256(content).hexdigest(), len(content))
                for name, content in self.served.items()
            )
            patch.setattr(self.module, "REMOTES", remotes)
            return
        ((name, content),) = self.served.items()
        whole: Archive = self.module.ARCHIVE
        archive = Archive(
            f"{address}/{name}",
            hashlib.sha256(content).hexdigest(),
            len(content),
            whole.folder,
            whole.files,
            10_000_000,
        )
        patch.setattr(self.module, "ARCHIVE", archive)
        for constant in ("TRAIN_BATCHES", "TEST_BATCHES", "FILES"):
            if hasattr(self.module, constant):
                patch.setattr(self.module, constant, {name: self.md5(name) for name in getattr(self.module, constant)})

    def md5(self, name: str) -> str:
        """Of a file in torchvision's layout, by its name."""
        (content,) = (content for path, content in self.lying.items() if path.rpartition("/")[2] == name)
        return hashlib.md5(content).hexdigest()


def drawn(shape: tuple[int, ...], classes: int, count: int, seed: int) -> LabelledImages:
    """Noise, every class equally often."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % classes)
    return LabelledImages(rng.integers(0, 256, (count, *shape), dtype=np.uint8), labels)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def of_mnist(module: ModuleType, folder: str, seed: int) -> Small:
    train, test = drawn((1, 28, 28), 10, 40, seed), drawn((1, 28, 28), 10, 20, seed + 1)
    files = {
        "train-images-idx3-ubyte": idx(train.images[:, 0]),
        "train-labels-idx1-ubyte": idx(train.labels),
        "t10k-images-idx3-ubyte": idx(test.images[:, 0]),
        "t10k-labels-idx1-ubyte": idx(test.labels),
    }
    served = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    return Small(module, train, test, served, {f"{folder}/raw/{name}": content for name, content in files.items()})


def of_cifar100() -> Small:
    train, test = drawn((3, 32, 32), 100, 200, 5), drawn((3, 32, 32), 100, 100, 6)
    files = {
        name: pickle.dumps(
            {
                "data": part.images.reshape(len(part), -1),
                "fine_labels": part.labels.tolist(),
                "coarse_labels": (part.labels % 20).tolist(),
                "filenames": ["x.png"] * len(part),
            }
        )
        for name, part in (("train", train), ("test", test))
    }
    names = {f"{kind}_label_names": names.split() for kind, names in cifar100.CLASSES.items()}
    lying = {f"cifar-100-python/{name}": content for name, content in files.items()}
    lying["cifar-100-python/meta"] = pickle.dumps(names)
    return Small(cifar100, train, test, {"cifar-100-python.tar.gz": tar_gz(lying)}, lying)


def of_svhn() -> Small:
    train, test = drawn((3, 32, 32), 10, 40, 7), drawn((3, 32, 32), 10, 20, 8)
    files = {}
    for name, part in (("train_32x32.mat", train), ("test_32x32.mat", test)):
        labels = np.where(part.labels == 0, 10, part.labels).astype(np.uint8)[:, np.newaxis]
        out = io.BytesIO()
        savemat(out, {"X": part.images.transpose(2, 3, 1, 0), "y": labels}, do_compression=True)
        files[name] = out.getvalue()
    return Small(svhn, train, test, files, files)


def of_stl10() -> Small:
    train, test = drawn((3, 96, 96), 10, 20, 9), drawn((3, 96, 96), 10, 10, 10)
    lying = {"stl10_binary/class_names.txt": "\n".join(stl10.CLASSES).encode()}
    for name, part in (("train", train), ("test", test)):
        lying[f"stl10_binary/{name}_X.bin"] = part.images.transpose(0, 1, 3, 2).tobytes()
        lying[f"stl10_binary/{name}_y.bin"] = (part.labels + 1).astype(np.uint8).tobytes()
    lying["stl10_binary/unlabeled_X.bin"] = bytes(3 * 96 * 96)
    lying["stl10_binary/fold_indices.txt"] = b"0 1\n" * 10
    return Small(stl10, train, test, {"stl10_binary.tar.gz": tar_gz(lying)}, lying)


SMALL: dict[str, Callable[[], Small]] = {
    "mnist": lambda: of_mnist(mnist, "MNIST", 1),
    "fashion_mnist": lambda: of_mnist(fashion_mnist, "FashionMNIST", 3),
    "cifar100": of_cifar100,
    "svhn": of_svhn,
    "stl10": of_stl10,
}
