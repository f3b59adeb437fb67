"""How many trials run side by side: from given numbers of cores and devices, so that no machine is needed for it."""

from pathlib import Path

import pytest
import torch
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.cli.locate import Located
from ablation.cli.running import run, slots
from ablation.cli.running.places import Paths, Place, ThisMachine
from ablation.cli.running.slots import (
    cuda_devices,
    machine_of,
    most_demanding,
    packed,
    side_by_side,
    usable_cores,
)
from ablation.executors.process_per_device import ProcessPerDevice, Unheard, preload
from ablation.run_folder import RunFolder
from ablation.study import Study
from ablation.training.device_memory import MemoryNeed
from ablation.training.devices import has_accelerator

GB = 10**9


def on(device: str, study: Study) -> Study:
    """The study as it is once `auto` was resolved on a machine with this device."""
    return study.model_copy(update={"execution": study.execution.model_copy(update={"device": device})})


@pytest.mark.parametrize(
    ("device", "threads", "cores", "wanted"),
    [("cpu", 1, 2, 2), ("cpu", 2, 2, 1), ("cpu", 3, 16, 5), ("cpu", 8, 4, 1), ("mps", 1, 8, 1)],
)
def test_cores_are_shared_out_and_never_oversubscribed(device: str, threads: int, cores: int, wanted: int) -> None:
    assert side_by_side(device, threads, cores) == wanted


@pytest.mark.parametrize(
    ("taken", "devices", "by_cores", "wanted"),
    [
        ([2 * GB], 1, 16, 16),  # memory for 36, cores for 16
        ([20 * GB], 1, 16, 3),  # nine tenths of 80 GB
        ([2 * GB, 20 * GB], 1, 16, 3),  # the most demanding arm decides
        ([20 * GB], 8, 64, 24),
        ([20 * GB], 8, 10, 10),
        ([20 * GB], 8, 4, 8),  # no device is left idle for want of cores
        ([100 * GB], 2, 64, 2),  # does not fit: a trial has its device for itself
        ([], 4, 64, 4),
    ],
)
def test_devices_take_as_many_trials_as_their_memory_holds(
    taken: list[int], devices: int, by_cores: int, wanted: int
) -> None:
    assert packed([MemoryNeed(one, 80 * GB) for one in taken], devices, by_cores) == wanted


def test_a_study_on_fake_devices_is_packed_and_takes_them_in_turn(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments: list[dict[str, str]] = []

    class Noting(ProcessPerDevice):
        def __init__(self, given: list[dict[str, str]], say: object) -> None:
            environments.extend(given)

    monkeypatch.setattr(slots, "cuda_devices", lambda: ["2", "5"])
    monkeypatch.setattr(slots, "usable_cores", lambda: 64)
    monkeypatch.setattr(slots, "probe", lambda study, open_one, root: [MemoryNeed(20 * GB, 80 * GB)])
    monkeypatch.setattr(slots, "ProcessPerDevice", Noting)
    study = on("cuda", small_study)
    assert machine_of(study, None, tmp_path).slots == 6
    assert [one["CUDA_VISIBLE_DEVICES"] for one in environments] == ["2", "5"] * 3


@pytest.mark.parametrize(
    ("device", "environment"), [("cpu", {"OMP_NUM_THREADS": "1"}), ("cuda", {"CUDA_VISIBLE_DEVICES": "2"})]
)
def test_what_is_tried_beforehand_runs_where_a_trial_would(
    device: str, environment: dict[str, str], small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way from `run`: the environment that the rehearsal's one process is given."""
    environments: list[dict[str, str]] = []

    def tried(located: object, study: Study, samples: object, place: Place) -> None:
        monkeypatch.setattr(slots, "ProcessPerDevice", environments.extend)
        place.one_process(study)

    monkeypatch.setattr(slots, "cuda_devices", lambda: ["2", "5"])
    monkeypatch.setattr(run, "read_data", lambda located, study, root: {})
    monkeypatch.setattr(run, "rehearse_parts", tried)
    located = Located(small_study, "", RunFolder(tmp_path), False, tmp_path / "small.yaml", "", "")
    run._prepare_data(located, on(device, small_study), Paths(tmp_path, tmp_path), ThisMachine())
    assert environments == [environment]


def test_more_slots_than_cores_draw_a_warning(
    small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slots, "usable_cores", lambda: 2)
    monkeypatch.setattr(slots, "say", said.append)
    for number, warnings in ((2, 0), (3, 1)):
        machine = machine_of(on("cpu", small_study), number, tmp_path)
        machine.executor.shutdown()
        assert machine.slots == number
        assert sum("`--slots auto` takes 2" in each for each in said) == warnings


def test_a_container_has_the_cores_that_it_is_given_the_time_of(tmp_path: Path) -> None:
    limits = tmp_path / "cpu.max"
    everything = usable_cores(tmp_path / "missing")
    for text, wanted in (("100000 100000", 1), ("50000 100000", 1), ("max 100000", everything), ("", everything)):
        limits.write_text(text)
        assert usable_cores(limits) == wanted


def test_devices_are_those_that_this_process_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8f,7")
    assert cuda_devices() == ["3", "GPU-8f"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert cuda_devices() == ["0", "1"]


def test_arms_are_measured_once_for_each_way_of_taking_memory(write_study: StudyWriter) -> None:
    text = SMALL.replace("factors:", "factors:\n  net: {narrow: {}, wide: {model.width: 32}}\n"
                         "  batch: {small: {}, large: {recipe.batch_size: 64}}")  # fmt: skip
    found = most_demanding(designs.arms(load(write_study(text))))
    assert [arm.name for arm in found] == ["net=wide", "batch=large", "baseline"]


def cuda_began(link: object) -> bool:
    return torch.cuda.is_initialized()


@pytest.mark.gpu
@pytest.mark.skipif(not has_accelerator(), reason="needs an accelerator that torch can use; this machine has none")
def test_the_server_that_workers_are_forked_from_never_begins_cuda() -> None:
    torch.zeros(1, device=torch.accelerator.current_accelerator())  # this process may have
    preload("ablation.worker", "ablation.training.first_optimizer")
    with ProcessPerDevice([dict[str, str]()]) as executor:
        assert executor.submit(cuda_began, Unheard()).result(120) is False


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA; this machine has none")
def test_several_trials_share_a_device_by_measured_memory(small_study: Study, tmp_path: Path) -> None:
    study = on("cuda", small_study)
    machine = machine_of(study, None, tmp_path)
    machine.executor.shutdown()
    assert machine.slots > len(cuda_devices()) or usable_cores() <= len(cuda_devices())
