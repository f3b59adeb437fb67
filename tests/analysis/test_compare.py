"""Two arms, two trials, or an arm in two studies, over run folders with planted accuracies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_runs import NUM_IMAGES, STAMP, Planted, made_run
from scipy import stats

from ablation import designs
from ablation.analysis.compare import compare
from ablation.analysis.compared import Compared
from ablation.analysis.estimates import Anytime, held_to
from ablation.analysis.looks import anytime_bound
from ablation.analysis.moments import paired_differences
from ablation.analysis.predictions import read_predictions
from ablation.analysis.regression import Threshold, judge
from ablation.analysis.sides import Pair, Side, pair_of
from ablation.analysis.unpaired import welch
from ablation.errors import InputError
from ablation.run_folder import RunFolder
from ablation.study import Study
from ablation.trial import Record, Stamp

DROP = {"crop=shifted": 0.7}


@pytest.fixture
def study(small_study: Study) -> Study:
    return small_study.model_copy(update={"seeds": 5})


def side(folder: RunFolder, name: str, block: int | None = None, missing: int = 0) -> Side:
    """An arm, or its trial in one seed block."""
    study = folder.beginning().study
    arm = next(one for one in designs.arms(study) if one.name == name)
    records = tuple(one for one in folder.records() if one.trial.arm.name == name and block in (None, one.trial.block))
    trial = None if block is None else records[0].trial.id
    label = name if block is None else f"{name} in {block}"
    return Side(label, study, folder, arm, records, trial, missing)


def compared(a: Side, b: Side) -> Compared:
    return compare(pair_of(a, b), ())


def arms(path: Path, study: Study, planted: Planted) -> Compared:
    folder = made_run(path, study, planted)
    return compared(side(folder, "baseline"), side(folder, "crop=shifted"))


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_two_arms_are_a_paired_t_over_their_shared_blocks(tmp_path: Path, study: Study, metric: str) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    a, b = side(folder, "baseline"), side(folder, "crop=shifted")
    found = getattr(compared(a, b), metric)
    scores = [[getattr(one.outcome.test, metric) for one in each.records] for each in (b, a)]
    expected = stats.ttest_rel(*scores)
    interval, one_sided = (expected.confidence_interval(level) for level in (0.95, 0.90))
    assert (found.effect, found.p) == pytest.approx((np.subtract(*scores).mean(), expected.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(interval))
    assert (found.at_least, found.at_most) == pytest.approx(tuple(one_sided))


def test_a_comparison_is_told_like_a_finding_without_a_verdict(tmp_path: Path, study: Study) -> None:
    found = arms(tmp_path / "run", study, Planted(DROP, seconds={"crop=shifted": 8.0}))
    assert found.sentence.startswith("crop=shifted instead of baseline changes accuracy by -")
    assert "paired t over 5 shared seed blocks), at -20 % training time and +1 parameters." in found.sentence
    assert not any(word in found.sentence for word in ("elps", "urts", "better", "worse"))
    assert any("one comparison" in note for note in found.notes)


def test_without_a_shared_block_it_is_welchs_t_and_said(tmp_path: Path, study: Study) -> None:
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({"baseline": 0.7}, blocks=range(7, 11), seed=1))
    found = compared(side(one, "baseline"), side(two, "baseline"))
    scores = [[each.outcome.test.accuracy for each in side(folder, "baseline").records] for folder in (two, one)]
    expected = stats.ttest_ind(*scores, equal_var=False)
    assert (found.paired, found.accuracy.p) == (False, pytest.approx(expected.pvalue))
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert "Welch's t of 4 seed blocks of B and 5 of A, since they share none" in found.sentence
    assert (found.seconds, "none is shared" in found.cost_note) == (None, True)
    assert found.images.effect == pytest.approx(found.accuracy.effect)
    assert [each.seed_blocks for each in found.classes] == [9, 9, 9]


def test_where_blocks_are_shared_the_others_are_not_read(tmp_path: Path, study: Study) -> None:
    found = arms(
        tmp_path / "run", study, Planted(DROP, statuses={("crop=shifted", 1): "failed", ("baseline", 4): "missing"})
    )
    assert found.paired
    assert found.a.seed_blocks == found.b.seed_blocks == (0, 2, 3)
    assert "1 trial of B without a score: failed or pruned." in found.notes
    assert "1 trial of A in seed blocks that the other side lacks, not read." in found.notes


def test_one_shared_block_has_no_interval_though_more_are_not_shared(tmp_path: Path, study: Study) -> None:
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({}, blocks=range(4, 9), seed=1))
    found = compared(side(one, "baseline"), side(two, "baseline"))
    assert (found.paired, found.a.seed_blocks) == (True, (4,))
    assert found.accuracy.low is None
    assert found.accuracy.at_least is None
    assert "(no interval, 1 shared seed block)" in found.sentence


def test_a_diverged_trial_counts_as_the_guess_and_is_not_among_the_images(tmp_path: Path, study: Study) -> None:
    found = arms(tmp_path / "run", study, Planted({}, statuses={("crop=shifted", 2): "diverged"}))
    assert len(found.b.seed_blocks) == 5
    assert found.accuracy.effect == pytest.approx((1 / 3 - 0.8) / 5, abs=0.03)
    assert found.images.seed_blocks == 4
    assert "2 trials are not among the images" in found.images_note
    assert [one.seed_blocks for one in found.classes] == [4, 4, 4]
    assert "1 trial of B diverged, counted as the uniform guess." in found.notes


def test_the_images_on_which_two_trials_disagree_are_those_of_their_predictions(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    a, b = side(folder, "baseline", 0), side(folder, "crop=shifted", 0)
    found = compared(a, b)
    said_a, said_b = (read_predictions(folder.trial_folder(each.trial)) for each in (a, b))
    assert {one.image for one in found.disagreements} == set(np.flatnonzero(said_a.predicted != said_b.predicted))
    names = ("cat", "dog", "emu")
    for one in found.disagreements:
        expected = (said_a.labels[one.image], said_a.predicted[one.image], said_b.predicted[one.image])
        assert (one.true, one.a, one.b) == tuple(names[number] for number in expected)
        assert (one.a_right, one.b_right) == (one.a == one.true, one.b == one.true)
    assert found.mcnemar.only_first == (said_a.correct & ~said_b.correct).sum()
    assert found.mcnemar.only_second == (~said_a.correct & said_b.correct).sum()
    assert found.images.images == NUM_IMAGES
    assert found.accuracy.low is None


def test_of_two_arms_the_most_frequent_classes_are_compared_and_large_differences_come_first(
    tmp_path: Path, study: Study
) -> None:
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted": 0.4}))
    found = compared(side(folder, "baseline"), side(folder, "crop=shifted"))
    assert found.mcnemar is None
    changes = [abs(one.b_right - one.a_right) for one in found.disagreements]
    assert len(changes) > 50
    assert changes == sorted(changes, reverse=True)
    at = found.disagreements[0].image
    right = [
        read_predictions(folder.trial_folder(one.trial.id)).correct[at] for one in side(folder, "baseline").records
    ]
    assert found.disagreements[0].a_right == pytest.approx(np.mean(right))


def test_classes_are_compared_with_their_own_correction(tmp_path: Path, study: Study) -> None:
    found = arms(tmp_path / "run", study, Planted({"crop=shifted": 0.5}, sd=0.002))
    assert [one.name for one in found.classes] == ["cat", "dog", "emu"]
    assert all(one.survives and one.high < 0 for one in found.classes)


def test_validation_images_are_shared_inside_one_block_alone(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study.model_copy(update={"evaluate_on": "validation"}), Planted(DROP))
    all_blocks = compared(side(folder, "baseline"), side(folder, "crop=shifted"))
    assert (all_blocks.split, all_blocks.images, all_blocks.disagreements) == ("validation", None, ())
    assert "draws validation images of its own" in all_blocks.images_note
    assert all_blocks.classes
    one_block = compared(side(folder, "baseline", 2), side(folder, "crop=shifted", 2))
    assert one_block.mcnemar is not None
    two_blocks = compared(side(folder, "baseline", 1), side(folder, "baseline", 2))
    assert two_blocks.mcnemar is None


def test_predictions_that_are_gone_leave_the_rest(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    for file in folder.path.rglob("predictions.npz"):
        file.unlink()
    found = compared(side(folder, "baseline"), side(folder, "crop=shifted"))
    assert (found.images, found.disagreements) == (None, ())
    assert "no predictions of both sides" in found.images_note
    assert found.accuracy.low < 0
    assert found.classes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"device": "cuda (other)"}, "B ran on cuda (other) with 1 thread a trial, 2 side by side"),
        ({"threads": 4}, "B ran on cpu (test) with 4 threads a trial"),
        ({"slots": 1}, "A ran on cpu (test) with 1 thread a trial, 2 side by side; B"),
        ({"slots": None}, "an unknown number side by side"),
        ({"pieces": 2}, "batches in 2 pieces"),
        ({"compiled": True}, "2 side by side, steps compiled"),
    ],
)
def test_time_is_compared_only_on_one_kind_of_machine(tmp_path: Path, study: Study, change: dict, told: str) -> None:
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({}, seed=1, stamp=STAMP.model_copy(update=change)))
    found = compared(side(one, "baseline"), side(two, "baseline"))
    assert found.seconds is None
    assert found.cost_note.startswith("Costs are not comparable: ")
    assert told in found.cost_note
    assert "training time" not in found.sentence


def test_time_on_one_machine_is_a_ratio_within_blocks(tmp_path: Path, study: Study) -> None:
    """Later blocks take longer in both studies; the ratio does not see it."""
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({}, seed=1, seconds={"baseline": 15.0}))
    found = compared(side(one, "baseline"), side(two, "baseline"))
    assert found.seconds.value == pytest.approx(1.5, rel=0.02)
    assert found.seconds.high - found.seconds.low < 0.05
    assert (found.parameters.level, found.parameters.reference) == (1000, 1000)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"metric": "loss"}, "metric: accuracy and loss"),
        ({"evaluate_on": "validation"}, "evaluated split: test and validation"),
        ({"dataset": 48}, r"data set: \{.*96.*\} and \{.*48"),
    ],
)
def test_studies_that_measure_something_else_are_refused(tmp_path: Path, study: Study, change: dict, told: str) -> None:
    if "dataset" in change:
        part = study.baseline.dataset
        smaller = part.model_copy(update={"choices": part.choices | {"test_size": change["dataset"]}})
        change = {"baseline": study.baseline.model_copy(update={"dataset": smaller})}
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study.model_copy(update=change), Planted({}))
    with pytest.raises(InputError, match=f"cannot be compared: {told}"):
        compared(side(one, "baseline"), side(two, "baseline"))


def test_another_content_of_the_data_files_is_refused(tmp_path: Path, study: Study) -> None:
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({}, stamp=STAMP.model_copy(update={"data_fingerprint": "beef"})))
    with pytest.raises(InputError, match="other content"):
        compared(side(one, "baseline"), side(two, "baseline"))


def test_nothing_is_compared_with_itself_or_with_what_has_no_score(tmp_path: Path, study: Study) -> None:
    failed = {("crop=shifted", block): "failed" for block in range(5)}
    folder = made_run(tmp_path / "run", study, Planted({}, statuses=failed))
    with pytest.raises(InputError, match="A and B are both baseline"):
        pair_of(side(folder, "baseline"), side(folder, "baseline"))
    with pytest.raises(InputError, match="no trial with a score"):
        pair_of(side(folder, "baseline"), side(folder, "crop=shifted"))


def test_equal_scores_in_every_block_have_no_interval_and_bounds_at_zero(tmp_path: Path, study: Study) -> None:
    """The same code run again: bit-equal trials."""
    one, two = (made_run(tmp_path / name, study, Planted({})) for name in ("one", "two"))
    found = compared(side(one, "baseline"), side(two, "baseline"))
    assert (found.accuracy.effect, found.accuracy.low, found.accuracy.p) == (0, None, None)
    assert (found.accuracy.at_least, found.accuracy.at_most) == (0, 0)
    assert "the same in each of 5 seed blocks" in found.sentence
    assert found.disagreements == ()


def test_what_is_unfinished_is_provisional(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    pair: Pair = pair_of(side(folder, "baseline"), replace(side(folder, "crop=shifted"), missing=2))
    assert "Provisional: 2 trials of B without an outcome yet." in compare(pair, ()).notes


@pytest.mark.filterwarnings("ignore:Precision loss")  # scipy, where a side has no spread
def test_welch_is_that_of_scipy_corrected_over_its_rows() -> None:
    draws = np.random.default_rng(0)
    first, second = draws.normal(0, 1, (3, 5)), draws.normal(0.5, 3, (3, 7))
    second[0, :6], first[1] = np.nan, 2.0
    first[2, 0] = np.nan
    lone, level, full = welch(first, second)
    assert (lone.interval, lone.blocks) == (None, 6)
    for found, row in ((level, 1), (full, 2)):
        kept = first[row][np.isfinite(first[row])]
        expected = stats.ttest_ind(second[row], kept, equal_var=False)
        assert found.p == pytest.approx(min(1, 2 * expected.pvalue))
        assert found.interval.low == pytest.approx(expected.confidence_interval(0.975).low)


def test_welch_without_spread_or_blocks_tests_nothing() -> None:
    (level,) = welch(np.full((1, 3), 0.5), np.full((1, 4), 0.7))
    assert (level.effect, level.interval) == (pytest.approx(0.2), None)
    (empty,) = welch(np.empty((1, 0)), np.full((1, 4), 0.7))
    assert empty.effect is None


def looked_at(found: Side) -> Side:
    return replace(found, looked_at=True)


def test_where_blocks_were_added_with_scores_in_sight_the_interval_is_anytime_valid(
    tmp_path: Path, study: Study
) -> None:
    folder = made_run(tmp_path / "run", study.model_copy(update={"seeds": 9}), Planted(DROP))
    a, b = side(folder, "baseline"), side(folder, "crop=shifted")
    once, often = compared(a, b), compared(looked_at(a), b)
    scores = [b.scores(range(9), "accuracy"), a.scores(range(9), "accuracy")]
    error = np.std(np.subtract(*scores), ddof=1) / 3
    for low, rate in ((often.accuracy.low, 0.05), (often.accuracy.at_least, 0.10)):
        assert low == pytest.approx(often.accuracy.effect - anytime_bound(rate, 9, 8) * error)
    assert often.accuracy.low < once.accuracy.low < once.accuracy.high < often.accuracy.high
    assert "anytime-valid over 9 shared seed blocks" in often.sentence
    assert any("with scores in sight" in note for note in often.notes)
    assert all((one.low, one.p_adjusted) == (None, None) for one in often.classes)
    assert any(one.low is not None for one in once.classes)


def test_too_few_blocks_for_an_anytime_valid_bound_are_refused_as_a_judgement(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study.model_copy(update={"seeds": 3}), Planted(DROP))
    found = compared(looked_at(side(folder, "baseline")), side(folder, "crop=shifted"))
    assert (found.accuracy.low, found.accuracy.at_most) == (None, None)
    assert "3 seed blocks decide nothing under a rule that holds however often one looks" in found.sentence
    with pytest.raises(InputError, match="Give both sides more seed blocks, the same ones, or run both anew"):
        judge(found, Threshold("accuracy", 0.005))


def test_an_extended_study_without_shared_blocks_has_no_interval(tmp_path: Path, study: Study) -> None:
    one = made_run(tmp_path / "one", study, Planted({}))
    two = made_run(tmp_path / "two", study, Planted({"baseline": 0.7}, blocks=range(7, 11), seed=1))
    found = compared(side(one, "baseline"), looked_at(side(two, "baseline")))
    assert (found.accuracy.low, found.accuracy.at_least) == (None, None)
    assert any("takes shared seed blocks" in note for note in found.notes)
    with pytest.raises(InputError, match="that are not shared"):
        judge(found, Threshold("accuracy", 0.0))


def test_two_trials_of_an_extended_study_are_two_fixed_models_all_the_same(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted(DROP))
    found = compared(looked_at(side(folder, "baseline", 0)), looked_at(side(folder, "crop=shifted", 0)))
    assert not found.looked_at


def test_a_gate_that_is_run_after_every_extension_seldom_fails_where_nothing_changed() -> None:
    """A plain paired t of 5 % a side fails 13 % of such pipelines."""
    generator, studies, failed = np.random.default_rng(4), 500, 0
    for _ in range(studies):
        scores = generator.standard_normal((2, 25))
        bounds = [
            held_to(Anytime(1), paired_differences(scores[:, :blocks], np.array([[-1.0, 1.0]])))[0].equivalence
            for blocks in (5, 10, 15, 20, 25)
        ]
        failed += any(one is not None and one.high < 0 for one in bounds)
    assert failed / studies < 0.05


def test_rate_and_memory_are_compared_as_time_is(tmp_path: Path, study: Study) -> None:
    found = arms(tmp_path / "run", study, Planted(DROP))
    assert (found.images_per_second.value, found.peak_memory.value, found.cost_note) == (1, 1, "")
    assert (found.a.images_per_second, found.a.peak_memory) == (100, 1)
    assert found.a.circumstances == ("cpu (test) with 1 thread a trial, 2 side by side",)


def test_trials_that_had_the_machine_for_themselves_are_left_out_of_the_cost(tmp_path: Path, study: Study) -> None:
    """The last seed blocks of one side ran alone."""
    folder = made_run(tmp_path / "run", study, Planted({}))
    a, b = side(folder, "baseline"), side(folder, "crop=shifted")
    alone = STAMP.model_copy(update={"busy": 1})
    for blocks, told in (((4,), "in 4 of 5 seed blocks; in the others they are"), (range(1, 5), "Costs are")):
        records = tuple(_restamped(one, alone) if one.trial.block in blocks else one for one in b.records)
        found = compared(a, replace(b, records=records))
        assert (found.seconds is None) == (len(blocks) > 1)
        assert f"{told} not comparable: A ran on cpu (test)" in found.cost_note
        assert "B ran on cpu (test) with 1 thread a trial, 1 side by side or cpu (test)" in found.cost_note


def _restamped(record: Record, stamp: Stamp) -> Record:
    return record.model_copy(update={"outcome": record.outcome.model_copy(update={"stamp": stamp})})


def test_images_that_no_trial_gets_right_are_told(tmp_path: Path, study: Study) -> None:
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted": 0.4}))
    found = compared(side(folder, "baseline"), side(folder, "crop=shifted"))
    wrong = [~read_predictions(folder.trial_folder(one.trial.id)).correct for name in ("baseline", "crop=shifted")
             for one in side(folder, name).records]  # fmt: skip
    assert {one.image for one in found.both_wrong} == set(np.flatnonzero(np.all(wrong, axis=0)))
    assert found.both_wrong
