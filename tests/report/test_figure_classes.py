"""Per-class changes and confusion matrices."""

from dataclasses import replace

import numpy as np
import pytest
from examples import CLASSES, PLANTED, analysis, finding, records

from ablation.findings import ClassEffect
from ablation.report.figures import confusion, per_class
from ablation.report.figures.matrices import shares_by_block
from ablation.trial import Arm, Outcome, Record, Trial


def made(arm: str, block: int, counts: list[list[int]], status: str = "complete") -> Record:
    """A trial over the classes cat, dog, 2, 3 and so on."""
    template = records()[0].trial
    named = Arm(name=arm, levels={}, settings=template.arm.settings)
    names = ("cat", "dog", *map(str, range(2, len(counts))))
    outcome = Outcome(status=status, classes=names, confusion=tuple(map(tuple, counts)))
    return Record(trial=Trial(id=f"{arm}-{block}", arm=named, block=block), outcome=outcome)


TWO = [
    made("baseline", 0, [[8, 2], [4, 6]]),
    made("baseline", 1, [[6, 4], [5, 5]]),
    made("other", 0, [[9, 1], [4, 6]]),
    made("other", 1, [[9, 1], [3, 7]]),
    made("other", 2, [[0, 10], [10, 0]]),
]


def effect(name: str, value: float | None, p: float | None = 0.5) -> ClassEffect:
    """Its interval reaches 1 pp to either side; without a p nothing was tested."""
    ends = {} if value is None or p is None else {"low": value - 0.01, "high": value + 0.01}
    return ClassEffect(name=name, effect=value, p_adjusted=p, seed_blocks=3, **ends)


def said(*columns: tuple[ClassEffect, ...]):
    """An analysis with these class effects, a column a finding."""
    arms = ("crop=without", "flip=without", *(f"crop=level{at}" for at in range(len(columns))))
    findings = tuple(
        finding(arm, -0.02, "hurts").model_copy(update={"classes": classes})
        for arm, classes in zip(arms, columns, strict=False)
    )
    return analysis([]).model_copy(update={"findings": findings})


def test_what_clears_zero_is_marked_in_figure_table_and_title():
    value = per_class.compute(said((effect("cat", -0.031), effect("dog", 0.004))))
    drawing = per_class.draw(value)
    assert drawing.figure.data[0].text == (["−3.1*"], ["+0.4"])
    assert [row[5] for row in drawing.table.rows] == ["yes", "no"]
    assert drawing.table.rows[0][3] == "[−4.10, −2.10]"
    assert value.title == (
        "1 of 2 changes per class is told from zero; largest change: cat, −3.10\u202fpp with crop=without"
    )
    assert "corrected" in drawing.table.caption
    assert "Bonferroni" in drawing.caption


def test_without_a_test_nothing_is_marked_and_no_claim_is_made():
    drawing = per_class.draw(per_class.compute(said((effect("cat", -0.4, None), effect("dog", 0.004, None)))))
    assert drawing.figure.data[0].text == (["−40.0"], ["+0.4"])
    assert {row[5] for row in drawing.table.rows} == {"–"}
    assert drawing.title == "The largest change: cat, −40.00\u202fpp with crop=without"
    assert "Estimates alone" in drawing.caption


def test_a_class_without_images_stays_empty():
    drawing = per_class.draw(per_class.compute(said((effect("cat", -0.2), effect("dog", None, None)))))
    assert drawing.figure.data[0].z == ([-20.0], [None])
    assert drawing.figure.data[0].text == (["−20.0*"], [""])
    assert drawing.table.rows[1][2:4] == ("–", "–")


def test_without_any_class_effect_there_is_no_figure():
    assert per_class.compute(said(())) is None
    assert per_class.compute(said((effect("cat", None, None),))) is None
    assert per_class.compute(analysis([])) is None


def test_of_many_classes_the_most_changed_are_drawn():
    column = tuple(effect(str(at), 0.3 if at == 27 else at / 1000) for at in range(30))
    value = per_class.compute(said(column))
    assert value.classes == tuple(map(str, range(10, 30)))
    assert "Not drawn: 10 classes" in per_class.draw(value).caption


def test_of_many_contrasts_the_first_findings_are_drawn():
    value = per_class.compute(said(*[(effect("cat", 0.1),)] * 13))
    assert len(value.contrasts) == 12
    assert "1 contrast" in per_class.draw(value).caption
    assert value.title.startswith("13 of 13 changes")  # those that are not drawn are counted too


def test_matrices_are_means_over_shared_blocks():
    value = confusion.compute(TWO, "baseline", "other")
    assert value.first == ((0.7, pytest.approx(0.3)), (pytest.approx(0.45), pytest.approx(0.55)))
    assert value.blocks == 2
    assert value.difference == pytest.approx(np.array([[0.2, -0.2], [-0.1, 0.1]]))
    assert value.title.endswith("baseline: dog taken for cat, in 45.0 % of its images")


def test_a_diverged_trial_and_a_matrix_of_another_size_are_left_out():
    odd = [made("baseline", 0, [[1, 2], [3, 4]], "diverged"), made("baseline", 1, [[1]])]
    assert shares_by_block(odd, "baseline", 2) == {}
    assert confusion.compute(odd, "baseline", "other") is None
    assert confusion.compute([], "baseline", "other") is None


def test_every_cell_of_the_study_is_drawn_and_errors_have_their_own_scale():
    done = records()
    changes = per_class.draw(per_class.compute(analysis(done)))
    assert np.shape(changes.figure.data[0].z) == (len(CLASSES), len(PLANTED) - 1)
    assert changes.figure.data[0].zmin == -changes.figure.data[0].zmax
    errors, right, *_ = confusion.draw(confusion.compute(done, "baseline", "brightness=mild")).figure.data
    assert all(errors.z[at][at] is None and right.z[at][at] > 30 for at in range(len(CLASSES)))
    assert errors.zmax < 40


def test_the_drawing_reads_its_value_alone():
    value = per_class.compute(said((effect("cat", -0.2),)))
    assert per_class.draw(replace(value, title="Another")).title == "Another"


def test_axes_of_a_confusion_say_what_they_are_and_numbers_that_they_are_classes():
    done = [
        one.model_copy(update={"outcome": one.outcome.model_copy(update={"classes": tuple("0123456789")})})
        for one in records()
    ]
    drawing = confusion.draw(confusion.compute(done, "baseline", "flip=without"))
    assert "class 3 taken for class 5" in drawing.title
    layout = drawing.figure.layout
    assert (layout.xaxis2.title.text, layout.yaxis.title.text) == ("taken for", "true class")
    assert layout.xaxis.tickangle == 0
