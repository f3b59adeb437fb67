"""Whether a trial's steps run through `torch.compile`: measured once for a study and a model, then kept.

A compiled step rounds otherwise than an eager one. So all trials of equal models, batches and length go one way,
however many run side by side and whichever came first: the first one measures while the others wait, and the file that
it leaves is what counts, also for a trial that goes on after a crash. Compiled code is cached beside that file.

A driver asks for it on CUDA alone (`Assignment.compilations`): on a CPU compiling took 13 to 41 s a model, and none of
`small`, VGG-16 and ResNet-18 was faster for it.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor
from torch.nn import functional

from ablation.durable import make_folder, write_whole
from ablation.seeding import seed_of
from ablation.settings import Frozen, Part, Recipe, digest
from ablation.training.data import BlockData, picked, steps_per_epoch
from ablation.training.devices import device_name, reset_peak_memory, synchronize
from ablation.training.fit import batch_loss
from ablation.training.generators import forked_generator
from ablation.training.state import Ingredients

STEPS = 20
"""Steps that are timed, after one that is not."""


class Compilation(Frozen):
    """What was measured of one model."""

    steps: int
    """Of a whole trial."""
    compiling: float
    """Seconds of the first compiled step, forward and backward."""
    eager: float
    """Seconds a step."""
    compiled: float
    """Seconds a step."""
    reason: str = ""
    """Why it could not be compiled."""

    @property
    def pays(self) -> bool:
        """Whether even the trial that has to compile ends earlier for it."""
        return not self.reason and (self.eager - self.compiled) * self.steps > self.compiling


def compiled_where_it_pays(
    ingredients: Ingredients, data: BlockData, model: Part, recipe: Recipe, folder: Path
) -> Ingredients:
    """The ingredients of a model that this part names, for steps that are compiled if the folder's file says so.

    Measures first where the folder has no such file; the model, its generators and its data stay as they are.
    """
    whole = -(-recipe.batch_size // ingredients.pieces)
    if len(data.train) < whole:
        return ingredients
    make_folder(folder)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "cache")
    steps = recipe.epochs * steps_per_epoch(len(data.train), recipe.batch_size) * ingredients.pieces
    file = folder / f"{_key(data, model, recipe, (whole, steps))}.json"
    ready = replace(ingredients, whole=whole)
    with FileLock(file.with_suffix(".lock")), forked_generator(_device(data), seed_of(0, "compiling")):
        if not file.exists():
            write_whole(file, _measured(ready, data, recipe, steps).model_dump_json(indent=2))
        if not Compilation.model_validate_json(file.read_bytes()).pays:
            return ingredients
        torch.compiler.reset()  # else a kept process would meet torch's limit of recompilations, at some trial or other
        _one_step(_copied(ready, compiled=True), data, recipe)  # loads it before the trial's clock starts
    reset_peak_memory(_device(data))
    return replace(ready, compiled=torch.compile(ingredients.model, dynamic=False))


def _key(data: BlockData, model: Part, recipe: Recipe, counts: tuple[int, int]) -> str:
    """Equal for trials whose compiled code and whose number of steps are."""
    shape, where = tuple(data.train.store.shape[1:]), device_name(_device(data))
    return digest([model.model_dump_json(), recipe.precision, *counts, shape, data.num_classes, where])[:16]


def _device(data: BlockData) -> str:
    return data.train.labels.device.type


def _measured(ready: Ingredients, data: BlockData, recipe: Recipe, steps: int) -> Compilation:
    eager = _seconds_a_step(_copied(ready), data, recipe)
    torch.compiler.reset()
    try:
        compiled = _copied(ready, compiled=True)
        compiling = _seconds(lambda: _one_step(compiled, data, recipe), _device(data))
        each = _seconds_a_step(compiled, data, recipe)
    except Exception as error:  # noqa: BLE001 - whatever a compiler does, the trial can run without it
        reason = f"{type(error).__name__}: {error}"[:1000]
        return Compilation(steps=steps, compiling=0.0, eager=eager, compiled=eager, reason=reason)
    return Compilation(steps=steps, compiling=compiling, eager=eager, compiled=each)


def _copied(ready: Ingredients, *, compiled: bool = False) -> Ingredients:
    """The ingredients with weights of their own, to be tried."""
    model = copy.deepcopy(ready.model).train()
    return replace(ready, model=model, compiled=torch.compile(model, dynamic=False) if compiled else None)


def _seconds_a_step(ingredients: Ingredients, data: BlockData, recipe: Recipe) -> float:
    _one_step(ingredients, data, recipe)

    def steps() -> None:
        for _ in range(STEPS):
            _one_step(ingredients, data, recipe)

    return _seconds(steps, _device(data)) / STEPS


def _one_step(ingredients: Ingredients, data: BlockData, recipe: Recipe) -> None:
    """Forward and backward over the first images: what is compiled of a step."""
    rows, device = torch.arange(ingredients.whole), _device(data)
    images: Tensor = data.train.pick(rows, device)
    wanted = functional.one_hot(picked(data.train.labels, rows, device), data.num_classes).float()
    ingredients.model.zero_grad(set_to_none=True)
    batch_loss(ingredients, images, wanted, data, recipe)[0].backward()


def _seconds(call: Callable[[], None], device: str) -> float:
    synchronize(device)
    started = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - started
