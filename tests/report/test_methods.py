from dataclasses import replace

import pytest
from examples import METHOD, empty_page, page, partial_page, search_page, study, table_page

from ablation.report.methods import section
from ablation.study import Explicit, Factorial, Fractional, LeaveOneOut, OneFactor


def test_the_text_says_what_was_compared_trained_and_analysed():
    (found,) = section(page())
    planned, trained, analysed = found.paragraphs
    assert planned.startswith("We compared 5 arms in a one-factor-at-a-time design, each in 5 seed blocks.")
    assert "small on cifar10" in trained
    assert (
        "16 epochs with batches of 128 images, sgd at a peak learning rate of 0.1 under the schedule one_cycle"
        in trained
    )
    assert METHOD in analysed
    assert "±0.50\u202fpp" in analysed


def test_what_a_recipe_adds_is_said():
    further = {"decay_biases": False, "gradient_clip": 1.0, "weight_average": 0.99, "mirrored_scoring": True}
    baseline = study().baseline
    recipe = baseline.recipe.model_copy(update=further)
    changed = study().model_copy(update={"baseline": baseline.model_copy(update={"recipe": recipe})})
    (found,) = section(replace(page(), study=changed))
    assert (
        "cross-entropy, no weight decay of biases and scales, gradients clipped to a norm of 1, an exponential average "
        "of the weights (0.99) scored in their place, scores over each image and its mirror image, in "
    ) in found.paragraphs[1]


def test_only_what_the_method_uses_is_cited():
    (found,) = section(page())
    cited = [work.split(" (")[0] for work in found.listed]
    assert cited == [
        "Dunnett, C. W.",
        "Hothorn, T., Bretz, F., Westfall, P.",
        "Brown, M. B., Forsythe, A. B.",
        "Schuirmann, D. J.",
    ]


def test_of_means_alone_no_interval_is_told_and_nothing_cited():
    findings = tuple(one.model_copy(update={"low": None, "high": None}) for one in page().analysis.findings)
    means = page().analysis.model_copy(update={"method": "Means only.", "findings": findings})
    (bare,) = section(replace(page(), analysis=means))
    assert bare.listed == ()
    assert bare.paragraphs[-1].endswith("Means only.")


@pytest.mark.parametrize("design", [OneFactor, LeaveOneOut, Factorial, Fractional, Explicit])
def test_every_planned_design_has_its_words(design):
    changed = study().model_copy(update={"design": design.model_construct()})
    (found,) = section(replace(page(), study=changed))
    assert "arms in a " in found.paragraphs[0]


def test_what_is_not_finished_is_said():
    (found,) = section(partial_page())
    assert "trials have finished." in found.paragraphs[0]
    (none,) = section(empty_page())
    assert "So far 0 of 25 trials have finished." in none.paragraphs[0]


def test_of_a_search_or_a_table_nothing_is_claimed():
    assert section(search_page()) == ()
    assert section(table_page()) == ()
