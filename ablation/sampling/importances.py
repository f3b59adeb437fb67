"""How much each factor seems to matter in a search, by Optuna's evaluators, with what chance alone would show.

Read from the records: no storage is needed. The noise of a share is its value where the scores are permuted over the
trials, so that no factor has to do with them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial

from ablation.hypotheses import Importance, Importances, Measure, Suggestions
from ablation.sampling.index import distributions
from ablation.study import Factor, Search, Study
from ablation.trial import Record

PERMUTATIONS = 59
LEFT_OUT = 3
"""The third largest of 59 permuted values: chance goes beyond it in 3 of 60, which is 5 %."""

FEWEST_TRIALS = 10
FEW_TRIALS, FEW_FOR_EACH = 30, 10
"""Below so many scored trials, in all and for each factor, the shares are mostly chance."""

_TREES, _DEPTH = 16, 4
"""Depth 64, Optuna's own, fits the noise too, and takes 30 times as long at 1,000 trials."""

_TOP, _TOP_TRIALS = 0.1, 5
"""PED-ANOVA's best trials: a tenth, and five at least, as its documentation advises."""

Floats = NDArray[np.float64]


def suggest(study: Study, records: Sequence[Record]) -> Suggestions:
    """Both measures over the scored trials of a search. The same records always give the same digits."""
    trials = _scored(study, records)
    factors = [name for name in study.factors if any(name in trial.params for trial in trials)]
    if len(trials) < FEWEST_TRIALS or len({trial.value for trial in trials}) < 2:
        needed = (
            f"Importances need {FEWEST_TRIALS} scored trials with different scores; there are {len(trials)} trials."
        )
        return Suggestions(warnings=(needed,))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    whole = [_Part(trials, np.arange(len(trials)), factors, factors)]
    separating = _separated(-1.0 if study.higher_is_better else 1.0)
    measured: dict[Measure, tuple[Importance, ...]] = {
        "PED-ANOVA": _as_shares(_bars(study, trials, whole, separating)),
        "fANOVA": _bars(study, trials, list(_parts(study, trials, factors)), _explained),
    }
    found = tuple(
        Importances(measure=measure, bars=bars, trials=len(trials), permutations=PERMUTATIONS)
        for measure, bars in measured.items()
    )
    return Suggestions(importances=found, warnings=tuple(_warnings(study, len(trials), len(factors))))


def _scored(study: Study, records: Sequence[Record]) -> list[FrozenTrial]:
    """The trials that have a score; of those that were told an earlier trial's, that one alone."""
    found: dict[tuple[str, int], FrozenTrial] = {}
    for record in records:
        trial, outcome = record.trial, record.outcome
        if outcome is None or outcome.status not in ("complete", "diverged") or outcome.validation is None:
            continue
        frozen = create_trial(
            value=outcome.validation.on(study.metric),
            params=dict(trial.arm.levels),
            distributions=distributions(study, trial.arm.levels),
        )
        found.setdefault((trial.arm.settings.signature(), trial.block), frozen)
    return list(found.values())


class _Part:
    """Trials in which the same factors take part, and the factors whose shares are read here."""

    def __init__(
        self, trials: Sequence[FrozenTrial], at: NDArray[np.int_], factors: Sequence[str], read: Sequence[str]
    ) -> None:
        self.at, self.factors, self.read = at, list(factors), list(read)
        self.study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler())
        self.study.add_trials([trials[each] for each in at])


def _parts(study: Study, trials: Sequence[FrozenTrial], factors: Sequence[str]) -> Iterator[_Part]:
    """For fANOVA, which needs a level of every factor in every trial: each condition by itself."""
    for condition in dict.fromkeys(_words(study.factors[name]) for name in factors):
        read = [name for name in factors if _words(study.factors[name]) == condition]
        at = [number for number, trial in enumerate(trials) if all(name in trial.params for name in read)]
        shared = [name for name in factors if all(name in trials[number].params for number in at)]
        if len(at) >= FEWEST_TRIALS:
            yield _Part(trials, np.array(at), shared, read)


Measured = Callable[[_Part, Floats], Mapping[str, float]]
"""What a measure gives each of a part's factors, given a score for each of its trials."""


def _explained(part: _Part, scores: Floats) -> Mapping[str, float]:
    """fANOVA: the share of the variance of a forest's predictions over the whole space that one factor explains."""
    if np.ptp(scores) == 0:
        return {}
    evaluator = FanovaImportanceEvaluator(n_trees=_TREES, max_depth=_DEPTH, seed=0)
    return evaluator.evaluate(part.study, params=part.factors, target=lambda trial: float(scores[trial.number]))


def _separated(sign: float) -> Measured:
    """PED-ANOVA: how far the levels of the best trials are from those of all trials, as Pearson's divergence.

    `sign` makes a good score a small one.
    """

    def divergences(part: _Part, scores: Floats) -> Mapping[str, float]:
        evaluator = PedAnovaImportanceEvaluator(target_quantile=min(0.5, max(_TOP, _TOP_TRIALS / len(scores))))
        return evaluator.evaluate(part.study, params=part.factors, target=lambda one: sign * float(scores[one.number]))

    return divergences


def _as_shares(bars: Sequence[Importance]) -> tuple[Importance, ...]:
    """Divergences over their sum, their noise over the same sum: over sums of its own it would hide clear factors."""
    total = sum(bar.share for bar in bars) or 1.0
    keys = ("share", "noise", "largest_noise")
    return tuple(bar.model_copy(update={key: getattr(bar, key) / total for key in keys}) for bar in bars)


def _bars(
    study: Study, trials: Sequence[FrozenTrial], parts: Sequence[_Part], measured: Measured
) -> tuple[Importance, ...]:
    """The shares as they are, and what they come to with the scores permuted; the largest first."""
    factors = [name for part in parts for name in part.read]
    scores, random = np.array([trial.value for trial in trials]), np.random.default_rng(0)
    with warnings.catch_warnings():
        # Optuna says each time that a target is to be small, and that few trials meet a condition.
        warnings.simplefilter("ignore")
        seen = _read(parts, measured, scores)
        permuted = np.array([_read(parts, measured, random.permutation(scores)) for _ in range(PERMUTATIONS)])
    noise, largest = np.sort(permuted, axis=0)[-LEFT_OUT], np.sort(permuted.max(axis=1))[-LEFT_OUT]
    bars = [
        Importance(
            factor=name,
            share=seen[at],
            noise=float(noise[at]),
            largest_noise=float(largest),
            where=_words(study.factors[name]),
            trials=sum(name in trial.params for trial in trials),
        )
        for at, name in enumerate(factors)
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.share))


def _read(parts: Sequence[_Part], measured: Measured, scores: Floats) -> list[float]:
    """The shares of the factors that each part reads, given the scores of all trials."""
    return [
        float(found.get(name, 0.0))
        for part in parts
        for found in [measured(part, scores[part.at])]
        for name in part.read
    ]


def _words(factor: Factor) -> str:
    """The condition of a factor: `optimizer=sgd or adamw`; empty where it has none."""
    levels = {other: [wanted] if isinstance(wanted, str) else wanted for other, wanted in factor.when.items()}
    return ", ".join(f"{other}={' or '.join(wanted)}" for other, wanted in levels.items())


def _warnings(study: Study, trials: int, factors: int) -> Iterator[str]:
    assert isinstance(study.design, Search), "only a search has importances"
    enough = max(FEW_TRIALS, FEW_FOR_EACH * factors)
    if trials < enough:
        yield (
            f"Importances of {trials} scored trials over {factors} factors are mostly chance: read none of them before "
            f"there are {enough}."
        )
    if study.design.sampler != "random":
        yield (
            f"The sampler ({study.design.sampler}) drew more trials where scores were good: importances tell of where "
            "it looked too, and chance goes beyond their noise more often than in one search of twenty. "
            "The random sampler has neither fault."
        )
