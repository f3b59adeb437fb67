"""A device that fails again and again is set aside: its slots take nothing more, and the others go on.

A failure that the device is to blame for by its own words counts as it is. The end of a process counts only beside
others, for what ran may be at fault: of two trials at least, and while another device brings something to its end.
A success clears a device. The last one is never set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock

from ablation.failures import ProcessEndedError

STRIKES = 3
"""Failures in a row after which a device is set aside."""


@dataclass(slots=True)
class _Known:
    blamed: int = 0
    ended: list[str] = field(default_factory=list)
    """What ran when its process ended, since the last success."""
    others_succeed: bool = False
    """Another device has brought something to its end since the first of these failures."""


class Devices:
    """What the calls of one run tell of its devices; safe to use from the threads of all slots."""

    def __init__(self, slots: Iterable[str], say: Callable[[str], None]) -> None:
        self._slots, self._say, self._lock = list[str](), say, Lock()
        self._fit, self._aside = dict[str, _Known](), set[str]()
        for device in slots:
            self.join(device)

    def join(self, device: str) -> None:
        """There is one more slot, on this device."""
        with self._lock:
            self._slots.append(device)
            if device not in self._aside:
                self._fit.setdefault(device, _Known())

    def leave(self, device: str) -> None:
        """One of the slots of this device is no more."""
        with self._lock:
            self._slots.remove(device)
            if device not in self._slots:
                self._fit.pop(device, None)

    def is_fit(self, device: str) -> bool:
        """Whether it is still given something to do."""
        return device in self._fit

    def slots_aside(self) -> int:
        """How many slots have lost their device."""
        return sum(device not in self._fit for device in self._slots)

    def returned(self, device: str, about: str, result: object) -> None:
        """A call gave a result there, which may blame the device."""
        if getattr(result, "blames_device", False):
            self.failed(device, str(getattr(result, "reason", "")), about, blamed=True)
        else:
            self.succeeded(device)

    def raised(self, device: str, about: str, error: BaseException) -> None:
        """A call raised there; the end of its process may be the device's doing, unless somebody ended it."""
        if isinstance(error, ProcessEndedError) and not error.from_outside:
            self.failed(device, str(error), about, blamed=False)

    def succeeded(self, device: str) -> None:
        """A call came to its end there."""
        with self._lock:
            for name, known in self._fit.items():
                if name != device:
                    known.others_succeed = known.others_succeed or bool(known.blamed or known.ended)
            if device in self._fit:
                self._fit[device] = _Known()

    def failed(self, device: str, reason: str, about: str, *, blamed: bool) -> None:
        """A call failed there. `blamed`: by the words of the device; else the process ended that ran `about`."""
        with self._lock:
            known = self._fit.get(device)
            if known is None:
                return
            if blamed:
                known.blamed += 1
            else:
                known.ended.append(about)
            beside = known.others_succeed and len(set(known.ended)) > 1 and len(known.ended) >= STRIKES
            if len(self._fit) > 1 and (known.blamed >= STRIKES or beside):
                del self._fit[device]
                self._aside.add(device)
                self._say(
                    f"warning: {device} is set aside: {STRIKES} trials in a row failed on it (the last: {reason}). "
                    "The others go on without it; the next run of the study tries it again."
                )
