import math

import numpy as np
import pytest

from ablation.analysis.results import MISSING, from_records
from ablation.settings import Part, Settings
from ablation.study import LevelsFactor, RangeFactor, Study
from ablation.trial import Arm, Cost, Outcome, Record, Scores, Trial, uniform_guess

SETTINGS = Settings(dataset=Part(name="digits"), model=Part(name="small"))
FACTORS = {"crop": LevelsFactor(levels={"with": {}, "without": {"augmentations.crop": None}})}
ARMS = [
    Arm(name="baseline", levels={"crop": "with"}, settings=SETTINGS, baseline=True),
    Arm(name="crop=without", levels={"crop": "without"}, settings=SETTINGS),
]


def study(**changes):
    fields = {"name": "s", "scale": "full", "question": "?", "baseline": SETTINGS, "factors": FACTORS,
              "design": {"kind": "one-factor"}, "seeds": 2, "margin": 0.002}  # fmt: skip
    return Study.model_validate(fields | changes)


def record(arm, block, outcome):
    return Record(trial=Trial(id=f"{arm.name}-{block}", arm=arm, block=block), outcome=outcome)


def complete(accuracy, **more):
    scores = Scores(loss=0.3, accuracy=accuracy)
    cost = Cost(seconds=12.5, images_per_second=800.0, parameters=1000, peak_memory_bytes=10**9)
    return Outcome(
        status="complete", test=scores, validation=Scores(loss=0.4, accuracy=accuracy / 2), cost=cost, **more
    )


def test_complete_trials_carry_scores_and_cost():
    table = from_records(study(), ARMS, [record(ARMS[0], 0, complete(0.9))])
    texts = {"trial": "baseline-0", "arm": "baseline", "block": 0, "status": "complete", "accuracy": 0.9, "loss": 0.3}
    texts["circumstances"] = ""
    cost = {"seconds": 12.5, "images_per_second": 800.0, "parameters": 1000.0, "peak_memory_bytes": 1e9}
    assert table.frame.iloc[0].to_dict() == texts | cost


def test_the_split_is_that_of_the_study():
    table = from_records(study(evaluate_on="validation"), ARMS, [record(ARMS[0], 0, complete(0.9))])
    assert table.frame["accuracy"].iloc[0] == 0.45
    assert table.evaluate_on == "validation"


def test_planned_trials_without_an_outcome_are_rows_and_make_it_provisional():
    running = record(ARMS[1], 1, None)
    table = from_records(study(), ARMS, [record(ARMS[0], 0, complete(0.9)), running])
    assert len(table.frame) == 4
    assert (table.frame["status"] == MISSING).sum() == 3
    assert table.provisional
    everything = [record(arm, block, complete(0.9)) for arm in ARMS for block in (0, 1)]
    assert not from_records(study(), ARMS, everything).provisional


def test_diverged_trials_count_and_pruned_and_failed_ones_do_not():
    outcomes = [
        Outcome(status="diverged", reason="loss is nan", test=uniform_guess(10)),
        Outcome(status="failed", reason="out of disk"),
    ]
    records = [record(ARMS[0], block, outcome) for block, outcome in enumerate(outcomes)]
    records += [
        record(ARMS[1], 0, Outcome(status="pruned", test=Scores(loss=1, accuracy=0.5))),
        record(ARMS[1], 1, complete(0.8)),
    ]
    table = from_records(study(), ARMS, records)
    assert np.array_equal(table.scores(), [[0.1, math.nan], [math.nan, 0.8]], equal_nan=True)
    assert table.diverged().tolist() == [[True, False], [False, False]]
    assert not table.provisional


def test_no_trials_at_all():
    table = from_records(study(), ARMS, [])
    assert table.provisional
    assert table.scores().shape == (2, 0)


def test_a_search_plans_no_rows_and_names_the_drawn_values():
    rate = RangeFactor(sets="recipe.learning_rate", range=[0.001, 1.0], scale="log")
    drawn = [Arm(name=f"rate={rate}", levels={"rate": rate}, settings=SETTINGS) for rate in (0.01, 0.3)]
    searched = study(design={"kind": "search", "trials": 9}, factors={"rate": rate}, seeds=3)
    table = from_records(searched, drawn, [record(drawn[0], 0, complete(0.9))])
    assert table.design == "search"
    assert len(table.frame) == 1
    assert table.factors == {"rate": ("0.01", "0.3")}


def test_a_factorial_needs_all_combinations():
    factors = FACTORS | {"flip": LevelsFactor(levels={"with": {}, "without": {}})}
    every = [
        Arm(
            name=f"{crop} {flip}",
            levels={"crop": crop, "flip": flip},
            settings=SETTINGS,
            baseline=crop == flip == "with",
        )
        for crop in ("with", "without")
        for flip in ("with", "without")
    ]
    whole = from_records(study(design={"kind": "factorial"}, factors=factors), every, [])
    thinned = from_records(study(design={"kind": "factorial"}, factors=factors), every[:3], [])
    assert (whole.design, whole.notes) == ("factorial", ())
    assert thinned.design == "contrasts"
    assert "held against the baseline" in thinned.notes[0]


@pytest.mark.parametrize("kind", ["one-factor", "leave-one-out"])
def test_other_planned_designs_ask_for_contrasts(kind):
    table = from_records(study(design={"kind": kind}), ARMS, [])
    assert table.design == "contrasts"
    assert table.baseline == "baseline"
    assert table.factors == {"crop": ("with", "without")}
