from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ablation.errors import InputError
from ablation.sources.cifar_batches import read_batches


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("evil-was-here",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"data": Evil(), "labels": []}, protocol=2), f"asks for {os.mkdir.__module__}.mkdir"),
        (pickle.dumps([1, 2]), "is not a CIFAR batch"),
        (pickle.dumps({"data": np.zeros((2, 99), np.uint8), "labels": [1, 1]}), "is not a CIFAR batch"),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}), "has 2 images but 1 labels"),
        (b"\x80", "is not a CIFAR batch"),
    ],
    ids=["evil", "list", "wide", "unequal", "torn"],
)
def test_pickle_that_is_no_batch_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_batches(tmp_path, {"batch": hashlib.md5(content).hexdigest()}, side=32)
    assert message in str(error.value)
    assert str(tmp_path / "batch") in str(error.value)
    assert not (tmp_path / "evil-was-here").exists()


def test_missing_batch_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch cannot be read"):
        read_batches(tmp_path, {"batch": "0" * 32}, side=32)


def test_images_are_planes_of_red_green_and_blue(tmp_path: Path) -> None:
    data = np.arange(2 * 12, dtype=np.uint8).reshape(2, 12)
    content = pickle.dumps({"data": data, "labels": [1, 0]})
    (tmp_path / "batch").write_bytes(content)
    part = read_batches(tmp_path, {"batch": hashlib.md5(content).hexdigest()}, side=2)
    assert part.images[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]
    assert part.labels.tolist() == [1, 0]


def test_labels_have_a_name_of_their_own(tmp_path: Path) -> None:
    content = pickle.dumps({"data": np.zeros((2, 12), np.uint8), "fine_labels": [7, 8], "coarse_labels": [1, 0]})
    (tmp_path / "batch").write_bytes(content)
    checksums = {"batch": hashlib.md5(content).hexdigest()}
    assert read_batches(tmp_path, checksums, side=2, labels="coarse_labels").labels.tolist() == [1, 0]
    with pytest.raises(InputError, match="is not a CIFAR batch: 'labels'"):
        read_batches(tmp_path, checksums, side=2)
