import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ablation.analysis.multiplicity import Family, holm


@pytest.mark.parametrize(("count", "correlation", "freedom"), [(2, 0.5, 4), (4, 0.5, 16), (3, 0.0, 12), (5, 0.3, 8)])
def test_the_critical_value_is_that_of_scipys_multivariate_t(count, correlation, freedom):
    family = Family.equicorrelated(count, correlation, freedom)
    critical = family.critical(0.95)
    shape = np.array(family.correlation)
    below = stats.multivariate_t.cdf(
        [critical] * count, lower_limit=[-critical] * count, shape=shape, df=freedom, random_state=1
    )
    assert below == pytest.approx(0.95, abs=1e-4)
    assert family.p(critical) == pytest.approx(0.05, abs=1e-8)


def test_unlike_correlations_agree_with_scipys_multivariate_t():
    correlation = np.array([[1.0, 0.7, -0.2], [0.7, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    family = Family(tuple(map(tuple, correlation.tolist())), 9)
    outside = 1 - stats.multivariate_t.cdf([2.4] * 3, lower_limit=[-2.4] * 3, shape=correlation, df=9, random_state=1)
    assert family.p(2.4) == pytest.approx(outside, abs=2e-4)
    assert family.p(family.critical(0.95)) == pytest.approx(0.05, abs=1e-8)


def test_both_ways_of_integrating_agree():
    exact = Family.equicorrelated(6, 0.5, 10)
    rows = np.array(exact.correlation)
    rows[0, 1] = rows[1, 0] = 0.5 + 1e-6  # unlike enough to be integrated quasi-randomly
    assert Family(tuple(map(tuple, rows.tolist())), 10).critical(0.95) == pytest.approx(exact.critical(0.95), abs=2e-3)


def test_contrasts_that_depend_on_each_other_are_allowed():
    weights = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [1.0, 0.0, -1.0]])  # rank 2: Tukey's family of three arms
    correlation = weights @ weights.T / 2
    critical = Family(tuple(map(tuple, correlation.tolist())), 12).critical(0.95)
    assert critical == pytest.approx(stats.studentized_range.ppf(0.95, 3, 12) / np.sqrt(2), abs=2e-3)


def test_p_values_are_those_of_scipys_dunnett():
    generator = np.random.default_rng(3)
    control, *others = (generator.normal(shift, 1, 8) for shift in (0, 0.3, 1.0, 2.0))
    result = stats.dunnett(*others, control=control, rng=1)
    family = Family.equicorrelated(3, 0.5, 4 * 7)
    assert [family.p(t) for t in result.statistic] == pytest.approx(result.pvalue.tolist(), abs=5e-4)


def test_one_contrast_needs_no_correction():
    family = Family.equicorrelated(1, 0.5, 6)
    assert family.critical(0.95) == pytest.approx(stats.t.ppf(0.975, 6))
    assert family.p(-1.7) == pytest.approx(2 * stats.t.sf(1.7, 6))


@pytest.mark.parametrize("t", [0.0, 0.5, 3.0, 30.0, 1e6])
def test_adjusted_p_lies_between_the_unadjusted_and_bonferronis(t):
    family = Family.equicorrelated(7, 0.5, 5)
    alone = 2 * stats.t.sf(t, 5)
    assert alone <= family.p(t) <= min(1.0, 7 * alone) + 1e-9


def test_holm_is_statsmodels_holm():
    values = [0.04, 0.001, 0.2, 0.012, 0.012]
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1].tolist())
    assert holm([]) == []
