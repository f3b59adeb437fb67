"""`ablate export`: one trained trial as a model that stands alone. Trains nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

from ablation.cli.exportable import Ready
from ablation.cli.terminal import say
from ablation.cli.trials import label
from ablation.exporting.parity import Agreement
from ablation.exporting.writing import export
from ablation.sources.roots import find_data_root
from ablation.trial import Record
from ablation.wording import listed


def export_trial(ready: Ready, data_dir: Path | None) -> None:
    """Write the model and its card, and say how close the model is to its trial."""
    if names := sorted(part.name for part in ready.record.trial.arm.settings.parts() if "." in part.name):
        say(f"runs code from outside the package: {listed(names)}")
    say(f"writing {label(ready.record)} as {ready.to}, and checking it on images that it was measured on")
    for one in export(ready.folder, ready.record, find_data_root(data_dir), ready.to, ready.places):
        say(_told(one, ready.record))
    say(f"wrote {label(ready.record)} to {ready.places.model}, and what is to be known of it to {ready.places.card}")
    say(f"next: {shlex.join(['ablate', 'predict', str(ready.places.model)])} image.png")


def _told(one: Agreement, record: Record) -> str:
    stamp = record.outcome.stamp if record.outcome else None
    precision = f" ({stamp.precision} then)" if stamp and stamp.precision else ""
    whom = f"the record of the trial{precision}" if one.against == "record" else "the model in PyTorch"
    return f"beside {whom}: {one}"
