from dataclasses import replace

import pytest
from examples import analysis, finding, records

from ablation.findings import Analysis
from ablation.report.figures import effects
from ablation.report.palette import MARKS


@pytest.fixture
def found() -> Analysis:
    return analysis(records())


def test_effects_stand_in_the_order_of_the_findings_with_their_intervals(found):
    value = effects.compute(found)
    assert [row.label for row in value.rows] == [
        "crop: without instead of with",
        "flip: without instead of with",
        "brightness: mild instead of none",
        "normalize: none instead of dataset",
    ]
    assert value.title == "Of 4 effects, 2 hurt, 1 is equivalent and 1 is inconclusive"
    assert (value.rows[0].effect, value.rows[0].low) == (-0.0312, pytest.approx(-0.0374))


def test_the_axis_holds_every_interval_zero_and_the_margin(found):
    low, high = effects.compute(found).span
    assert low < -0.0374
    assert high > 0.005


def test_an_interval_that_dwarfs_the_effects_leaves_the_frame_and_it_is_said(found):
    wide = found.model_copy(
        update={"findings": (*found.findings, finding("crop=none", 0.01, "inconclusive", half=12.0))}
    )
    value = effects.compute(wide)
    assert value.cuts
    assert value.span[1] < 0.2
    assert "leave the frame" in effects.draw(value).caption
    assert not effects.compute(found).cuts


def test_a_line_longer_than_the_margin_of_an_equivalent_effect_is_explained(found):
    assert "judged by the 90 % interval" in effects.draw(effects.compute(found)).caption
    hurt = found.model_copy(update={"findings": found.findings[:1]})
    assert "90 %" not in effects.draw(effects.compute(hurt)).caption


def test_an_effect_without_an_estimate_has_a_row_but_no_point(found):
    lone = found.model_copy(update={"findings": (*found.findings, finding("crop=none", None, "not tested"))})
    drawing = effects.draw(effects.compute(lone))
    assert sum(len(trace.x) for trace in drawing.figure.data) == 4
    assert drawing.table.rows[-1][2:4] == ("–", "–")
    assert drawing.figure.layout.annotations[-1].text == "no seed block has both"


def test_a_main_effect_that_is_withheld_shows_no_number_and_an_interaction_is_neither_good_nor_bad(found):
    withheld = finding("crop=without", -0.02, "withheld")
    crossed = finding("crop × flip=without × without", -0.04, "below the sum", kind="interaction")
    value = effects.compute(found.model_copy(update={"findings": (withheld, crossed)}))
    assert value.title == "Of 2 effects, 1 is below the sum and 1 is withheld"
    drawing = effects.draw(value)
    (points,) = drawing.figure.data
    assert points.x == pytest.approx((-4.0,))
    assert points.marker.color not in (MARKS["helps"].colour, MARKS["hurts"].colour)
    assert drawing.figure.layout.annotations[0].text == "withheld"
    assert drawing.table.rows[0][1:4] == ("withheld", "–", "–")
    assert "Withheld: an average over things that differ" in drawing.caption


def test_without_any_estimate_there_is_no_figure(found):
    nothing = found.model_copy(update={"findings": (finding("crop=none", None, "not tested"),)})
    assert effects.compute(nothing) is None
    assert effects.compute(found.model_copy(update={"findings": ()})) is None


def test_a_provisional_plot_says_so():
    value = effects.compute(analysis(records(), provisional=True))
    assert value.title == "Provisional estimates of 4 effects: no verdict before the plan is complete"


def test_the_drawing_is_in_points_with_margin_zero_line_and_a_name_above_each_row_on_a_phone(found):
    drawing = effects.draw(effects.compute(found))
    hurts = next(trace for trace in drawing.figure.data if trace.name == "hurts")
    assert hurts.x == pytest.approx((-3.12, -1.71))
    assert hurts.error_x.array == (pytest.approx(0.62), pytest.approx(0.62))
    margin = drawing.figure.layout.shapes[0]
    assert (margin.x0, margin.x1) == (-0.5, 0.5)
    assert drawing.figure.layout.xaxis.zeroline
    assert len(drawing.narrow["annotations"]) == 4


def test_the_axis_names_its_ends_without_a_verdict_and_loss_is_in_nats(found):
    loss = found.model_copy(update={"metric": "loss"})
    drawing = effects.draw(effects.compute(loss))
    assert drawing.figure.layout.xaxis.title.text == "← lower loss · change (nats) · higher loss →"
    assert drawing.figure.data[0].x[0] == -0.0312


def test_the_drawing_reads_its_value_alone(found):
    value = effects.compute(found)
    assert effects.draw(replace(value, title="Another")).title == "Another"


def test_effects_of_one_verdict_are_told_together(found):
    same = [one.model_copy(update={"verdict": "inconclusive"}) for one in found.findings]
    assert effects.compute(found.model_copy(update={"findings": same})).title == "All 4 effects are inconclusive"
    assert effects.compute(found.model_copy(update={"findings": same[:1]})).title == "Of 1 effect, 1 is inconclusive"


def test_names_of_more_than_two_lines_have_taller_rows(found):
    long = found.findings[0].model_copy(update={"level": "a name that is as long as two lines of a label are"})
    short, tall = (
        effects.draw(effects.compute(found.model_copy(update={"findings": (one,)}))).figure.layout.height
        for one in (found.findings[0], long)
    )
    assert tall > short
