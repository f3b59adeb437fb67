"""What a study will cost and be able to see, from what is known before it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ablation import components, designs
from ablation.cli.locate import Located
from ablation.cli.planning.rates import Known, known_costs
from ablation.cli.running.room import Need, Sizes, disk_need
from ablation.errors import AblationError, InputError, StudyFileError
from ablation.findings import Aliasing
from ablation.run_folder import RunFolder
from ablation.settings import Part
from ablation.sources.roots import offline
from ablation.splits import VALIDATION_FRACTION, Extent
from ablation.study import Search, Study
from ablation.trial import Arm, Cost, Record

if TYPE_CHECKING:
    from ablation.cli.planning.foresight import Foresight


@dataclass(frozen=True, slots=True)
class Outlook:
    """The plan of a study with its price; None where something is not known yet."""

    located: Located
    arms: tuple[Arm, ...]
    slots: int
    seconds: float | None
    """Wall-clock seconds of all its trials."""
    known: Known
    need: Need
    foresight: Foresight
    aliasing: Aliasing | None
    """Of a fraction, what its arms cannot tell apart."""

    def seconds_of(self, blocks: int | None) -> float | None:
        """Wall-clock seconds of the same arms in another number of seed blocks."""
        return None if blocks is None else self.known.seconds(self.arms, blocks * len(self.arms))


@dataclass(frozen=True, slots=True)
class Measured:
    """What the outcome of a trial is read on."""

    images: int
    classes: int
    channels: int | None = None


def outlook(located: Located, slots: int, runs_dir: Path, data_root: Path, detect: str | None = None) -> Outlook:
    """Gather what is known of a study; `detect` is an effect such as `0.3pp` to tell the seed blocks for.

    Raises InputError where that is no effect, or nothing can be told of it.
    """
    from ablation.cli.planning.foresight import aliasing_of, asked_effect, foresight  # a run needs none of it

    study = located.study
    effect = asked_effect(detect, study.metric) if detect is not None else None
    arms = designs.arms(study)
    stored = located.folder.records() if located.folder.begun() else ()
    records = stored if located.begun else ()
    measured = measured_on(study, records, data_root)
    if measured is not None:
        check_margin(located, measured.images)
    known = known_costs(arms, stored, runs_dir, slots)
    return Outlook(
        located=located,
        arms=arms,
        slots=slots,
        seconds=known.seconds(arms, designs.planned_count(study, arms)),
        known=known,
        need=disk_need(study, arms, records, _sizes(arms, known.costs, measured), slots),
        foresight=foresight(study, arms, records, measured.images if measured else None, effect),
        aliasing=aliasing_of(study, arms),
    )


def check_margin(located: Located, images: int) -> None:
    """Refuse a margin that is smaller than one image can show."""
    study = located.study
    if study.metric != "accuracy" or isinstance(study.design, Search) or study.margin >= 1 / images:
        return
    message = (
        f"margin {study.margin} is less than one of the {images:,} {study.evaluate_on} images ({1 / images:.2g}). "
        f"Give at least that, such as margin: {max(0.002, 1 / images):.2g}."
    )
    places = located.places()
    raise InputError(message) if places is None else StudyFileError([places.of(("margin",), {}).problem(message)])


def measured_on(study: Study, records: Sequence[Record], data_root: Path) -> Measured | None:
    """What the outcome is read on; None where no trial has ended and the data set is neither at hand nor known."""
    for record in records:
        if record.outcome and record.outcome.confusion:
            return Measured(sum(map(sum, record.outcome.confusion)), len(record.outcome.classes))
    part = study.baseline.dataset
    if "." in part.name:  # code from outside the package, which a plan does not run
        return None
    try:
        with offline():  # a plan reads what is there
            splits = components.open_data(part, data_root)
    except InputError:
        raise
    except AblationError:  # not at hand: what is known of it makes the same plan
        extent = components.extent_of(part)
    else:
        extent = splits.extent
    return Measured(images_read(study, extent), extent.classes, extent.channels) if extent else None


def images_read(study: Study, extent: Extent) -> int:
    """How many images a trial's outcome is read on."""
    return extent.test if study.evaluate_on == "test" else round(VALIDATION_FRACTION * extent.train)


def room_for(folder: RunFolder, study: Study, slots: int, data_root: Path) -> Need:
    """What the rest of a study needs of the disk, its data set being at hand."""
    arms, records = designs.arms(study), folder.records()
    costs = known_costs(arms, records, folder.path.parent, slots).costs
    return disk_need(study, arms, records, _sizes(arms, costs, measured_on(study, (), data_root)), slots)


def _sizes(arms: Sequence[Arm], costs: Mapping[str, Cost], measured: Measured | None) -> Sizes:
    """From trials that were measured, else from models that are built to be counted."""
    counts: list[int] = []
    for arm in arms:
        cost, count = costs.get(arm.settings.signature()), None
        if cost:
            count = cost.parameters
        elif measured and measured.channels:
            count = built_size(arm.settings.model.model_dump_json(), measured.classes, measured.channels)
        if count is None:
            break
        counts.append(count)
    complete = tuple(counts) if len(counts) == len(arms) else None
    images, classes = (measured.images, measured.classes) if measured else (None, None)
    return Sizes(images, classes, complete)


@lru_cache(maxsize=256)
def built_size(model: str, classes: int, channels: int) -> int | None:
    """The number of weights of a `Part` given as JSON, built without memory for them.

    None where that cannot be said before a trial: code from outside the package runs in trials alone.
    """
    part = Part.model_validate_json(model)
    if "." in part.name:
        return None
    from ablation.training.counting import count_parameters

    try:
        return count_parameters(partial(components.load("model", part.name), classes, channels, **part.choices))
    except AblationError:
        return None
