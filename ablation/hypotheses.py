"""What a search suggests: how much each factor seems to matter, and the arms that are worth confirming. No findings.

What a confirmation made of such arms stands here too: it is the measure of how far a search can be believed.
"""

from __future__ import annotations

from typing import Literal

from ablation.settings import Frozen
from ablation.trial import Level

Measure = Literal["fANOVA", "PED-ANOVA"]


class Importance(Frozen):
    """How much one factor seems to matter, and how much it would seem to if no factor had to do with the scores.

    Where no factor has an effect and the trials are drawn at random, a factor's bar is at most `noise` in 95 of 100
    searches, and the largest bar of all at most `largest_noise`.
    """

    factor: str
    share: float
    """fANOVA: of the variance over the whole space. PED-ANOVA: of the divergences of all factors."""
    noise: float
    largest_noise: float
    where: str = ""
    """The condition under which the factor takes part: its share is that of the trials that meet it."""
    trials: int
    """Scored trials in which the factor took part."""

    @property
    def stands_out(self) -> bool:
        """Whether chance alone would show a share as large, for any factor, in at most one search of twenty."""
        return self.share > self.largest_noise


class Importances(Frozen):
    """One measure over all factors, the largest share first."""

    measure: Measure
    bars: tuple[Importance, ...]
    trials: int
    """Scored trials: a repeated arm in one seed block counts once."""
    permutations: int
    """How often the scores were permuted over the trials for the noise."""


class Suggestions(Frozen):
    """What the figures of a search are drawn from, beside its trials."""

    importances: tuple[Importances, ...] = ()
    """Empty where there are too few scored trials, or no two different scores."""
    warnings: tuple[str, ...] = ()
    """What keeps the shares from being taken at their word."""


class Candidate(Frozen):
    """An arm that a search found among the best."""

    name: str
    """In the confirmation."""
    search_arm: str
    """Its name in the search."""
    levels: dict[str, Level]
    """In the search."""
    settings: str
    """The signature of its settings, which are the same in both."""
    trials: tuple[str, ...]
    """The complete trials of the search that its score is the mean of."""
    validation: float
    """Mean over its seed blocks of the study's metric."""


class Confirms(Frozen):
    """Which search a study confirms, and what was chosen from it."""

    folder: str
    """The name of the search's run folder, beside which that of the confirmation lies."""
    study: str
    """The name of the search."""
    key: str
    """Tells the search from another one of the same name."""
    top: int
    """How many arms were asked for; there may be fewer."""
    ended: int
    """Trials of the search that had an outcome then."""
    planned: int
    candidates: tuple[Candidate, ...]
    baseline: float | None = None
    """What the baseline had on validation, where the search drew it."""


class ConfirmedArm(Frozen):
    """What the search said of one arm, and what fresh seed blocks say; scores are means in the metric's own unit."""

    arm: str
    promised: float | None
    """On validation, in the search; None for a baseline that it did not draw."""
    promised_trials: int
    validation: float | None
    """On validation, over the fresh seed blocks; None before the first of them."""
    validation_sd: float | None = None
    test: float | None = None
    test_sd: float | None = None
    seed_blocks: int = 0

    @property
    def change(self) -> float | None:
        """Fresh validation minus what the search promised."""
        return None if self.promised is None or self.validation is None else self.validation - self.promised


class Confirmation(Frozen):
    """A search and a confirmation of it, as the reports of both show them."""

    search: str
    """The name of its run folder."""
    confirmation: str
    metric: str
    ended: int
    planned: int
    """Trials of the search when the arms were chosen."""
    complete: bool
    """Whether every planned trial of the confirmation has an outcome."""
    arms: tuple[ConfirmedArm, ...]
