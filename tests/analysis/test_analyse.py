import dataclasses
import json
import math
import re
import time

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.results import ResultsTable, framed
from ablation.analysis.routes import Rule
from ablation.analysis.writing import markdown, write_findings
from ablation.findings import Analysis

VERDICT_WORDS = re.compile(r"improve|better|worse|signific|\bhelp|\bhurt", re.IGNORECASE)
FACTORS = {"crop": ["with", "without"], "flip": ["with", "without"]}


def shifted(*shifts, blocks=5, seed=0):
    return noise(len(shifts), blocks, seed) + np.array(shifts)[:, None]


def told(analysis):
    return "\n".join([*(finding.sentence for finding in analysis.findings), *analysis.notes, analysis.method])


def test_effects_have_the_sign_of_the_metric():
    up = analyse(made_table(shifted(0, 0.03, -0.03), {"part": ["a", "b", "c"]}))
    assert [finding.verdict for finding in up.findings] == ["helps", "hurts"]
    loss = analyse(made_table(shifted(0, 0.03, -0.03), {"part": ["a", "b", "c"]}, metric="loss"))
    assert [finding.verdict for finding in loss.findings] == ["hurts", "helps"]
    assert re.search(r"changes loss by \+0\.0\d\d nats \(95 %", loss.findings[0].sentence)


def test_a_sentence_has_the_form_of_a_finding():
    sentence = analyse(made_table(shifted(0, -0.03, 0), FACTORS)).findings[0].sentence
    assert re.fullmatch(
        r"crop: without instead of with changes accuracy by -\d\.\d\d pp \(95 % interval \[-\d\.\d\d, -\d\.\d\d\], "
        r"5 seed blocks, adjusted p (= 0\.\d+|< 0\.001), Dunnett\), at \+10 % training time\. Hurts\.",
        sentence,
    )


def test_the_way_taken_is_named():
    assert "Blocked linear model" in analyse(made_table(shifted(0, 0, 0))).method
    scores = noise(4, 12, 3)
    scores[3] += np.where(np.arange(12) % 2, 0.05, -0.05)
    noisy = analyse(made_table(scores))
    assert "rejects equal variances" in noisy.method
    assert "paired t, Bonferroni" in noisy.findings[0].sentence
    assert noisy.variance_ratio > 5


def test_a_noisy_baseline_is_not_pooled():
    scores = noise(4, 8, 5)
    scores[0] += np.where(np.arange(8) % 2, 0.008, -0.008)
    assert "Paired t" in analyse(made_table(scores)).method


def test_a_failed_trial_leaves_its_contrast_the_blocks_that_are_shared():
    scores = shifted(0, 0.03, -0.03)
    scores[1, 2] = math.nan
    analysis = analyse(made_table(scores))
    assert [finding.seed_blocks for finding in analysis.findings] == [4, 5]
    assert "scores in different seed blocks" in analysis.method
    assert "Trials that failed give no score: part=level1 (1)." in analysis.notes
    assert not analysis.provisional


def test_an_arm_that_failed_throughout_takes_nothing_from_the_others():
    scores = shifted(0, 0.03, -0.03)
    scores[1] = math.nan
    analysis = analyse(made_table(scores))
    lost, kept = analysis.findings
    assert (lost.effect, lost.verdict, lost.seed_blocks) == (None, "not tested", 0)
    assert kept.verdict == "hurts"
    assert "Blocked linear model" in analysis.method


def test_a_baseline_that_failed_throughout_leaves_nothing_to_compare():
    scores = shifted(0, 0.03, -0.03)
    scores[0] = math.nan
    analysis = analyse(made_table(scores))
    assert {finding.verdict for finding in analysis.findings} == {"not tested"}
    assert not VERDICT_WORDS.search(told(analysis))


@pytest.mark.parametrize("design", ["contrasts", "factorial"])
def test_one_seed_block_has_no_verdict(design):
    scores = shifted(*([0, 0.1, -0.1] if design == "contrasts" else [0, 0.1, -0.1, 0.4]), blocks=1)
    analysis = analyse(made_table(scores, FACTORS, design))
    assert {finding.verdict for finding in analysis.findings} == {"not tested"}
    assert all(finding.p_adjusted is None and finding.low is None for finding in analysis.findings)
    assert not VERDICT_WORDS.search(told(analysis))
    assert "1 seed block" in analysis.findings[0].sentence


def test_two_seed_blocks_are_enough_for_an_interval_and_a_warning():
    analysis = analyse(made_table(shifted(0, 0.001, 0.002, blocks=2)))
    assert all(finding.low < finding.effect < finding.high for finding in analysis.findings)
    assert any("cannot go below p = 0.5," in note for note in analysis.notes)


@pytest.mark.parametrize(("blocks", "warned"), [(5, True), (6, False)])
def test_the_sign_flip_floor_is_told_while_it_matters(blocks, warned):
    analysis = analyse(made_table(shifted(0, 0.001, blocks=blocks), {"part": ["a", "b"]}))
    assert any("sign-flip" in note for note in analysis.notes) == warned


@pytest.mark.parametrize("design", ["contrasts", "factorial"])
def test_an_unfinished_plan_has_estimates_and_no_verdict(design):
    scores = shifted(*([0, 0.1, -0.1] if design == "contrasts" else [0, 0.1, -0.1, 0.4]))
    scores[1, 4] = math.nan
    analysis = analyse(made_table(scores, FACTORS, design, statuses={(1, 4): "missing"}))
    assert analysis.provisional
    assert {finding.verdict for finding in analysis.findings} == {"provisional"}
    assert all(finding.effect is not None and finding.p_adjusted is None for finding in analysis.findings)
    assert all("provisional" in finding.sentence for finding in analysis.findings)
    assert not VERDICT_WORDS.search(told(analysis))
    assert markdown(analysis).startswith("# Findings (provisional)")


def test_a_search_has_no_findings():
    analysis = analyse(made_table(shifted(0, 0.1), {"part": ["a", "b"]}, "search"))
    assert analysis.findings == ()
    assert len(analysis.arms) == 2
    assert any("only a planned study" in note for note in analysis.notes)


def test_nothing_at_all_is_no_finding():
    empty = made_table(np.empty((1, 0)), {"part": ["a"]})
    assert analyse(empty).findings == ()
    bare = ResultsTable(framed([]), {}, "", {}, "contrasts", "accuracy", 0.002, 0)
    assert analyse(bare).arms == ()


def test_one_arm_has_nothing_to_be_compared_with():
    analysis = analyse(made_table(noise(1, 5), {"part": ["a"]}))
    assert analysis.findings == ()
    assert analysis.arms[0].seed_blocks == 5


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_without_any_spread_no_verdict_is_drawn(shift):
    analysis = analyse(made_table(np.full((3, 5), 0.9) + np.array([0, 0, shift])[:, None]))
    assert {finding.verdict for finding in analysis.findings} == {"not tested"}
    assert "the same in every seed block" in analysis.findings[0].sentence
    assert not VERDICT_WORDS.search(told(analysis))


def test_identical_arms_among_others_show_no_effect():
    scores = shifted(0, 0, 0.001)
    scores[1] = scores[0]
    finding = analyse(made_table(scores)).findings[0]
    assert finding.effect == 0
    assert finding.verdict in ("equivalent", "inconclusive")


def test_equivalent_only_inside_the_margin():
    scores = noise(3, 12, 2, sd=0.0004)
    table = made_table(scores)
    assert {finding.verdict for finding in analyse(table).findings} == {"equivalent"}
    narrow = dataclasses.replace(table, margin=0.00005)
    assert {finding.verdict for finding in analyse(narrow).findings} == {"inconclusive"}
    for finding in analyse(table).findings:
        low, high = 100 * finding.equivalence_low, 100 * finding.equivalence_high
        assert finding.low < finding.equivalence_low < finding.equivalence_high < finding.high
        assert f"Equivalent: 90 % interval [{low:+.2f}, {high:+.2f}] inside the margin of 0.20 pp." in finding.sentence


def test_a_small_certain_effect_says_that_it_is_small():
    finding = analyse(made_table(noise(2, 12, sd=0.0001) + np.array([[0], [0.001]]), {"part": ["a", "b"]})).findings[0]
    assert finding.verdict == "helps"
    assert finding.sentence.endswith("Helps, by less than the margin of 0.20 pp.")


def test_an_open_question_says_what_it_would_take():
    finding = analyse(made_table(shifted(0, 0, seed=2, blocks=4), {"part": ["a", "b"]})).findings[0]
    assert finding.verdict == "inconclusive"
    assert finding.more_blocks >= 1
    assert f"about {finding.more_blocks} more seed block" in finding.sentence


def test_a_growing_plan_at_its_end_promises_no_more_seed_blocks():
    grows = dataclasses.replace(
        made_table(shifted(0, 0, seed=2, blocks=4), {"part": ["a", "b"]}), rule=Rule(looks=(3, 4))
    )
    finding = analyse(grows).findings[0]
    assert (finding.verdict, finding.more_blocks) == ("inconclusive", None)
    assert finding.new_plan_blocks > 4
    assert f"takes a new plan, fixed at about {finding.new_plan_blocks} fresh seed blocks." in finding.sentence
    assert "more seed block" not in finding.sentence


def test_an_effect_that_would_take_too_long_is_told_so():
    scores = np.array([[0.5, 0.5, 0.5, 0.5], [0.4, 0.6, 0.401, 0.6]])
    table = dataclasses.replace(made_table(scores, {"part": ["a", "b"]}), margin=1e-6)
    finding = analyse(table).findings[0]
    assert finding.more_blocks is None
    assert "would take more than 10,000 seed blocks" in finding.sentence


def test_a_finding_that_rests_on_a_diverged_trial_says_so():
    scores = shifted(0, -0.03, -0.03)
    scores[1, 3] = 0.1
    analysis = analyse(made_table(scores, statuses={(1, 3): "diverged"}))
    rests, free = analysis.findings
    assert rests.rests_on_diverged
    assert "Rests on 1 diverged trial, counted as the uniform guess." in rests.sentence
    assert not free.rests_on_diverged
    assert "Rests on" not in free.sentence
    assert "Trials that diverged count as the uniform guess: part=level1 (1)." in analysis.notes


@pytest.mark.parametrize(("sign", "verdict"), [(1, "above the sum"), (-1, "below the sum")])
def test_a_planted_interaction_is_found_with_its_sign(sign, verdict):
    analysis = analyse(made_table(shifted(0, 0, 0, 0.03 * sign), FACTORS, "factorial"))
    interaction = next(finding for finding in analysis.findings if finding.kind == "interaction")
    assert interaction.verdict == verdict
    assert interaction.effect == pytest.approx(0.03 * sign, abs=0.006)
    assert interaction.factor == "crop × flip"


def test_behind_an_interaction_stand_its_simple_effects_and_no_main_effect():
    analysis = analyse(made_table(shifted(0, 0, 0, 0.03), FACTORS, "factorial"))
    mains = [finding for finding in analysis.findings if finding.kind == "main"]
    assert all("withheld" in finding.sentence and finding.verdict == "withheld" for finding in mains)
    simple = {finding.factor: finding.effect for finding in analysis.findings if finding.kind == "simple"}
    assert simple["crop where flip is with"] == pytest.approx(0, abs=0.005)
    assert simple["crop where flip is without"] == pytest.approx(0.03, abs=0.005)
    assert len(simple) == 4


def test_an_interaction_leaves_other_main_effects_standing():
    factors = {"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}
    levels = np.array([[int(x) for x in f"{index:03b}"] for index in range(8)])
    scores = noise(8, 5) + (0.03 * levels[:, 0] * levels[:, 1] + 0.02 * levels[:, 2])[:, None]
    analysis = analyse(made_table(scores, factors, "factorial"))
    verdicts = {(finding.kind, finding.factor): finding.verdict for finding in analysis.findings}
    assert verdicts["main", "c"] == "helps"
    assert verdicts["main", "a"] == verdicts["main", "b"] == "withheld"
    assert {factor for kind, factor in verdicts if kind == "simple"} == {
        "a where b is 0", "a where b is 1", "b where a is 0", "b where a is 1",
    }  # fmt: skip


def test_without_interaction_main_effects_are_told():
    analysis = analyse(made_table(shifted(0, 0, 0.03, 0.03), FACTORS, "factorial"))
    assert [finding.verdict for finding in analysis.findings if finding.factor == "crop"] == ["helps"]
    assert all(finding.kind != "simple" for finding in analysis.findings)


def test_arms_are_summed_up_with_their_n():
    scores = shifted(0, 0.01)
    scores[1, 0] = math.nan
    baseline, arm = analyse(made_table(scores, {"part": ["a", "b"]})).arms
    assert (baseline.seed_blocks, baseline.baseline, baseline.outcomes) == (5, True, {"complete": 5})
    assert (arm.seed_blocks, arm.outcomes) == (4, {"failed": 1, "complete": 4})
    assert arm.accuracy == pytest.approx(scores[1, 1:].mean())
    assert arm.accuracy_sd == pytest.approx(scores[1, 1:].std(ddof=1))
    assert arm.loss is None


def test_arms_of_unlike_size_are_noted():
    table = made_table(shifted(0, 0))
    table.frame.loc[table.frame["arm"] == "part=level1", "parameters"] = 2000.0
    assert any("initial weights" in note for note in analyse(table).notes)


def test_the_same_table_gives_the_same_digits():
    factors = {"a": ["p", "q", "r"], "b": ["x", "y"]}  # unlike correlations: integrated quasi-randomly
    table = made_table(shifted(0, 0.01, 0, 0.01, 0.02, 0), factors, "factorial")
    assert analyse(table) == analyse(table)


def test_a_hundred_trials_take_less_than_a_second():
    table = made_table(noise(10, 10))
    analyse(table)
    begun = time.process_time()
    analyse(dataclasses.replace(table, margin=0.001))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(("sign", "verdict", "more"), [(1, "above the sum", "more"), (-1, "below the sum", "less")])
def test_an_interaction_is_told_against_the_sum_and_never_as_help(sign, verdict, more):
    """Two changes that lose five points each, and five together, give more than the sum: nobody is helped."""
    means = {(0, 0): 0.9, (1, 0): 0.85, (0, 1): 0.85, (1, 1): 0.85 if sign > 0 else 0.75}
    scores = np.array([[means[a, b]] * 6 for a in (0, 1) for b in (0, 1)]) + noise(4, 6, 3) - 0.9
    table = made_table(scores, {"a": ["no", "yes"], "b": ["no", "yes"]}, "factorial")
    finding = next(one for one in analyse(table).findings if one.kind == "interaction")
    assert finding.verdict == verdict
    assert finding.sentence.endswith(f"The changes together give {more} accuracy than the sum of each.")
    assert "elps" not in finding.sentence
    assert "urts" not in finding.sentence


def test_findings_are_written_for_programs_and_people(tmp_path):
    hostile = {"a|b": ["*x*", "<script>", "# y\n| z"]}
    analysis = analyse(made_table(shifted(0, 0.03, -0.03), hostile))
    write_findings(analysis, tmp_path, "Does <b>a</b> help?")
    assert Analysis.model_validate_json((tmp_path / "findings.json").read_text()) == analysis
    assert json.loads((tmp_path / "findings.json").read_text())["findings"][0]["verdict"] == "helps"
    text = (tmp_path / "findings.md").read_text()
    assert text.startswith("# Findings\nDoes &lt;b&gt;a&lt;/b&gt; help?\n\n- ")
    assert "<script>" not in text
    assert "\n# y" not in text
    assert r"a\|b: &lt;script&gt; instead of \*x\*" in text


def test_the_page_without_findings_says_none():
    assert "\nNone.\n" in markdown(analyse(made_table(noise(1, 5), {"part": ["a"]})))
