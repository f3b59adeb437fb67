"""What is looked at on a machine before trials are sent there: that it sees the same as the driver's machine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ablation import components, provenance
from ablation.durable import write_whole
from ablation.errors import AblationError
from ablation.provenance import WHERE_IMPORTED
from ablation.settings import Frozen, Part
from ablation.sources.roots import offline
from ablation.trial import Arm

SHARE = "The run folder must lie on a disk that all nodes share: give a --runs-dir there."


class Hardware(Frozen):
    """What a machine computes with, by kinds of device: `cpu`, and the accelerator where there is one."""

    names: dict[str, str]
    precisions: dict[str, Literal["float32", "bfloat16"]]
    """What it does well."""


class Software(Frozen):
    """What decides a result beside the study and the hardware."""

    versions: dict[str, str]
    code: dict[str, str]
    """Sums of the package and of the components, as the stamp of a trial has them."""
    data: dict[str, str]
    """The fingerprint of each data set, by its name."""

    def differences(self, other: Software) -> list[str]:
        """What is otherwise on another machine, in words."""
        pairs = ((self.versions, other.versions), (self.code, other.code), (self.data, other.data))
        return [
            f"{name}: {theirs.get(name, 'missing')} there, {mine.get(name, 'missing')} here"
            for mine, theirs in pairs
            for name in sorted({*mine, *theirs})
            if mine.get(name) != theirs.get(name)
        ]


def hardware() -> Hardware:
    """That of this machine."""
    from ablation.training.devices import device_name, resolve_device, resolve_precision  # torch; nothing else needs it

    kinds = dict.fromkeys(("cpu", resolve_device("auto")))
    return Hardware(
        names={kind: device_name(kind) for kind in kinds}, precisions={kind: resolve_precision(kind) for kind in kinds}
    )


def software(arms: Sequence[Arm], metrics: Sequence[Part], data_root: Path) -> Software:
    """That of this machine, as far as these arms and metrics need it; nothing is downloaded.

    Raises:
        AblationError: a data set or a component is missing here, or damaged.
    """
    code, data = {"ablation": components.package_code()}, dict[str, str]()
    with offline():
        for arm in arms:
            code |= components.code_of(arm.settings, metrics)
        for part in {arm.settings.dataset.model_dump_json(): arm.settings.dataset for arm in arms}.values():
            data[f"data set {part.name} {part.choices or ''}".strip()] = components.open_data(
                part, data_root
            ).fingerprint
    versions = {name: version for name, version in provenance.versions().items() if name not in WHERE_IMPORTED}
    return Software(versions=versions, code=code, data=data)


def leave_mark(folder: Path, beginning: str) -> str:
    """Write a file that other machines look for; its name, which begins like this and is given to no other.

    Raises:
        AblationError: the folder is not there, or cannot be written to.
    """
    name = f"{beginning}-{uuid.uuid4().hex[:12]}"
    try:
        write_whole(folder / name, name)
    except OSError as error:
        raise AblationError(f"nothing can be written to {folder}: {error.strerror}. {SHARE}") from error
    return name


def unseen(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Which marks of other machines are not to be seen from this one."""
    return tuple(name for name in names if not _is_seen(folder / name))


def _is_seen(mark: Path) -> bool:
    try:
        return mark.read_text() == mark.name
    except FileNotFoundError:
        return False
