"""Predictions as a trial stores them, and files that hold something else."""

import random
from pathlib import Path

import numpy as np
import pytest

from ablation.analysis.predictions import read_predictions
from ablation.errors import DamagedFileError


def stored(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "predictions.npz", **arrays)
    return folder


def probabilities(num_images: int = 40) -> np.ndarray:
    draws = np.random.default_rng(0).random((num_images, 5))
    return (draws / draws.sum(axis=1, keepdims=True)).astype(np.float16)


def test_the_class_of_the_largest_probability_is_the_prediction(tmp_path: Path):
    given = probabilities()
    labels = np.arange(40) % 5
    read = read_predictions(stored(tmp_path, probabilities=given, labels=labels))
    assert read.predicted.tolist() == [max(range(5), key=lambda at: row[at]) for row in given.tolist()]
    assert read.labels.tolist() == labels.tolist()
    assert read.correct.tolist() == (read.predicted == labels).tolist()


def test_a_folder_without_predictions_has_none(tmp_path: Path):
    assert read_predictions(tmp_path) is None


@pytest.mark.parametrize(
    "arrays",
    [
        {"probabilities": probabilities()},
        {"probabilities": probabilities(), "labels": np.arange(39)},
        {"probabilities": probabilities()[:, 0], "labels": np.arange(40)},
        {"probabilities": probabilities(), "labels": np.linspace(0, 1, 40)},
        {"probabilities": probabilities(), "labels": np.array([{}] * 40)},
    ],
    ids=["a missing array", "other lengths", "a vector", "labels that are no numbers of classes", "objects"],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays):
    with pytest.raises(DamagedFileError, match=r"predictions\.npz is damaged"):
        read_predictions(stored(tmp_path, **arrays))


def test_a_changed_byte_is_found_or_changes_nothing(tmp_path: Path):
    stored(tmp_path, probabilities=probabilities(), labels=np.arange(40) % 5)
    file = tmp_path / "predictions.npz"
    whole, before, draw, found = file.read_bytes(), read_predictions(tmp_path), random.Random(1), 0
    for _ in range(300):
        at = draw.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        try:
            after = read_predictions(tmp_path)
        except DamagedFileError:
            found += 1
        else:
            assert np.array_equal(after.predicted, before.predicted)
            assert np.array_equal(after.labels, before.labels)
    assert found > 200


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_torn_file_is_refused(tmp_path: Path, kept: int):
    stored(tmp_path, probabilities=probabilities(), labels=np.arange(40) % 5)
    file = tmp_path / "predictions.npz"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match="is damaged"):
        read_predictions(tmp_path)
