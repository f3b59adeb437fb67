"""What an exception, the end of a process and the system's counters say of a failure's cause."""

import errno
import signal
from pathlib import Path

import pytest
import torch

from ablation.errors import InputError
from ablation.failures import ProcessEndedError, failure_of, failure_of_process, memory_kills
from ablation.trial import Cause

CAUSES: list[tuple[BaseException, Cause]] = [
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), "device memory"),
    (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), "device memory"),
    (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"), "device memory"),
    (torch.AcceleratorError("CUDA error: out of memory"), "device memory"),
    (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "device memory"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "device memory"),
    (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), "bug"),
    (torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"), "device"),
    (torch.AcceleratorError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"), "device"),
    (RuntimeError("No CUDA GPUs are available"), "device"),
    (ValueError("out of memory"), "bug"),
    (MemoryError(), "host memory"),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), "host memory"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:126] DefaultCPUAllocator: can't allocate memory"), "host memory"),
    (RuntimeError("std::bad_alloc"), "host memory"),
    (PermissionError(errno.EACCES, "Permission denied", "/runs/small/trials/one/weights.pt"), "disk"),
    (PermissionError(errno.EPERM, "Operation not permitted", "/runs/small/trials/one/log.txt"), "disk"),
    (PermissionError(errno.EACCES, "Permission denied", "/data/images.npy"), "bug"),
    (PermissionError("nothing of a file"), "bug"),
    (OSError(errno.EROFS, "Read-only file system"), "disk"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk"),
    (OSError(errno.ENOSPC, "No space left on device"), "disk"),
    (TimeoutError("no answer"), "timeout"),
    (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "timeout"),
    (InputError("depth must be 18"), "input"),
    (FileNotFoundError(errno.ENOENT, "No such file", "/data/images.npy"), "bug"),
    (KeyError("mine"), "bug"),
]


@pytest.mark.parametrize(("error", "cause"), CAUSES, ids=lambda each: repr(each)[:60])
def test_the_cause_of_an_exception(error: BaseException, cause: Cause) -> None:
    assert failure_of(error, Path("/runs/small/trials/one")).cause == cause


def test_the_memory_that_torch_cannot_get_is_the_hosts() -> None:
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**55)
    assert failure_of(told.value).cause == "host memory"


@pytest.mark.parametrize(
    ("exit_code", "memory_ran_out", "cause"),
    [
        (-signal.SIGKILL, True, "host memory"),
        (-signal.SIGKILL, False, "killed"),
        (-signal.SIGSEGV, True, "killed"),
        (1, True, "killed"),
    ],
)
def test_a_killed_process_died_of_memory_where_the_system_counted_one(
    tmp_path: Path, exit_code: int, memory_ran_out: bool, cause: Cause
) -> None:
    error = ProcessEndedError(exit_code, memory_ran_out=memory_ran_out)
    assert failure_of_process(error, tmp_path / "log.txt").cause == cause


EVENTS = "low 0\nhigh 0\nmax 31\noom 4\noom_kill 3\noom_group_kill 0\n"
STATISTICS = "nr_free_pages 1\noom_kill 7\noom_kill_other 9\n"


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        ({}, 0),
        ({"proc/vmstat": STATISTICS}, 7),
        ({"proc/vmstat": "nr_free_pages 1\n"}, 0),
        ({"proc/vmstat": STATISTICS, "proc/self/cgroup": "9:memory:/a\n"}, 7),
        ({"proc/vmstat": STATISTICS, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.events": EVENTS}, 3),
        ({"proc/vmstat": STATISTICS, "proc/self/cgroup": "0::/\n"}, 7),
        (
            {"proc/vmstat": STATISTICS, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.events": EVENTS},
            3,
        ),
    ],
)
def test_kills_for_want_of_memory_are_those_of_the_control_group_or_of_the_machine(
    tmp_path: Path, files: dict[str, str], kills: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_kills(tmp_path) == kills


def test_this_machine_can_be_asked() -> None:
    assert memory_kills() >= 0


@pytest.mark.parametrize(
    ("error", "spoils", "blames"),
    [
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), True, False),
        (torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"), True, True),
        (ValueError("no such choice"), False, False),
    ],
)
def test_a_cuda_error_leaves_a_process_of_no_use(error: BaseException, spoils: bool, blames: bool) -> None:
    failure = failure_of(error)
    assert (failure.spoils_process, failure.blames_device) == (spoils, blames)
