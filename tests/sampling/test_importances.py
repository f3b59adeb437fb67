"""Importances tell a planted factor from noise, and say where they cannot be believed."""

from collections.abc import Callable

import numpy as np
import pytest

from ablation.hypotheses import Importance, Importances, Suggestions
from ablation.sampling import importances
from ablation.sampling.importances import suggest
from ablation.settings import Part, Settings
from ablation.study import Factor, LevelsFactor, RangeFactor, Search, Study
from ablation.trial import Arm, Level, Outcome, Record, Scores, Trial

Levels = dict[str, Level]

BASE = Settings(dataset=Part(name="digits"), model=Part(name="small"))
FACTORS: dict[str, Factor] = {
    "momentum": RangeFactor(sets="recipe.optimizer.momentum", range=[0.5, 0.99], when={"optimizer": "sgd"}),
    "optimizer": LevelsFactor(levels={"sgd": {}, "adamw": {"recipe.optimizer": "adamw"}}),
    "batch": LevelsFactor(levels={"64": {}, "128": {}, "256": {}}),
    "rate": RangeFactor(sets="recipe.learning_rate", range=[1e-3, 1.0], scale="log"),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importances, "PERMUTATIONS", 9)
    monkeypatch.setattr(importances, "LEFT_OUT", 1)


def a_study(sampler: str = "random", metric: str = "accuracy") -> Study:
    return Study.model_validate(
        {"name": "s", "scale": "full", "question": "?", "baseline": BASE, "factors": FACTORS, "seeds": 2}
        | {"design": Search(trials=60, sampler=sampler), "metric": metric, "margin": 0.01}
    )


def records(count: int, gain: Callable[[Levels], float], seed: int = 0) -> list[Record]:
    """Trials at random levels, with a standard deviation of 0.01."""
    random, found = np.random.default_rng(seed), []
    for number in range(count):
        levels: Levels = {"optimizer": ("sgd", "adamw")[random.integers(2)], "batch": ("64", "128", "256")[number % 3]}
        levels |= {"rate": float(10 ** random.uniform(-3, 0))}
        levels |= {"momentum": float(random.uniform(0.5, 0.99))} if levels["optimizer"] == "sgd" else {}
        found.append(record(number, levels, 0.5 + gain(levels) + random.normal(0, 0.01)))
    return found


def record(number: int, levels: Levels, score: float, status: str = "complete") -> Record:
    recipe = BASE.recipe.model_copy(update={"learning_rate": 1.0 + number})  # settings of its own
    arm = Arm(name=f"arm {number}", levels=levels, settings=BASE.model_copy(update={"recipe": recipe}))
    scores = None if status == "failed" else Scores(loss=1 - score, accuracy=score)
    outcome = Outcome.model_validate({"status": status, "validation": scores})
    trial = Trial(id=f"{number:05d}", arm=arm, block=number % 2, evaluate_on="validation", number=number)
    return Record(trial=trial, outcome=outcome)


def nothing(levels: Levels) -> float:
    return 0.0


def by_rate(levels: Levels) -> float:
    return -0.1 * (np.log10(float(levels["rate"])) + 1) ** 2


def by_momentum(levels: Levels) -> float:
    return 0.3 * float(levels.get("momentum", 0.75))


def bars(found: Suggestions, measure: str) -> dict[str, Importance]:
    (wanted,) = (each for each in found.importances if each.measure == measure)
    assert isinstance(wanted, Importances)
    return {bar.factor: bar for bar in wanted.bars}


@pytest.mark.parametrize("measure", ["PED-ANOVA", "fANOVA"])
def test_a_planted_factor_stands_out_and_no_other(measure: str) -> None:
    found = bars(suggest(a_study(), records(80, by_rate)), measure)
    assert [name for name, bar in found.items() if bar.stands_out] == ["rate"]
    assert next(iter(found)) == "rate"


@pytest.mark.parametrize("measure", ["PED-ANOVA", "fANOVA"])
def test_on_noise_the_largest_bar_is_large_and_does_not_stand_out(measure: str) -> None:
    found = bars(suggest(a_study(), records(40, nothing)), measure)
    assert max(bar.share for bar in found.values()) > 0.3
    assert not any(bar.stands_out for bar in found.values())
    assert all(bar.noise <= bar.largest_noise for bar in found.values())


def test_a_factor_with_a_condition_is_judged_where_it_takes_part() -> None:
    done = records(80, by_momentum)
    taking_part = sum("momentum" in each.trial.arm.levels for each in done)
    found = bars(suggest(a_study(), done), "fANOVA")["momentum"]
    assert (found.where, found.trials) == ("optimizer=sgd", taking_part)
    assert found.stands_out
    assert bars(suggest(a_study(), done), "fANOVA")["rate"].where == ""


def test_either_metric_finds_the_same_best_trials() -> None:
    done = records(40, by_rate)
    found = [bars(suggest(a_study(metric=metric), done), "PED-ANOVA") for metric in ("accuracy", "loss")]
    assert found[0] == found[1]


def test_what_has_no_score_of_its_own_does_not_count() -> None:
    done = records(30, by_rate)
    copies = [
        each.model_copy(update={"trial": each.trial.model_copy(update={"id": "copy", "number": 99})})
        for each in done[:5]
    ]
    censored = [
        record(100 + at, done[0].trial.arm.levels, 0.9, status) for at, status in enumerate(("pruned", "failed"))
    ]
    waiting = [done[0].model_copy(update={"trial": done[0].trial.model_copy(update={"block": 5}), "outcome": None})]
    assert suggest(a_study(), [*done, *copies, *censored, *waiting]) == suggest(a_study(), done)


def test_a_diverged_trial_counts_with_the_score_that_it_was_given() -> None:
    done = records(30, nothing)
    lost = [record(100 + at, {"optimizer": "adamw", "batch": "64", "rate": 0.9}, 0.1, "diverged") for at in range(6)]
    found = suggest(a_study(), [*done, *lost])
    assert found.importances[0].trials == 36
    assert bars(found, "fANOVA")["rate"].stands_out


def test_too_few_trials_have_no_importances() -> None:
    found = suggest(a_study(), records(9, by_rate))
    assert found.importances == ()
    assert "need 10 scored trials with different scores; there are 9" in found.warnings[0]
    alike = [record(number, one.trial.arm.levels, 0.5) for number, one in enumerate(records(20, nothing))]
    assert suggest(a_study(), alike).importances == ()


def test_few_and_adaptively_drawn_trials_are_warned_of() -> None:
    done = records(39, by_rate)
    assert ["mostly chance" in said for said in suggest(a_study(), done).warnings] == [True]
    assert suggest(a_study(), [*done, *records(41, by_rate, seed=1)[40:]]).warnings == ()
    assert "(tpe) drew more trials where scores were good" in suggest(a_study("tpe"), done).warnings[1]


def test_the_same_records_give_the_same_digits() -> None:
    done = records(30, by_rate)
    assert suggest(a_study(), done) == suggest(a_study(), done)
