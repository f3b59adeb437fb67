"""Notes on trials that did not share what they ran under, and on plans that grew."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ablation.analysis.contrasts import against_baseline
from ablation.analysis.provenance_notes import change_notes, stamp_notes
from ablation.analysis.routes import ONCE, Rule, choose_route
from ablation.settings import Part, Settings
from ablation.study import Change
from ablation.trial import Arm, Outcome, Record, Scores, Stamp, Trial

SCORES = Scores(loss=0.3, accuracy=0.9)
ONE, OTHER = Part(name="digits"), Part(name="synthetic")


def record(arm: str, block: int, dataset: Part = ONE, **stamp) -> Record:
    made = Arm(name=arm, levels={}, settings=Settings(dataset=dataset, model=Part(name="small")))
    stamped = Stamp.model_validate({"versions": {"torch": "2.14", "numpy": "2.3"}, "git_commit": "a" * 40} | stamp)
    return Record(
        trial=Trial(id=f"{arm}-{block}", arm=made, block=block),
        outcome=Outcome(status="complete", test=SCORES, stamp=stamped),
    )


def test_trials_that_share_everything_have_no_note() -> None:
    assert stamp_notes([record("a", 0), record("b", 0), record("a", 1)]) == ()
    assert stamp_notes([]) == ()


def test_a_version_that_changed_is_told_with_its_share_and_what_it_can_do() -> None:
    newer = {"versions": {"torch": "2.15", "numpy": "2.3"}}
    apart = stamp_notes([record("a", 0), record("b", 0), record("a", 1, **newer), record("b", 1, **newer)])
    assert apart == (
        "Trials ran under different versions of torch: 2 with 2.14, 2 with 2.15 (from a, seed block 1, on). "
        "No seed block holds both: what it shifts in all arms alike, pairing takes out.",
    )
    mixed = stamp_notes([record("a", 0), record("b", 0, **newer), record("a", 1), record("b", 1)])
    assert mixed == (
        "Trials ran under different versions of torch: 3 with 2.14, 1 with 2.15 (from b, seed block 0, on). "
        "1 seed block holds both: effects may rest on the difference.",
    )


def test_code_and_device_are_told() -> None:
    notes = stamp_notes([record("a", 0), record("a", 1, git_dirty=True, device="NVIDIA H200")])
    assert notes[0].startswith(
        "Trials ran with different states of the code: 1 with commit aaaaaaaaaa, "
        "1 with commit aaaaaaaaaa and uncommitted changes (from a, seed block 1, on)."
    )
    assert notes[1].startswith("Trials ran on different devices: 1 with unknown, 1 with NVIDIA H200 (from ")


def test_a_component_that_changed_is_named_with_the_first_trial_of_the_change_whatever_git_says() -> None:
    def at(hour: int, net: str, **more: str) -> dict[str, object]:
        return {"started": f"2026-11-25T{hour:02}:00", "code": {"ablation": "0a", "lab.net": net, **more}}

    late = record("a", 0, **at(9, "22"))
    notes = stamp_notes([late, record("b", 0, **at(7, "11")), record("a", 1, **at(8, "11"), git_commit="b" * 40)])
    assert notes == (
        "The code of lab.net changed between trials: 2 with 11, 1 with 22 (from a, seed block 0, on). "
        "1 seed block holds both: effects may rest on the difference.",
    )
    # Arms need not share a component.
    assert stamp_notes([record("a", 0, **at(7, "11")), record("b", 0, **at(7, "11", crop="33"))]) == ()


def test_a_trial_that_was_trained_by_two_states_is_told() -> None:
    one = record("a", 0, code={"lab.net": "22"})
    assert one.outcome is not None
    assert one.outcome.stamp is not None
    before = one.outcome.stamp.model_copy(update={"code": {"lab.net": "11"}, "data_fingerprint": "other"})
    outcome = one.outcome.model_copy(update={"earlier_stamps": (before,)})
    (note,) = stamp_notes([one.model_copy(update={"outcome": outcome})])
    assert note.startswith("a, seed block 0, was trained in part before and in part after a change of lab.net, the da")


def test_batches_in_pieces_are_told() -> None:
    (note,) = stamp_notes([record("a", 0, pieces=4), record("b", 0)])
    assert note.startswith("1 of 2 trials computed their batches in pieces")
    assert "batch normalisation" in note


def test_trials_that_were_compiled_beside_others_that_were_not_are_told() -> None:
    assert stamp_notes([record("a", 0, compiled=True), record("b", 0, compiled=True)]) == ()
    (note,) = stamp_notes([record("a", 0, compiled=True), record("b", 0)])
    assert note.startswith("Only some trials were long enough to be compiled, which rounds otherwise: 1 with compiled ")


def test_data_that_changed_is_told_and_two_data_sets_are_no_change() -> None:
    before, after = "1" * 64, "2" * 64
    same = [record("a", 0, ONE, data_fingerprint=before), record("b", 0, OTHER, data_fingerprint=after)]
    assert stamp_notes(same) == ()
    (note,) = stamp_notes([*same, record("a", 1, ONE, data_fingerprint=after)])
    assert note.startswith(
        "The content of data set digits changed between trials: 1 with 111111111111, 1 with 222222222222 (from "
    )


def test_a_plan_that_grew_after_trials_had_ended_says_what_its_figures_are_worth() -> None:
    def change(ended: int, *extended: str, blocks: int = 0) -> Change:
        when = "2026-11-23T03:00:00"
        return Change(
            when=when, declared="", resolved="", extended=extended, ended=ended, planned=6, seed_blocks=blocks
        )

    changes = [change(4, "3 more seed blocks (2 -> 5)", blocks=3), change(0, "1 more arm (b)"), change(6, "1 more arm")]
    blocks, arms = change_notes([*changes, change(6)])
    assert blocks.startswith(
        "The plan was extended on 2026-11-23, when 4 of its 6 trials had ended: 3 more seed blocks (2 -> 5). "
        "So every verdict, those that were told before included, comes from an anytime-valid sequence"
    )
    assert "All contrasts are corrected together" in arms


@pytest.mark.parametrize(("rule", "low", "high"), [(ONCE, 0.09, 0.18), (Rule(anytime=True), 0, 0.05)])
def test_testing_again_as_blocks_are_added_finds_too_much_unless_the_rule_is_anytime_valid(
    rule: Rule, low: float, high: float
) -> None:
    """The figure of docs/explanation/statistics.md; 400 studies without an effect, one contrast, four looks."""
    generator = np.random.default_rng(3)
    contrasts = against_baseline({"a": {"f": "0"}, "b": {"f": "1"}}, "a", {"f": ("0", "1")})

    def found(scores: NDArray[np.float64]) -> bool:
        (estimate,) = choose_route(scores, 0, rule).estimate(contrasts)
        return estimate.interval is not None and estimate.interval.low * estimate.interval.high > 0

    studies = [generator.normal(size=(2, 20)) for _ in range(400)]
    assert low <= np.mean([any(found(scores[:, :n]) for n in (5, 10, 15, 20)) for scores in studies]) < high
