import pytest

from ablation.report.drawing import canvas, label, rounded
from ablation.report.panels import Grid


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ('<a href="https://x.y">go</a>', '&lt;a href="https://x.y"&gt;go&lt;/a&gt;'),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("", "(empty)"),
        ("a\nb", "a b"),
    ],
)
def test_user_text_stays_plain_text_in_a_figure(text, shown):
    assert label(text, width=80) == shown


def test_a_long_label_is_wrapped_at_words_then_at_signs_and_cut():
    assert label("crop=without, flip=without", 14) == "crop=without,<br>flip=without"
    assert label("brightness=mild", 12) == "brightness=<br>mild"
    assert label("one two three four", 8, lines=2) == "one two<br>three …"


def test_panels_stand_beside_or_below_each_other():
    wide, narrow = Grid(2, 2, 300).layout(), Grid(2, 1, 300, 100).layout()
    assert wide["xaxis.domain"] == [0, 0.45]
    assert wide["xaxis2.domain"] == [0.55, 1]
    assert wide["yaxis.domain"] == wide["yaxis2.domain"] == [0, 1]
    assert narrow["xaxis.domain"] == narrow["xaxis2.domain"] == [0, 1]
    assert narrow["yaxis.domain"] == [pytest.approx(4 / 7, abs=1e-4), 1]
    assert narrow["yaxis2.domain"] == [0, pytest.approx(3 / 7, abs=1e-4)]
    assert narrow["height"] - wide["height"] == 400


def test_a_canvas_cannot_be_zoomed_so_that_a_phone_scrolls_past_it():
    layout = canvas(300).layout
    assert layout.height == 300
    assert layout.template.layout.xaxis.fixedrange
    assert layout.template.layout.dragmode is False


def test_long_decimals_of_a_search_are_rounded_in_a_legend_and_names_are_left():
    assert rounded("rate=0.00023631976998487328, batch size=64") == "rate=0.000236, batch size=64"
    assert rounded("momentum=7.174043579890433e-05") == "momentum=7.17e-05"
    assert rounded("version 1.25, 0.1234") == "version 1.25, 0.1234"
