"""What a confirmation took from the scores of a search, in numbers and in words."""

import pytest

from ablation.analysis.optimism import confirmation, optimism_sentences
from ablation.hypotheses import Candidate, Confirms
from ablation.settings import Part, Settings
from ablation.trial import Arm, Outcome, Record, Scores, Trial

BASE = Settings(dataset=Part(name="digits"), model=Part(name="small"))


def chosen(name: str, validation: float, trials: int = 1) -> Candidate:
    ids = tuple(f"{at:05d}" for at in range(trials))
    return Candidate(name=name, search_arm=name, levels={}, settings="s", trials=ids, validation=validation)


CANDIDATES = (chosen("trial 7", 0.9), chosen("trial 3", 0.8, 2))
CONFIRMS = Confirms(folder="search", study="search", key="k", top=2, ended=20, planned=20, candidates=CANDIDATES)


def records(validation: dict[str, list[float]], status: str = "complete") -> list[Record]:
    """Trials whose test accuracy is 0.05 below that of validation."""
    found = []
    for name, scores in validation.items():
        for block, score in enumerate(scores):
            split = {
                "validation": Scores(loss=1 - score, accuracy=score),
                "test": Scores(loss=1.05 - score, accuracy=score - 0.05),
            }
            outcome = Outcome.model_validate({"status": status, **split})
            found.append(
                Record(trial=Trial(id="0", arm=Arm(name=name, levels={}, settings=BASE), block=block), outcome=outcome)
            )
    return found


DONE = {"baseline": [0.6, 0.7], "trial 7": [0.8, 0.9], "trial 3": [0.75, 0.75]}


def test_promises_stand_beside_fresh_scores() -> None:
    found = confirmation(CONFIRMS, "search-confirm", "accuracy", 6, records(DONE))
    assert found.complete
    baseline, best, second = found.arms
    assert (baseline.promised, baseline.validation, baseline.change) == (None, pytest.approx(0.65), None)
    assert (best.promised, best.validation, best.test) == (0.9, pytest.approx(0.85), pytest.approx(0.8))
    assert best.validation_sd == best.test_sd == pytest.approx(0.0707, abs=1e-4)
    assert best.change == pytest.approx(-0.05)
    assert (second.promised_trials, second.seed_blocks) == (2, 2)


def test_the_optimism_is_told_in_words() -> None:
    said = optimism_sentences(confirmation(CONFIRMS, "c", "accuracy", 6, records(DONE)))
    assert said[0] == (
        "Observed optimism of the search: validation accuracy over 2 seed blocks fresh to it differs by -5.00 pp from "
        "what it had chosen the arms by (mean over 2 arms). That is choice and chance together, and has no interval."
    )
    assert said[1] == (
        "trial 7: 90.00 % on validation in the search (1 seed block), 85.00 % there on 2 seed blocks of its own "
        "(-5.00 pp), 80.00 % on test."
    )
    assert len(said) == 3


def test_a_loss_that_rises_is_optimism_too() -> None:
    loss = CONFIRMS.model_copy(update={"candidates": (chosen("trial 7", 0.1),)})
    said = optimism_sentences(
        confirmation(loss, "c", "loss", 4, records({"baseline": [0.6], "trial 7": [0.8, 0.8]})[:3])
    )
    assert said == ()
    said = optimism_sentences(confirmation(loss, "c", "loss", 3, records({"baseline": [0.6], "trial 7": [0.8, 0.8]})))
    assert "differs by +0.100 nats from" in said[0]
    assert "0.100 nats on validation in the search" in said[1]


def test_scores_that_hold_are_told_as_such() -> None:
    said = optimism_sentences(
        confirmation(CONFIRMS, "c", "accuracy", 4, records({"trial 7": [0.95] * 2, "trial 3": [0.9] * 2}))
    )
    assert "has no interval" in said[0]


def test_a_choice_from_half_a_search_is_told() -> None:
    early = CONFIRMS.model_copy(update={"ended": 8})
    said = optimism_sentences(confirmation(early, "c", "accuracy", 6, records(DONE)))
    assert said[-1] == "The arms were chosen when 8 of the 20 trials of the search had ended."


def test_failed_trials_have_no_score_and_diverged_ones_have_theirs() -> None:
    failed = [record.model_copy(update={"outcome": Outcome(status="failed")}) for record in records({"trial 7": [0.8]})]
    found = confirmation(CONFIRMS, "c", "accuracy", 1, failed)
    assert found.arms[1].validation is None
    assert found.arms[1].change is None
    assert len(optimism_sentences(found)) == 0
    diverged = confirmation(CONFIRMS, "c", "accuracy", 2, records({"trial 7": [0.1, 0.9]}, "diverged"))
    assert diverged.arms[1].validation == pytest.approx(0.5)
