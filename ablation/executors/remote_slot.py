"""A slot on a machine of a cluster: one kept process there, and the conversation with it. Knows no cluster.

It is the very executor of a single machine, with one slot: what holds there of hangs, signals, memory, orphans and
spoilt processes holds here by the same code, on the machine where it happens. The driver's side calls `begin` and then
`answer` until a call has come to its end; each gives the next message. Nothing is asked of the driver in between, so a
machine that is cut off from it stands still at its trial's next question, and ends when that stays unanswered.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ablation.executors.calls import FarLink
from ablation.executors.process_per_device import ProcessPerDevice
from ablation.failures import ProcessEndedError

UNANSWERED_SECONDS = 120.0
"""A driver that leaves a question unanswered for so long is suspended, or cut off: its place is free for another."""

Message = tuple[str, Any]
"""How a call ended (see `ENDS`), or a question of its trial, with what belongs to it."""

ENDS = ("returned", "raised", "ended")


class RemoteSlot:
    """One slot, with the environment that is given to its process."""

    def __init__(self, folder: str, environment: dict[str, str]) -> None:
        os.chdir(folder)  # where components lie that are not installed
        # A worker loads the main module of whoever starts it, unless that came from no file: here it is the cluster's.
        sys.modules["__main__"].__file__ = None
        self._executor = ProcessPerDevice([environment])
        self._messages, self._answers = queue.SimpleQueue[Message](), queue.SimpleQueue[Any]()
        self._patience: threading.Timer | None = None

    def device(self) -> str:
        """The accelerator that the cluster gave to this slot; empty where it gave none."""
        return os.environ.get("CUDA_VISIBLE_DEVICES", "")

    def begin(self, function: Callable[..., Any], arguments: tuple[Any, ...], patience: float) -> Message:
        """Run `function(*arguments, link)`; the first message of it."""
        future = self._executor.submit(function, *arguments, FarLink(self._ask, patience))
        future.add_done_callback(lambda done: self._messages.put(_end_of(done)))
        return self._next()

    def answer(self, answer: Any) -> Message:
        """Hand on the answer to the last question; the next message."""
        if self._patience is not None:
            self._patience.cancel()
        self._answers.put(answer)
        return self._next()

    def close(self) -> None:
        """End the process."""
        self._executor.shutdown()

    def _ask(self, question: str, content: Any) -> Any:
        self._messages.put((question, content))
        return self._answers.get()

    def _next(self) -> Message:
        kind, content = self._messages.get()
        if kind not in ENDS:
            self._patience = threading.Timer(UNANSWERED_SECONDS, os._exit, [1])
            self._patience.daemon = True
            self._patience.start()
        return kind, content


def _end_of(future: Future[Any]) -> Message:
    """How a call ended, in a form that can be sent."""
    try:
        return "returned", future.result()
    except ProcessEndedError as error:
        return "ended", (error.process_exit_code, error.silent, error.memory_ran_out)
    except Exception as error:  # noqa: BLE001 - raised again where the driver waits
        return "raised", error
