"""A fraction's effects: those of a regression where they are told apart, their sums where they are not."""

import numpy as np
import pytest
import statsmodels.api as sm
from made_tables import factorial_arms, fractional_arms, made_table

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv, write_csv
from ablation.analysis.estimates import blocked
from ablation.analysis.factorial import main_and_interactions
from ablation.analysis.families import analysed_as, family
from ablation.analysis.fractional import aliasing, fraction_in, main_and_chains
from ablation.analysis.moments import fit_blocked
from ablation.analysis.verdicts import TOLD_FROM_ZERO

BLOCKS = 4


def factors_of(count):
    return {letter: (f"{letter}0", f"{letter}1") for letter in "abcdefghi"[:count]}


def coded(arms, factors):
    """-1 at the reference, +1 at the other level, as arms x factors."""
    return np.array([[2 * (levels[name] == both[1]) - 1 for name, both in factors.items()] for levels in arms.values()])


def scores_of(arms, factors, terms, sd=0.001, seed=0):
    """A score for every arm and block: 0.8, the terms (names of factors to half an effect), block luck and noise."""
    x, names = coded(arms, factors), list(factors)
    means = 0.8 + sum(value * x[:, [names.index(n) for n in term]].prod(axis=1) for term, value in terms.items())
    generator = np.random.default_rng(seed)
    noise = sd * generator.standard_normal((len(arms), BLOCKS)) + sd * generator.standard_normal(BLOCKS)
    return np.asarray(means)[:, None] + noise


def told(terms, count, resolution, **noise):
    factors = factors_of(count)
    arms = fractional_arms(factors, resolution)
    return analyse(made_table(scores_of(arms, factors, terms, **noise), factors, "fractional", resolution=resolution))


def by_factor(analysis, kind="main"):
    return {one.factor: one for one in analysis.findings if one.kind == kind}


def test_at_resolution_five_the_family_is_the_regression_on_coded_columns():
    factors = factors_of(5)
    arms = fractional_arms(factors, 5)
    scores = scores_of(arms, factors, {"a": 0.01, "bc": 0.004, "de": -0.002})
    contrasts = family("fractional", arms, next(iter(arms)), factors)
    assert [one.kind for one in contrasts] == ["main"] * 5 + ["interaction"] * 10
    x = coded(arms, factors)
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    columns = np.column_stack([x, *(x[:, i] * x[:, j] for i, j in pairs)])
    blocks = np.kron(np.ones((16, 1)), np.eye(BLOCKS))
    fit = sm.OLS(scores.ravel(), np.column_stack([np.repeat(columns, BLOCKS, axis=0), blocks])).fit()
    got = blocked(scores, np.array([one.weights for one in contrasts]))
    # Level minus reference is two coded steps, a difference of differences four.
    units = np.array([2.0] * 5 + [4.0] * 10)
    assert [one.effect for one in got] == pytest.approx((units * fit.params[:15]).tolist())
    # All 15 degrees of freedom between the arms are in the model, so its error is that of arm + seed block.
    assert fit_blocked(scores).error_sd == pytest.approx(np.sqrt(fit.scale))
    assert [one.block_sd / np.sqrt(BLOCKS) for one in got] == pytest.approx((units * fit.bse[:15]).tolist())


def test_a_fraction_at_resolution_five_says_what_the_factorial_says_of_the_same_truth():
    terms = {"a": 0.01, "b": -0.006, "cd": 0.008}
    factors = factors_of(5)
    every = made_table(scores_of(factorial_arms(factors), factors, terms), factors, "factorial")
    whole, part = analyse(every), told(terms, 5, 5)
    verdicts = [{(one.kind, one.factor): one.verdict for one in found.findings} for found in (whole, part)]
    decided = [{key: verdict for key, verdict in one.items() if verdict in TOLD_FROM_ZERO} for one in verdicts]
    assert decided[0] == decided[1]
    assert by_factor(part)["c"].verdict == "withheld"
    assert "withheld, since it depends on d" in by_factor(part)["c"].sentence
    assert by_factor(part, "simple")["c where d is d1"].effect == pytest.approx(0.016, abs=0.001)
    assert by_factor(part, "simple")["c where d is d0"].effect == pytest.approx(-0.016, abs=0.001)
    assert not any(one.aliases for one in part.findings)
    assert part.aliasing.resolution == 5
    assert part.aliasing.defining_relation == ("-a × b × c × d × e",)
    assert part.aliasing.aliases == ()


@pytest.mark.parametrize("guilty", ["ab", "ce"])
def test_at_resolution_four_only_the_sum_of_aliased_interactions_is_told(guilty):
    analysis = told({"a": 0.01, guilty: 0.006}, 6, 4)
    assert analysis.aliasing.resolution == 4
    assert ("a × b", "c × e", "d × f") in analysis.aliasing.aliases
    found = by_factor(analysis, "interaction")["a × b + c × e + d × f"]
    assert found.effect == pytest.approx(0.024, abs=0.002)
    assert found.aliases == ("c × e", "d × f")
    assert (found.level, found.reference) == ("", "")
    assert found.sentence.startswith("a × b + c × e + d × f changes accuracy by +2.3")
    assert "beyond the sum of the changes alone" in found.sentence
    assert "tell these effects apart. The changes together give more accuracy than the sum of each." in found.sentence
    assert not by_factor(analysis, "simple")
    main = by_factor(analysis)["a"]
    assert main.verdict == "helps"
    assert main.aliases == ()
    assert main.sentence.endswith("On average: it may depend on b, which the design cannot single out.")
    assert by_factor(analysis)["f"].sentence.endswith("it may depend on d, which the design cannot single out.")


def test_at_resolution_four_an_interaction_that_stands_alone_has_its_simple_effects():
    factors = factors_of(9)
    arms = list(fractional_arms(factors, 4).values())
    family_of_nine = main_and_chains(arms, factors, fraction_in(arms, factors))
    clear = next(one.factor for one in family_of_nine if one.kind == "interaction" and not one.aliases)
    alone = clear.replace(" × ", "")
    analysis = told({"a": 0.01, alone: 0.006}, 9, 4)
    assert by_factor(analysis)[alone[0]].verdict == "withheld"
    first, second = alone
    place = f"{first} where {second} is {second}1"
    assert by_factor(analysis, "simple")[place].effect == pytest.approx(0.012 + 0.02 * (first == "a"), abs=0.002)


def test_at_resolution_three_a_main_effect_is_less_half_of_the_interactions_it_is_mixed_with():
    analysis = told({"a": 0.01, "bc": 0.004}, 3, 3)
    main = by_factor(analysis)["a"]
    assert main.effect == pytest.approx(2 * 0.01 - 4 * 0.004 / 2, abs=0.002)
    assert main.aliases == ("b × c",)
    assert main.sentence.startswith("a: a1 instead of a0, less half of b × c, changes accuracy by +1.")
    assert "Screen only, since the design cannot tell these effects apart. Helps." in main.sentence
    assert analysis.aliasing.aliases == (("a", "-b × c"), ("b", "-a × c"), ("c", "-a × b"))
    assert not by_factor(analysis, "interaction")


def test_at_resolution_three_nothing_is_withheld_or_told_of_simple_effects():
    analysis = told({"a": 0.01, "af": 0.01}, 6, 3)
    (chain,) = [one for one in analysis.findings if one.kind == "interaction"]
    assert chain.factor == "a × f + b × e + c × d"
    assert chain.verdict == "above the sum"
    assert not by_factor(analysis, "simple")
    assert "less half of b × d and of c × e," in by_factor(analysis)["a"].sentence
    assert "it may depend on f," in by_factor(analysis)["a"].sentence


@pytest.mark.parametrize(("count", "resolution"), [(3, 3), (6, 3), (7, 3), (6, 4), (8, 4), (5, 5), (6, 5)])
def test_every_effect_stands_for_what_its_name_says(count, resolution):
    """Each main effect and interaction is planted by itself, without noise: contrasts read exactly their own terms."""
    factors = factors_of(count)
    arms = fractional_arms(factors, resolution)
    contrasts = main_and_chains(list(arms.values()), factors, fraction_in(list(arms.values()), factors))
    weights = np.array([one.weights for one in contrasts])
    names = list(factors)
    for term in [*names, *(a + b for at, a in enumerate(names) for b in names[at + 1 :])]:
        means = coded(arms, factors)[:, [names.index(name) for name in term]].prod(axis=1)
        size = 2.0 if len(term) == 1 else 4.0
        label = " × ".join(term)
        for contrast, effect in zip(contrasts, weights @ means, strict=True):
            is_sum = contrast.kind == "interaction"
            named = contrast.factor.split(" + ") if is_sum else [contrast.factor]
            share = 1.0 if label in named else -0.5 if label in contrast.aliases and not is_sum else 0.0
            assert effect == pytest.approx(share * size, abs=1e-12), (contrast.factor, label)


def test_an_arm_without_any_score_leaves_nothing_to_estimate():
    factors = factors_of(3)
    arms = fractional_arms(factors, 3)
    scores = scores_of(arms, factors, {"a": 0.01})
    scores[2] = np.nan
    analysis = analyse(made_table(scores, factors, "fractional", resolution=3))
    assert {one.verdict for one in analysis.findings} == {"not tested"}


def test_arms_that_are_no_fraction_are_held_against_the_baseline():
    factors = factors_of(3)
    arms = list(fractional_arms(factors, 3).values())
    assert analysed_as("fractional", arms, factors) == "fractional"
    assert analysed_as("fractional", arms[:3], factors) == "contrasts"
    assert analysed_as("fractional", list(factorial_arms(factors).values()), factors) == "factorial"
    assert analysed_as("explicit", arms, factors) == "contrasts"


def test_a_fraction_is_known_from_a_table_of_results(tmp_path):
    factors = factors_of(6)
    arms = fractional_arms(factors, 4)
    table = made_table(scores_of(arms, factors, {"a": 0.01, "ab": 0.005}), factors, "fractional", resolution=4)
    write_csv(table, tmp_path / "results.csv")
    read = from_csv(tmp_path / "results.csv", "accuracy", margin=table.margin)
    assert read.design == "fractional"
    assert [one.sentence for one in analyse(read).findings] == [one.sentence for one in analyse(table).findings]
    assert analyse(read).aliasing == analyse(table).aliasing


def test_the_signs_of_the_defining_relation_follow_from_the_baseline():
    factors = factors_of(3)
    fraction = fraction_in(list(fractional_arms(factors, 3).values()), factors)
    assert aliasing(fraction, list(factors)).defining_relation == ("-a × b × c",)


def test_few_screens_of_nothing_have_a_finding():
    factors = factors_of(6)
    arms = fractional_arms(factors, 4)
    contrasts = family("fractional", arms, next(iter(arms)), factors)
    weights, generator, studies = np.array([one.weights for one in contrasts]), np.random.default_rng(8), 600
    found = 0
    for _ in range(studies):
        estimates = blocked(generator.standard_normal((len(arms), 3)), weights)
        found += any(one.interval.low > 0 or one.interval.high < 0 for one in estimates)
    assert abs(found / studies - 0.05) < 3 * np.sqrt(0.05 * 0.95 / studies)


def test_weights_of_the_whole_are_those_of_the_factorial():
    factors = factors_of(3)
    arms = factorial_arms(factors)
    assert family("factorial", arms, next(iter(arms)), factors) == main_and_interactions(list(arms.values()), factors)
