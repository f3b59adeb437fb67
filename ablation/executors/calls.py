"""What is submitted to an executor, until a slot takes it, and the questions that its worker asks of the link."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """What was submitted; its last argument is the link, which stays on the driver's side."""

    future: Future[Any]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    link: Any


Calls = queue.SimpleQueue[Call | None]
"""None ends the slot that takes it."""


def call_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Call:
    """A call that nobody has taken yet; the last argument is the link."""
    assert arguments, "the last argument is the link"
    return Call(Future(), function, arguments[:-1], arguments[-1])


class Submitting(Executor):
    """What every executor here shares: calls wait in one queue, for whichever slot is free."""

    def __init__(self) -> None:
        self._calls = Calls()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `fn(*arguments, link)` in a free slot; the last argument is the link."""
        assert not kwargs, "arguments go by position"
        call = call_of(fn, args)
        self._calls.put(call)
        return call.future


def cancel_waiting(calls: Calls) -> None:
    """Cancel what no slot has taken."""
    with contextlib.suppress(queue.Empty):
        while True:
            call = calls.get_nowait()
            if call is not None:
                call.future.cancel()


class FarLink:
    """The link as a worker sees it: each call of it is a question, which `ask` carries to the driver's side."""

    def __init__(self, ask: Callable[[str, Any], Any], patience: float = 0.0, about: str = "") -> None:
        self._ask, self.patience, self.about = ask, patience, about

    def report(self, content: Any) -> Any:
        """Tell of something, hear whether to go on."""
        return self._ask("report", content)

    def stopping(self) -> Any:
        """Whether to end."""
        return self._ask("stopping", None)

    def side_by_side(self) -> Any:
        """How many calls are under way."""
        return self._ask("side by side", None)


def answer_of(link: Any, question: str, content: Any) -> Any:
    """What the link answers to a question of a worker's."""
    if question == "report":
        return link.report(content)
    return link.stopping() if question == "stopping" else link.side_by_side()
