"""A trained trial from its run folder: its weights in its model, with the data that it was measured on."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import torch

from ablation.errors import DamagedFileError, DataError, InputError
from ablation.exporting.classifier import Classifier, without_images
from ablation.exporting.description import Description
from ablation.preparation import Prepared, prepared
from ablation.run_folder import RunFolder
from ablation.sealed import sum_of
from ablation.training.data import DeviceImages
from ablation.trial import Assignment, Outcome, Record

WEIGHTS = "weights.pt"


@dataclass(frozen=True, slots=True)
class Restored:
    """A trial as it was when its training had ended, on the CPU."""

    record: Record
    outcome: Outcome
    place: Path
    """Where the trial keeps its files."""
    built: Prepared
    classifier: Classifier
    description: Description

    @property
    def measured(self) -> DeviceImages:
        """The images that the trial's predictions are about."""
        return self.built.data.test or self.built.data.validation


def restored(folder: RunFolder, record: Record, data_root: Path) -> Restored:
    """Build what the trial was, give it the weights that it came to, and describe it.

    Raises:
        InputError: it has no weights, or a component cannot be built.
        DataError: the data at hand are not those that it was trained on.
        DamagedFileError: the weights are not those that were written.
    """
    place, outcome = folder.trial_folder(record.trial.id), record.outcome
    if outcome is None or not (place / WEIGHTS).exists():
        raise InputError(f"{place} has no {WEIGHTS}.")
    weights = _weights(place, record)
    trial = record.trial
    built = prepared(
        Assignment(trial=trial, folder=place, data_root=data_root, device="cpu", threads=torch.get_num_threads())
    )
    if outcome.stamp and outcome.stamp.data_fingerprint not in ("", built.splits.fingerprint):
        raise DataError(
            f"the data set {trial.arm.settings.dataset.name} at hand is not the one that {trial.id} was trained on "
            "(its fingerprint differs): the model could not be checked. Give the folder of the other with --data-dir."
        )
    try:
        built.ingredients.model.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"the weights of {trial.id} do not fit the model {trial.arm.settings.model.name} as its code builds it "
            f"now. Take the code that trained it{_commit(outcome)}: {error}"
        ) from error
    description = _description(folder, record, built)
    classifier = Classifier(built.ingredients.model, built.data.transform, mirrored=description.mirrored)
    return Restored(record, outcome, place, built, classifier, description)


def _weights(place: Path, record: Record) -> dict[str, torch.Tensor]:
    data = (place / WEIGHTS).read_bytes()
    way_out = "Restore it from a copy, or export another trial."
    if (written := record.sha256_of(WEIGHTS)) and sum_of(data) != written:
        raise DamagedFileError(place / WEIGHTS, "its sha256 is not the one in outcome.json", way_out, torn=False)
    try:
        weights: dict[str, torch.Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        raise DamagedFileError(place / WEIGHTS, f"{type(error).__name__}", way_out, torn=False) from error
    return weights


def _commit(outcome: Outcome) -> str:
    return f" (git commit {outcome.stamp.git_commit[:12]})" if outcome.stamp and outcome.stamp.git_commit else ""


def _description(folder: RunFolder, record: Record, built: Prepared) -> Description:
    begun, settings = folder.beginning(), record.trial.arm.settings
    channels, height, width = built.splits.train.images.shape[1:]
    outcome = record.outcome
    return Description(
        study=begun.study.folder_name,
        digest=begun.digest,
        trial=record.trial.id,
        arm=record.trial.arm.name,
        seed_block=record.trial.block,
        classes=built.splits.classes,
        channels=channels,
        height=height,
        width=width,
        model=settings.model,
        preprocessing=without_images(settings.preprocessing, built.data.train.images),
        mirrored=settings.recipe.mirrored_scoring,
        versions=outcome.stamp.versions if outcome and outcome.stamp else {},
    )
