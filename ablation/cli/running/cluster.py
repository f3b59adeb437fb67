"""A Ray cluster as the place of a study: which nodes can run its trials, and how many each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from ablation import designs
from ablation.cli.running import slots
from ablation.cli.running.places import Paths
from ablation.cli.terminal import say
from ablation.driver import Machine
from ablation.errors import AblationError, DataError
from ablation.executors import ray_nodes
from ablation.executors.ray_cluster import RayCluster, Room, Terms
from ablation.executors.ray_nodes import Node, Result, ask, nodes
from ablation.node_checks import SHARE, Hardware, hardware, leave_mark, software, unseen
from ablation.study import Study
from ablation.training import devices
from ablation.training.devices import Precision

PLACING_SECONDS = 60.0
"""How long a run waits for its slots at the start: others may use the cluster too."""


def joined(address: str | None) -> AbstractContextManager[None]:
    """Be the driver of the cluster at an address."""
    return ray_nodes.joined(address)


class Cluster:
    """The cluster that this process has joined."""

    def __init__(self) -> None:
        self._hardware: dict[Node, Hardware] = {}

    def has_accelerator(self) -> bool:
        """Whether a node has a GPU."""
        return any(node.gpus for node in nodes())

    def resolve_device(self, wanted: str) -> str:
        """`auto` takes the GPUs where there are any."""
        accelerator = "cuda" if self.has_accelerator() else None
        return devices.chosen_device(wanted, accelerator, "on any node of the cluster")

    def resolve_precision(self, study: Study, device: str) -> Precision:
        """bfloat16 where every node that can run a trial multiplies in it by itself."""
        fit = _fit_nodes(device, study.execution.threads)
        self._hardware |= dict(zip(fit, _answers(fit, hardware), strict=True))
        able = {each.precisions.get(device, "float32") for each in self._hardware.values()}
        return "bfloat16" if able == {"bfloat16"} else "float32"

    def device_name(self, device: str) -> str:
        """Those of the nodes, where they were asked; each trial records its own."""
        return " · ".join(sorted({each.names.get(device, device) for each in self._hardware.values()})) or device

    def check(self, study: Study, paths: Paths) -> None:
        """Every node that could run a trial must see the run folder, the same software and the same data."""
        _check(_fit_nodes(study.execution.device, study.execution.threads), study, paths)

    def one_process(self, study: Study) -> Executor:
        """Here, where this machine has the device; else on a node that has."""
        if study.execution.device == "cpu" or devices.has_accelerator():
            return slots.one_process(study)
        return _alone(study, _fit_nodes(study.execution.device, study.execution.threads)[0])

    def machine(self, study: Study, wanted: int | None, paths: Paths, wake: Callable[[], None]) -> Machine:
        """So many slots over the nodes, or as many as they have room for; they come and go with the nodes."""
        device, threads = study.execution.device, study.execution.threads
        fit = _fit_nodes(device, threads)
        room_on = partial(
            _room, study, paths.data_root, wanted and -(-wanted // max(1, sum(node.gpus for node in fit)))
        )

        def admit(node: Node) -> Room:
            if not _is_fit(node, device, threads):
                return Room(0)
            _check([node], study, paths)
            return room_on(node)

        with ThreadPoolExecutor(len(fit)) as pool:
            rooms = dict.fromkeys(nodes(), Room(0)) | dict(zip(fit, pool.map(room_on, fit), strict=True))
        executor = RayCluster(rooms, Terms(threads, wanted, admit, say, wake))
        try:
            placed, begun = executor.wait_for_room(PLACING_SECONDS)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        if wanted and begun < wanted:
            say(f"warning: the nodes have room for {begun} of {wanted} slots; there are more when nodes join.")
        if placed < begun:
            say(f"{placed} of {begun} slots have their place in the cluster; the others wait until there is room.")
        return Machine(executor, max(1, placed), paths.data_root, executor.room)


def _is_fit(node: Node, device: str, threads: int) -> bool:
    return node.cpus >= threads and (device == "cpu" or node.gpus > 0)


def _too_small(device: str, threads: int) -> str:
    gpu = "" if device == "cpu" else " and a GPU"
    return f"a trial takes {threads} CPU{'s' * (threads > 1)}{gpu}, by execution.threads and execution.device"


def _fit_nodes(device: str, threads: int) -> list[Node]:
    """The nodes that can run a trial at all. Raises AblationError where there is none."""
    fit = [node for node in nodes() if _is_fit(node, device, threads)]
    if not fit:
        raise AblationError(f"no node of the cluster has room: {_too_small(device, threads)}. See `ray status`.")
    return fit


def _room(study: Study, data_root: Path, share: int | None, node: Node) -> Room:
    """How many trials a node takes; a GPU takes `share` of them, or as many as its memory is measured to hold."""
    by_cores = node.cpus // study.execution.threads
    if study.execution.device == "cpu":
        return Room(by_cores)
    if share is None:
        needs = slots.probe(study, partial(_alone, study, node), data_root)
        share = slots.packed(needs, 1, by_cores // node.gpus)
    return Room(min(node.gpus * share, by_cores), int(10_000 / share) / 10_000)  # Ray counts in ten thousandths


def _alone(study: Study, node: Node) -> RayCluster:
    """One slot on this node, with a GPU for itself."""
    room = Room(1, 0.0 if study.execution.device == "cpu" else 1.0)
    return RayCluster({node: room}, Terms(study.execution.threads, 1, lambda _: Room(0), say))


def _answers(asked: Sequence[Node], question: Callable[..., Result], *arguments: object) -> list[Result]:
    """What every node answers. Raises AblationError that names the first one which cannot."""
    answers = []
    for node, answer in zip(asked, ask(asked, question, *arguments), strict=True):
        if isinstance(answer, ModuleNotFoundError):
            raise AblationError(f"{node} lacks {answer.name}: install there what is installed here, in this version.")
        if isinstance(answer, Exception):
            kind = DataError if isinstance(answer, DataError) else AblationError
            raise kind(f"{node}: {answer}") from answer
        answers.append(answer)
    return answers


def _check(asked: Sequence[Node], study: Study, paths: Paths) -> None:
    """Raise AblationError where a node does not see the run folder, or not the software and data of this machine."""
    _check_folder(asked, paths.folder.resolve())
    arms, data_root = designs.first_arms(study), paths.data_root.resolve()
    here = software(arms, study.metrics, data_root)
    for node, there in zip(asked, _answers(asked, software, arms, study.metrics, data_root), strict=True):
        if differences := here.differences(there):
            lines = "\n".join(f"  {line}" for line in differences)
            raise AblationError(f"{node} is not like this machine, and its trials would not be like others:\n{lines}")


def _check_folder(asked: Sequence[Node], folder: Path) -> None:
    """Each node writes a file into the run folder, and then looks for those of all others, as does this machine."""
    mark = f".mark-{uuid.uuid4().hex[:12]}"
    try:
        marks = [leave_mark(folder, mark), *_answers(asked, leave_mark, folder, mark)]
        blind = [
            f"{node}" for node, missing in zip(asked, _answers(asked, unseen, folder, marks), strict=True) if missing
        ]
        blind += ["this machine"] if unseen(folder, marks) else []
        if blind:
            raise AblationError(
                f"{folder} is not the same folder everywhere: {', '.join(blind)} cannot see what others write. {SHARE}"
            )
    finally:
        for file in folder.glob(f"{mark}-*"):
            file.unlink(missing_ok=True)
