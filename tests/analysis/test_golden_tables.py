"""Tables in files, analysed by us and by statsmodels and scipy, each from the file itself.

`quickstart.csv` is what `ablate run studies/quickstart.yaml` wrote; the others were drawn once and rounded.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import RegressionResultsWrapper
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv
from ablation.findings import Analysis, Finding

TABLES = Path(__file__).parent / "tables"
POOLED = ("complete", "two_arms", "ties", "offset", "quickstart")
PAIRED = ("missing", "unequal")
CROSSED = ("factorial", "factorial_three_levels")
OFFSET = 1e7  # of offset.csv: taken off before statsmodels sees it, whose own rounding would be the larger one


def test_every_table_is_read() -> None:
    assert {path.stem for path in TABLES.glob("*.csv")} == {*POOLED, *PAIRED, *CROSSED}


def metric_of(name: str) -> str:
    return "loss" if name == "offset" else "accuracy"


def ours(name: str) -> Analysis:
    return analyse(from_csv(TABLES / f"{name}.csv", metric_of(name)))


def raw(name: str) -> pd.DataFrame:
    """One row a trial: `arm` (its levels in one word), `block`, `y`, and its factors by name."""
    sheet = pd.read_csv(TABLES / f"{name}.csv", keep_default_na=False)
    factors = {column: column.removeprefix("factor:") for column in sheet if column.startswith("factor:")}
    sheet = sheet.rename(columns={**factors, "seed": "block", metric_of(name): "y"})
    sheet["y"] -= OFFSET if name == "offset" else 0.0
    return sheet.assign(arm=sheet[list(factors.values())].agg("/".join, axis=1))


def t_tests(fit: RegressionResultsWrapper, data: pd.DataFrame, others: list[str]) -> list[tuple[float, float, float]]:
    """Effect, standard error and unadjusted p of each other arm against the one of the first row."""
    found = []
    for arm in others:
        got = fit.t_test(f"C(arm, Treatment('{data['arm'].iloc[0]}'))[T.{arm}] = 0")
        found.append((float(got.effect[0]), float(np.ravel(got.sd)[0]), float(np.ravel(got.pvalue)[0])))
    return found


def below(bound: float, correlation: NDArray[np.float64], freedom: float) -> float:
    """The probability that all |t| stay below: scipy's multivariate t."""
    ends = [bound] * len(correlation)
    return float(
        stats.multivariate_t.cdf(
            ends, lower_limit=[-bound for _ in ends], shape=correlation, df=freedom, random_state=1, maxpts=20_000
        )
    )


def held(finding: Finding, effect: float, error: float, correlation: NDArray[np.float64], freedom: float) -> None:
    """The estimate, its simultaneous interval and its adjusted p are those of a multivariate t."""
    assert finding.effect == pytest.approx(effect, rel=1e-5, abs=1e-9)
    assert finding.high - finding.effect == pytest.approx(finding.effect - finding.low, rel=1e-6)
    half = (finding.high - finding.low) / 2 / error
    assert below(half, correlation, freedom) == pytest.approx(0.95, abs=2e-4)
    assert finding.p_adjusted == pytest.approx(1 - below(abs(effect / error), correlation, freedom), abs=2e-4)
    one_sided = error * stats.t.ppf(1 - 0.05 / len(correlation), freedom)
    assert finding.equivalence_low == pytest.approx(effect - one_sided, rel=1e-5)
    assert finding.equivalence_high == pytest.approx(effect + one_sided, rel=1e-5)


@pytest.mark.parametrize("name", POOLED)
def test_a_complete_table_is_least_squares_with_arms_and_blocks(name: str) -> None:
    data, analysis = raw(name), ours(name)
    fit = smf.ols(f"y ~ C(arm, Treatment('{data['arm'].iloc[0]}')) + C(block)", data).fit()
    others = list(dict.fromkeys(data["arm"]))[1:]
    expected = t_tests(fit, data, others)
    correlation = np.full((len(others), len(others)), 0.5) + 0.5 * np.eye(len(others))
    for finding, (effect, error, _) in zip(analysis.findings, expected, strict=True):
        held(finding, effect, error, correlation, fit.df_resid)
    holm = multipletests([p for _, _, p in expected], method="holm")[1]
    assert [one.p_holm for one in analysis.findings] == pytest.approx(holm.tolist(), rel=1e-4)
    assert analysis.residual_sd == pytest.approx(np.sqrt(fit.mse_resid), rel=1e-5)
    assert "Blocked linear model" in analysis.method


def tost(level: NDArray[np.float64], reference: NDArray[np.float64], finding: Finding) -> tuple[float, float]:
    """The p of its two one-sided tests where the margin ends where the interval does: each is at its 5 %."""
    _, lower, upper = ttost_paired(level, reference, finding.equivalence_low, finding.equivalence_high)
    return float(lower[1]), float(upper[1])


def test_two_arms_are_a_paired_t_test() -> None:
    data, (finding,) = raw("two_arms"), ours("two_arms").findings
    baseline, other = (rows["y"].to_numpy() for _, rows in data.groupby("arm"))
    result = stats.ttest_rel(other, baseline)
    interval = result.confidence_interval()
    assert (finding.low, finding.high) == pytest.approx((interval.low, interval.high))
    both = tost(other, baseline, finding)
    assert both == pytest.approx((0.05, 0.05), abs=1e-6)
    assert finding.p_adjusted == finding.p_holm == pytest.approx(result.pvalue)


@pytest.mark.parametrize("name", PAIRED)
def test_a_table_that_is_not_pooled_is_paired_t_tests(name: str) -> None:
    wide, analysis = raw(name).pivot_table(index="block", columns="arm", values="y", sort=False), ours(name)
    baseline, *others = wide.columns
    unadjusted = []
    for finding, arm in zip(analysis.findings, others, strict=True):
        both = wide[[baseline, arm]].dropna()
        result = stats.ttest_rel(both[arm], both[baseline])
        interval = result.confidence_interval(1 - 0.05 / len(others))
        unadjusted.append(result.pvalue)
        assert finding.seed_blocks == len(both)
        assert finding.effect == pytest.approx((both[arm] - both[baseline]).mean())
        assert (finding.low, finding.high) == pytest.approx((interval.low, interval.high))
        one_sided = result.confidence_interval(1 - 0.10 / len(others))
        assert (finding.equivalence_low, finding.equivalence_high) == pytest.approx((one_sided.low, one_sided.high))
    adjusted = multipletests(unadjusted, method="bonferroni")[1]
    assert [one.p_adjusted for one in analysis.findings] == pytest.approx(adjusted.tolist())
    holm = multipletests(unadjusted, method="holm")[1]
    assert [one.p_holm for one in analysis.findings] == pytest.approx(holm.tolist())
    assert "Paired t" in analysis.method


def crossed_fit(name: str) -> tuple[pd.DataFrame, RegressionResultsWrapper]:
    """Arm means and blocks, without a mean of their own: each effect is then a sum over arms."""
    data = raw(name)
    return data, smf.ols("y ~ 0 + C(arm) + C(block, Sum)", data).fit()


def of_arms(data: pd.DataFrame, factors: dict[str, str]) -> NDArray[np.float64]:
    """The weights of the mean over the arms with these levels, in statsmodels' order of the arms."""
    arms = data.drop_duplicates("arm").sort_values("arm")
    chosen = np.all([arms[factor] == level for factor, level in factors.items()], axis=0)
    return np.asarray(chosen / chosen.sum())


def weights_of(finding: Finding, data: pd.DataFrame) -> NDArray[np.float64]:
    """The contrast as the words of the finding have it."""
    if finding.kind == "interaction":
        (a, b), (high, low) = finding.factor.split(" × "), (finding.level, finding.reference)
        corners = [
            (sign, {a: of_a.split(" × ")[0], b: of_b.split(" × ")[1]})
            for sign, of_a, of_b in ((1, high, high), (-1, high, low), (-1, low, high), (1, low, low))
        ]
        return np.asarray(sum(sign * of_arms(data, corner) for sign, corner in corners))
    factor, _, where = finding.factor.partition(" where ")
    held_at = dict([where.split(" is ")]) if where else {}
    return of_arms(data, {factor: finding.level, **held_at}) - of_arms(data, {factor: finding.reference, **held_at})


@pytest.mark.parametrize("name", CROSSED)
def test_a_factorial_is_the_linear_model_with_its_cells(name: str) -> None:
    data, fit = crossed_fit(name)
    findings = ours(name).findings
    tested = [one for one in findings if one.kind != "simple"]
    blocks = np.zeros(data["block"].nunique() - 1)
    rows = np.array([[*weights_of(one, data), *blocks] for one in findings])
    result = fit.t_test(rows)
    for one, effect in zip(findings, result.effect, strict=True):
        assert one.effect == pytest.approx(effect, abs=1e-9)
    covariance = rows @ fit.cov_params().to_numpy() @ rows.T
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    family = correlation[: len(tested), : len(tested)]
    for one, effect, error in zip(tested, result.effect, np.ravel(result.sd), strict=False):
        held(one, float(effect), float(error), family, fit.df_resid)
    holm = multipletests(np.ravel(result.pvalue)[: len(tested)], method="holm")[1]
    assert [one.p_holm for one in tested] == pytest.approx(holm.tolist())


def test_an_interaction_is_that_of_the_analysis_of_variance() -> None:
    anova = anova_lm(smf.ols("y ~ C(crop) * C(flip) * C(cutout) + C(block)", raw("factorial")).fit())
    analysis = ours("factorial")
    (found,) = (one for one in analysis.findings if one.factor == "crop × flip")
    arms, blocks = len(analysis.arms), found.seed_blocks
    error = analysis.residual_sd * 4 / np.sqrt(arms * blocks)  # the difference of two differences of quarters
    assert (found.effect / error) ** 2 == pytest.approx(anova.loc["C(crop):C(flip)", "F"])
    assert found.verdict == "below the sum"
    assert {one.factor for one in analysis.findings if one.kind == "simple"} == {
        "crop where flip is with",
        "crop where flip is without",
        "flip where crop is with",
        "flip where crop is without",
    }


@pytest.mark.parametrize("name", ["complete", "missing", "ties"])
def test_a_constant_added_to_all_scores_changes_no_verdict(name: str) -> None:
    table = from_csv(TABLES / f"{name}.csv", metric_of(name))
    moved = dataclasses.replace(table, frame=table.frame.assign(accuracy=table.frame["accuracy"] + 1e6))
    for before, after in zip(analyse(table).findings, analyse(moved).findings, strict=True):
        assert after.verdict == before.verdict
        assert (after.effect, after.low, after.high) == pytest.approx(
            (before.effect, before.low, before.high), rel=1e-6
        )
