import numpy as np
import pytest
from examples import PLANTED, partial_page, records

from ablation.report.figures import curves
from ablation.report.palette import arm_styles

ARMS = list(PLANTED)


def test_a_curve_is_the_mean_and_spread_over_seed_blocks():
    done = records()
    value = curves.compute(done, ARMS, ["baseline"])
    curve = next(one for one in value.curves if (one.arm, one.metric, one.part) == ("baseline", "loss", "validation"))
    lasts = [one.epochs[-1].validation.loss for one in done if one.trial.arm.name == "baseline"]
    assert curve.epochs == (1, 2, 3, 4, 5, 6)
    assert curve.means[-1] == pytest.approx(np.mean(lasts))
    assert curve.sds[-1] == pytest.approx(np.std(lasts, ddof=1))
    assert curve.blocks == (5,) * 6


def test_only_complete_trials_count_and_one_block_has_no_band():
    value = curves.compute(partial_page().records, ARMS, ["baseline"])
    curve = next(one for one in value.curves if one.arm == "flip=without")
    assert set(curve.blocks) == {1}
    assert set(curve.sds) == {None}


def test_without_epochs_there_is_no_figure():
    assert curves.compute([], ARMS, []) is None
    assert curves.compute([one.model_copy(update={"epochs": ()}) for one in records()], ARMS, []) is None


def test_a_single_epoch_is_a_dot_with_its_spread():
    single = [one.model_copy(update={"epochs": one.epochs[:1]}) for one in records()]
    drawn = curves.draw(curves.compute(single, ARMS, ARMS), arm_styles(ARMS, "baseline")).figure.data
    assert {trace.mode for trace in drawn} == {"markers"}
    assert all(len(trace.y) == 1 and trace.error_y.array[0] > 0 for trace in drawn)


def test_two_arms_are_shown_and_the_rest_wait_in_the_legend():
    value = curves.compute(records(), ARMS, ["baseline", "crop=without"])
    drawing = curves.draw(value, arm_styles(ARMS, "baseline"))
    shown = {trace.legendgroup for trace in drawing.figure.data if trace.visible is True}
    assert shown == {"arm baseline", "arm crop=without"}
    assert sum(bool(trace.showlegend) for trace in drawing.figure.data) == len(ARMS)
    lines = [trace for trace in drawing.figure.data if trace.fill is None]
    assert {trace.line.width for trace in lines if trace.legendgroup == "arm baseline"} == {3}
    assert {trace.line.dash for trace in lines} == {"solid", "dot"}


def test_many_arms_are_cut_and_it_is_said():
    done = []
    for at, one in enumerate(records()):
        arm = one.trial.arm.model_copy(update={"name": str(at)})
        done.append(one.model_copy(update={"trial": one.trial.model_copy(update={"arm": arm})}))
    names = [str(at) for at in range(25)]
    value = curves.compute(done, names, [])
    assert value.left_out == 1
    assert value.shown == {"0"}
    assert "1 more arms are left out." in curves.draw(value, arm_styles(names, "0")).caption


def test_one_epoch_is_a_dot_where_a_line_would_be_nothing():
    one = [record.model_copy(update={"epochs": record.epochs[:1]}) for record in records()]
    drawing = curves.draw(curves.compute(one, ARMS, ["baseline"]), arm_styles(ARMS, "baseline"))
    assert {trace.mode for trace in drawing.figure.data if trace.fill is None} == {"markers"}
    assert "Open: training" in drawing.caption


def test_curves_that_end_alike_name_one_score():
    value = curves.compute([one for one in records() if one.trial.arm.name == "baseline"], ARMS, [])
    assert value.title.startswith("Validation accuracy ends at 7")
