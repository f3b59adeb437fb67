"""How long the rest of a study will take, said as widely as it is known."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from ablation.cli.planning.rates import BETWEEN_TRIALS

_TELLING = 0.1
"""Of a trial: before so much of it is done, what it has taken says little of the rest."""


@dataclass(slots=True)
class Pace:
    """What the trials that ended have taken, in seconds; only those of this run count."""

    slots: int
    ended: list[float] = field(default_factory=list)

    def left(self, waiting: int, running: Iterable[tuple[float, float]]) -> tuple[float, float] | None:
        """Between how many and how many seconds the rest takes; None while too little is known.

        `waiting` trials are not begun; of each running one stand the share that is done and the seconds so far. The
        bounds are two standard errors of the trials' mean apart on either side, and at least a tenth.
        """
        known = list(running)
        lengths = self.ended or [seconds / share for share, seconds in known if share >= _TELLING]
        if not lengths:
            return None
        mean = statistics.fmean(lengths) + BETWEEN_TRIALS
        spread = statistics.stdev(lengths) / len(lengths) ** 0.5 if len(lengths) > 1 else mean / 4
        doubt = max(2 * spread / mean, 0.1)
        rest = [max(0.0, mean * (1 - share)) for share, _ in known]
        # Trials run beside each other, and the last of them alone: no less than the longest that is under way.
        work = max((sum(rest) + waiting * mean) / self.slots, max(rest, default=0.0))
        return work * (1 - doubt), work * (1 + doubt)


def pace_text(left: tuple[float, float] | None, most: str = "") -> str:
    """`about 5 to 8 minutes left`; `most` is `at most ` where the high end is that of a plan that may end sooner."""
    if left is None:
        return "time left not known yet"
    high = left[1]
    hours, minutes = high >= 7200, high >= 120
    size, name, digits = (3600, "hours", 1) if hours else (60, "minutes", 0) if minutes else (1, "seconds", 0)
    ends = [f"{max(end / size, 1 - digits):.{digits}f}" for end in left]  # nobody waits for 0 seconds
    if len(set(ends)) == 1:
        return f"{most or 'about '}{ends[0]} {name if ends[0] != '1' else name.removesuffix('s')} left"
    return f"about {f' to {most}'.join(ends)} {name} left"
