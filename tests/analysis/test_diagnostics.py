import html

import numpy as np
import pytest
import statsmodels.formula.api as smf
from made_tables import long, made_table, noise
from scipy import stats
from statsmodels.stats.anova import anova_lm

from ablation.analysis import diagnostics
from ablation.analysis.analyse import analyse
from ablation.analysis.moments import fit_blocked
from ablation.analysis.writing import markdown
from ablation.report import Page, render

SCORES = noise(4, 7, seed=11)


def test_brown_forsythe_is_scipys_levene_about_the_median():
    expected = stats.levene(*fit_blocked(SCORES).residuals, center="median").pvalue
    assert diagnostics.brown_forsythe(SCORES) == pytest.approx(expected)


def test_brown_forsythe_ignores_the_luck_of_a_seed_block():
    lucky = SCORES + np.linspace(0, 0.5, 7)
    assert diagnostics.brown_forsythe(lucky) == pytest.approx(diagnostics.brown_forsythe(SCORES))


def test_correlation_comes_from_the_mean_squares():
    table = anova_lm(smf.ols("y ~ C(arm) + C(block)", long(SCORES)).fit())
    between, error = table.loc["C(block)", "mean_sq"], table.loc["Residual", "mean_sq"]
    assert diagnostics.correlation_between_arms(SCORES) == pytest.approx((between - error) / (between + 3 * error))
    assert diagnostics.residual_sd(SCORES) == pytest.approx(np.sqrt(error))


def test_correlation_is_recovered():
    generator = np.random.default_rng(0)
    scores = np.sqrt(0.5) * (generator.standard_normal(2000) + generator.standard_normal((3, 2000)))
    assert diagnostics.correlation_between_arms(scores) == pytest.approx(0.5, abs=0.05)


def test_a_noisy_baseline_is_seen_and_a_noisy_arm_is_not_mistaken_for_it():
    generator = np.random.default_rng(1)
    scores = generator.standard_normal((5, 30)) * np.array([3, 1, 1, 1, 1])[:, None]
    assert diagnostics.noisier(scores)[0] < 1e-4
    assert diagnostics.noisier(scores)[1] > 0.05


def test_an_arm_against_the_others_is_the_f_test_of_the_model_without_it():
    p = diagnostics.noisier(SCORES)
    for arm in range(len(SCORES)):
        others = np.delete(SCORES, arm, axis=0)
        away = (SCORES[arm] - others.mean(axis=0)).var(ddof=1) / (1 + 1 / len(others))
        fit = fit_blocked(others)
        ratio = away / fit.error_sd**2
        assert p[arm] == pytest.approx(stats.f.sf(ratio, SCORES.shape[1] - 1, fit.freedom))


def test_a_quiet_baseline_is_found_noisy_at_the_nominal_rate():
    generator = np.random.default_rng(2)
    found = [diagnostics.noisier(generator.standard_normal((4, 5)))[0] < 0.05 for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.011)  # three standard errors


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 1), (2, 2), (3, 2), (5, 1)])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_too_little_to_go_by_gives_none_or_a_finite_number(shape, spread):
    scores = 0.5 + spread * np.random.default_rng(0).random(shape)
    values = [
        diagnostics.brown_forsythe(scores),
        *([] if (found := diagnostics.noisier(scores)) is None else found),
        diagnostics.correlation_between_arms(scores),
        diagnostics.variance_ratio(scores),
        diagnostics.residual_sd(scores),
    ]
    assert all(value is None or np.isfinite(value) for value in values)


def test_the_variance_ratio_is_largest_over_smallest():
    residuals = fit_blocked(SCORES).residuals
    expected = (residuals**2).mean(axis=1).max() / (residuals**2).mean(axis=1).min()
    assert diagnostics.variance_ratio(SCORES) == pytest.approx(expected)


def test_what_rests_on_the_residuals_and_what_checks_the_verdicts_is_told() -> None:
    """In the report and in findings.md."""
    scores = np.random.default_rng(0).normal(0.8, 0.01, (3, 6))
    scores[1] += 0.02
    found = analyse(made_table(scores, {"crop": ["with", "without", "half"]}))
    assert found.correlation is not None
    page = html.unescape(render(Page(title="made", analysis=found, created="", command="")))
    for said in (page, markdown(found)):
        assert f"Estimated correlation between arms over seed blocks: {found.correlation:.2f}." in said
        assert f"Largest over smallest residual variance of the arms: {found.variance_ratio:.2f}." in said
        assert "sign-flip p" in said
        assert all(f"{one.p_sign_flip:.3f}" in said for one in found.findings)
        assert all(f"{one.p_holm:.3f}" in said for one in found.findings)
