import pytest
from examples import LAYERS, PLANTED, records

from ablation.report.figures import gradients
from ablation.report.palette import arm_styles
from ablation.trial import Record

ARMS = list(PLANTED)
_LOST = {("crop=without", 1), ("crop=without", 3), ("baseline", 0)}


def with_norms(record: Record, *norms: float | None) -> Record:
    epochs = [one.model_copy(update={"gradient_norms": norms}) for one in record.epochs]
    return record.model_copy(update={"epochs": tuple(epochs)})


def vanishing(arm: str) -> list[Record]:
    """The example, where one arm's gradient shrinks tenfold from layer to layer."""
    norms = [10.0 ** (at - len(LAYERS)) for at in range(len(LAYERS))]
    return [with_norms(one, *norms) if one.trial.arm.name == arm else one for one in records()]


def test_each_layer_has_the_geometric_mean_over_the_blocks_of_the_first_and_the_last_epoch():
    value = gradients.compute(records(), ARMS, ["baseline"])
    one = value.arms[0]
    assert (one.arm, one.layers, one.epochs, one.blocks) == ("baseline", LAYERS, 6, 5)
    assert one.first[0] == pytest.approx(0.4 * (1.00 * 1.01 * 1.02 * 1.03 * 1.04) ** 0.2)
    assert one.last[0] == pytest.approx(one.first[0] / 6)
    assert one.last[3] / one.last[2] == pytest.approx(0.8)


def test_the_title_names_the_arm_whose_gradients_vanish():
    value = gradients.compute(vanishing("flip=without"), ARMS, ["baseline"])
    assert value.title == (
        "The first layer's gradient ends at 1e−06 times the last layer's in flip=without, the least of 5 arms"
    )
    assert value.shown == {"baseline", "flip=without"}


def test_a_gradient_that_is_lost_in_some_blocks_is_told_first_and_shown():
    lost = [
        with_norms(one, *[0.0] * len(LAYERS)) if (one.trial.arm.name, one.trial.block) in _LOST else one
        for one in vanishing("flip=without")
    ]
    value = gradients.compute(lost, ARMS, ["baseline"])
    assert value.title == "In 2 of 5 seed blocks of crop=without no gradient reaches the first layer"
    assert value.shown == {"baseline", "flip=without", "crop=without"}
    caption = gradients.draw(value, arm_styles(ARMS, "baseline")).caption
    assert "Seed blocks in which a layer has no gradient are left out of its mean." in caption
    other = gradients.draw(gradients.compute(records(), ARMS, []), arm_styles(ARMS, "baseline")).caption
    assert "no gradient are left" not in other


def test_where_every_gradient_is_lost_that_is_the_title():
    runs = [with_norms(one, *[0.0] * len(LAYERS)) for one in records() if one.trial.arm.name == "baseline"]
    value = gradients.compute(runs, ["baseline"], [])
    assert value.title == "In 5 of 5 seed blocks of baseline no gradient reaches the first layer"


def test_a_norm_that_is_not_finite_or_nought_is_left_out_of_the_mean():
    runs = [one for one in records() if one.trial.arm.name == "baseline"][:2]
    odd = [with_norms(runs[0], None, 0.0, *[1.0] * 5), with_norms(runs[1], 4.0, 0.0, *[4.0] * 5)]
    (one,) = gradients.compute(odd, ["baseline"], []).arms
    assert one.last == pytest.approx((4.0, None, 2.0, 2.0, 2.0, 2.0, 2.0))


def test_trials_from_before_they_were_recorded_give_no_figure():
    old = [with_norms(one) for one in records()]
    assert gradients.compute(old, ARMS, []) is None
    assert gradients.compute([], ARMS, []) is None


def test_lines_of_both_epochs_and_a_row_for_each_layer():
    drawing = gradients.draw(gradients.compute(records(), ARMS, ["baseline"]), arm_styles(ARMS, "baseline"))
    own = [trace for trace in drawing.figure.data if trace.legendgroup == "arm baseline"]
    assert [trace.line.dash for trace in own] == ["dot", "solid"]
    assert {trace.visible for trace in own} == {True}
    assert {trace.visible for trace in drawing.figure.data if trace not in own} == {"legendonly"}
    assert (drawing.figure.layout.yaxis.type, drawing.figure.layout.yaxis.dtick) == ("log", "D2")
    wide = gradients.draw(gradients.compute(vanishing("baseline"), ARMS, []), arm_styles(ARMS, "baseline"))
    assert wide.figure.layout.yaxis.dtick is None
    assert len(drawing.table.rows) == len(ARMS) * len(LAYERS)
    assert drawing.table.rows[0][:3] == ("baseline", "1", "features.0")
