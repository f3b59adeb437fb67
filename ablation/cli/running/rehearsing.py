"""What is found out before a study is begun: whether its data are there, and whether its components can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ablation import components, designs
from ablation.cli.locate import Located
from ablation.cli.planning.outlook import check_margin, images_read
from ablation.cli.running.places import Place
from ablation.cli.terminal import say
from ablation.errors import Problem, StudyFileError
from ablation.executors.process_per_device import Unheard
from ablation.failures import ProcessEndedError
from ablation.rehearsal import Remark, Sample, new_parts, rehearse, rehearse_metrics, sample_of
from ablation.study import Study


def read_data(located: Located, study: Study, data_root: Path) -> dict[str, Sample]:
    """Read every data set once: what is missing or damaged is told now, and decoding is done once.

    Gives a few images of each, by the data set as JSON.
    """
    parts = {arm.settings.dataset.model_dump_json(): arm.settings.dataset for arm in designs.first_arms(study)}
    samples = {}
    for key, part in parts.items():
        splits = components.open_data(part, data_root)
        samples[key] = sample_of(splits)
        if part == study.baseline.dataset:
            check_margin(located, images_read(study, splits.extent))
    return samples


def rehearse_parts(located: Located, study: Study, samples: Mapping[str, Sample], place: Place) -> None:
    """Try every component of a study on a few images, in a process that ends with it.

    Raises:
        StudyFileError: what no trial could use, each at its place in the study file.
    """
    arms, execution = new_parts(designs.first_arms(study)), study.execution
    with place.one_process(study) as executor:
        link = Unheard(execution.hang_seconds)
        try:
            remarks = executor.submit(rehearse, arms, samples, execution.device, execution.threads, link).result()
            if study.metrics:
                classes = sorted({sample.num_classes for sample in samples.values()})
                remarks += executor.submit(rehearse_metrics, study.metrics, classes, link).result()
        except ProcessEndedError as error:  # for want of memory, say: the trials are tried again, which may help
            say(f"warning: the components could not be tried beforehand: {error}")
            return
    problems = [_problem(located, remark) for remark in remarks]
    for problem, remark in zip(problems, remarks, strict=True):
        if not remark.refuses:
            say(f"warning: {problem}")
    if refused := [problem for problem, remark in zip(problems, remarks, strict=True) if remark.refuses]:
        raise StudyFileError(refused)


def _problem(located: Located, remark: Remark) -> Problem:
    places = located.places()
    assert places is not None, "what the run folder holds already is not tried again"
    return places.of(remark.path, remark.levels).problem(remark.message)
