"""A trial written as a model with its card: nothing is left on the disk unless it gives what the trial gave."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ablation import designs
from ablation.durable import make_folder, write_whole
from ablation.exporting.card import card
from ablation.exporting.description import Format
from ablation.exporting.facts import Facts
from ablation.exporting.opening import open_model
from ablation.exporting.parity import Agreement, check
from ablation.exporting.places import Places
from ablation.exporting.restoring import Restored, restored
from ablation.run_folder import RunFolder
from ablation.sealed import sum_of
from ablation.trial import Record


def export(folder: RunFolder, record: Record, data_root: Path, to: Format, places: Places) -> Sequence[Agreement]:
    """Write a trial's model and its card, and say how far the model is from the trial.

    Raises:
        InputError: the trial has no weights, or its model cannot be written so.
        DataError: the data at hand are not the trial's.
        AblationError: a package is missing.
        ParityError: what was written does not give what the trial gave; then there is no file.
    """
    trial = restored(folder, record, data_root)
    content = _content(trial, to)
    with tempfile.TemporaryDirectory(prefix="ablate-") as scratch:
        file = Path(scratch, places.model.name)
        file.write_bytes(content)
        run = open_model(file).load()
        agreements = check(run, trial, folder.beginning().study.execution.device)
    text = card(_facts(folder, trial, (to, places.model.name, content), agreements))
    make_folder(places.model.parent)
    write_whole(places.model, content)
    write_whole(places.card, text)
    return agreements


def _content(trial: Restored, to: Format) -> bytes:
    match to:
        case "safetensors":
            from ablation.exporting.as_safetensors import write
        case "pt2":
            from ablation.exporting.as_pt2 import write
        case "onnx":
            from ablation.exporting.as_onnx import write
    return write(trial.classifier, trial.description)


def _facts(
    folder: RunFolder, trial: Restored, written: tuple[Format, str, bytes], agreements: Sequence[Agreement]
) -> Facts:
    begun, data = folder.beginning(), trial.built.data
    records = folder.records()
    signature = trial.record.trial.arm.settings.signature()
    to, name, content = written
    sizes = {"training": len(data.train), "validation": len(data.validation), "test": len(trial.built.splits.test)}
    return Facts(
        begun=begun,
        record=trial.record,
        outcome=trial.outcome,
        of_the_arm=[one for one in records if one.trial.arm.settings.signature() == signature],
        arms=len(designs.arms_of(begun.study, records)),
        description=trial.description,
        sizes=sizes,
        to=to,
        file=name,
        sha256=sum_of(content),
        size=len(content),
        agreements=agreements,
    )
