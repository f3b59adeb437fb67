import numpy as np
import pytest
import statsmodels.formula.api as smf
from made_tables import factorial_arms, long, made_table, noise, one_factor_arms
from scipy import stats
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.multitest import multipletests

from ablation.analysis.contrasts import against_baseline
from ablation.analysis.estimates import Interval, blocked, family_of, paired
from ablation.analysis.factorial import main_and_interactions, simple_effects
from ablation.analysis.moments import fit_blocked

SCORES = noise(4, 6, seed=4) + np.array([0.0, 0.003, -0.004, 0.0])[:, None]
WEIGHTS = np.array([[-1.0, 1, 0, 0], [-1, 0, 1, 0], [-1, 0, 0, 1]])


def test_the_blocked_model_is_least_squares_with_dummies():
    fit = smf.ols("y ~ C(arm) + C(block)", long(SCORES)).fit()
    terms = [f"C(arm)[T.{arm}]" for arm in (1, 2, 3)]
    got = blocked(SCORES, WEIGHTS)
    critical = family_of(WEIGHTS, 15).critical(0.95)
    assert fit_blocked(SCORES).freedom == fit.df_resid == 15
    assert [one.effect for one in got] == pytest.approx(fit.params[terms].tolist())
    assert [one.interval.high - one.effect for one in got] == pytest.approx((critical * fit.bse[terms]).tolist())
    assert [one.p_holm for one in got] == pytest.approx(multipletests(fit.pvalues[terms], method="holm")[1].tolist())


def test_the_error_is_that_of_anova_for_repeated_measures():
    table = AnovaRM(long(SCORES), "y", "block", within=["arm"]).fit().anova_table
    between = SCORES.shape[1] * SCORES.mean(axis=1).var(ddof=1)
    assert between / fit_blocked(SCORES).error_sd ** 2 == pytest.approx(table["F Value"].iloc[0])


def test_two_arms_are_a_paired_t_test_either_way():
    two, weights = SCORES[:2], np.array([[-1.0, 1.0]])
    result = stats.ttest_rel(two[1], two[0])
    interval = result.confidence_interval()
    for got in (blocked(two, weights)[0], paired(two, weights)[0]):
        assert got.p == got.p_holm == pytest.approx(result.pvalue)
        assert (got.interval.low, got.interval.high) == pytest.approx((interval.low, interval.high))


def test_paired_contrasts_are_t_tests_over_the_blocks_they_share():
    scores = SCORES.copy()
    scores[1, 0] = scores[2, 5] = np.nan
    got = paired(scores, WEIGHTS)
    assert [one.blocks for one in got] == [5, 5, 6]
    raw = []
    for arm, one in zip((1, 2, 3), got, strict=True):
        both = np.isfinite(scores[[0, arm]]).all(axis=0)
        result = stats.ttest_rel(scores[arm, both], scores[0, both])
        interval = result.confidence_interval(1 - 0.05 / 3)
        equivalence = result.confidence_interval(1 - 0.10 / 3)
        raw.append(result.pvalue)
        assert one.p == pytest.approx(min(1, 3 * result.pvalue))
        assert (one.interval.low, one.interval.high) == pytest.approx((interval.low, interval.high))
        assert (one.equivalence.low, one.equivalence.high) == pytest.approx((equivalence.low, equivalence.high))
    assert [one.p_holm for one in got] == pytest.approx(multipletests(raw, method="holm")[1].tolist())


def test_a_factorials_effects_are_those_of_the_effect_coded_model():
    factors = {"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}
    arms = list(factorial_arms(factors).values())
    scores = noise(8, 5, seed=6)
    coded = {factor: [2 * int(levels[factor]) - 1 for levels in arms] for factor in factors}
    fit = smf.ols("y ~ a * b * c + C(block)", long(scores, **coded)).fit()
    contrasts = main_and_interactions(arms, factors)
    weights = np.array([contrast.weights for contrast in contrasts])
    critical = family_of(weights, 28).critical(0.95)
    for contrast, one in zip(contrasts, blocked(scores, weights), strict=True):
        term, scale = contrast.factor.replace(" × ", ":"), 2 * len(contrast.changes)
        assert one.effect == pytest.approx(scale * fit.params[term])
        assert one.interval.high - one.effect == pytest.approx(critical * scale * fit.bse[term])


def test_levels_and_level_pairs_of_a_larger_factorial_are_treatment_contrasts():
    factors = {"a": ["p", "q", "r"], "b": ["x", "y"]}
    arms = list(factorial_arms(factors).values())
    scores = noise(6, 4, seed=7)
    columns = {factor: [levels[factor] for levels in arms] for factor in factors}
    fit = smf.ols("y ~ C(a) * C(b) + C(block)", long(scores, **columns)).fit()
    both = [*main_and_interactions(arms, factors), *simple_effects(arms, factors)]
    estimates = blocked(scores, np.array([contrast.weights for contrast in both]))
    got = {(c.factor, c.level): one.effect for c, one in zip(both, estimates, strict=True)}
    alone, beside = fit.params["C(a)[T.q]"], fit.params["C(a)[T.q]:C(b)[T.y]"]
    assert got["a × b", "q × y"] == pytest.approx(beside)
    assert got["a where b is x", "q"] == pytest.approx(alone)
    assert got["a where b is y", "q"] == pytest.approx(alone + beside)
    assert got["a", "q"] == pytest.approx(alone + beside / 2)


@pytest.mark.parametrize("estimator", [blocked, paired])
@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_without_spread_between_blocks_nothing_is_tested(estimator, shift):
    scores = np.tile(np.array([0.9, 0.91, 0.93]), (3, 1)) + np.array([0, 0, shift])[:, None]
    for one in estimator(scores, np.array([[-1.0, 1, 0], [-1, 0, 1]])):
        assert one.interval is one.p is one.equivalence is None
        assert one.blocks == 3


@pytest.mark.parametrize("seed", range(20))
def test_p_and_interval_never_contradict_each_other(seed):
    for estimator in (blocked, paired):
        for one in estimator(noise(4, 5, seed) + np.array([0, 0.002, 0.004, 0.006])[:, None], WEIGHTS):
            excluded = one.interval.low > 0 or one.interval.high < 0
            assert excluded == (one.p < 0.05)


def test_contrasts_follow_the_arms_and_name_what_changed():
    arms = one_factor_arms({"crop": ["with", "without"], "rate": ["low", "mid", "high"]})
    arms["both"] = {"crop": "without", "rate": "high"}
    got = against_baseline(arms, "baseline", {"crop": ("with", "without"), "rate": ("low", "mid", "high")})
    assert [(c.factor, c.level, c.reference) for c in got] == [
        ("crop", "without", "with"),
        ("rate", "mid", "low"),
        ("rate", "high", "low"),
        ("crop + rate", "both", "baseline"),
    ]
    assert got[1].weights == (-1, 0, 1, 0, 0)


def test_an_interval_is_within_a_margin_only_with_both_ends():
    assert Interval(-0.001, 0.0019).within(0.002)
    assert not Interval(-0.002, 0.0).within(0.002)
    assert not Interval(0.0, 0.003).within(0.002)


def test_scores_are_arms_by_blocks_of_the_table():
    assert made_table(SCORES).scores() == pytest.approx(SCORES)
