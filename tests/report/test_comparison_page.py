"""The page of a comparison: what it says of two arms, of two trials, and of what cannot be compared."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from compared_examples import compared_page, comparison_page, side, trials_page
from examples import records

from ablation.report import render
from ablation.report.comparison import ComparisonPage, comparison_sections, render_comparison
from ablation.report.figures import class_differences, differences
from ablation.report.section import Section
from ablation.trial import Record


def section(page: ComparisonPage, name: str) -> Section:
    return next(one for one in comparison_sections(page) if one.id == name)


def text(page: ComparisonPage) -> str:
    """What a reader sees, scripts and styles left out."""
    html = re.sub(r"<(script|style)\b.*?</\1>", "", render_comparison(page), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_the_page_says_what_the_terminal_says() -> None:
    page = comparison_page()
    said = text(page)
    assert page.compared.sentence.replace(" -", " −").replace("[-", "[−").replace("(-", "(−") in said
    assert all(note in said for note in page.compared.notes)
    assert "augmentations.flip.probability: 0.5 → not there" in said
    assert page.command in said


def test_each_seed_block_stands_behind_the_mean() -> None:
    page = comparison_page()
    value = differences.compute(page.compared, page.records_a, page.records_b, page.margin)
    first, second = value.panels
    assert (first.unit.metric, first.margin, second.margin) == ("accuracy", 0.005, None)
    for panel, found in ((first, page.compared.accuracy), (second, page.compared.loss)):
        assert [block for block, _ in panel.blocks] == [0, 1, 2, 3, 4]
        assert sum(one for _, one in panel.blocks) / 5 == pytest.approx(found.effect)
        assert panel.span[0] < min(0, found.low) < max(0, found.high) < panel.span[1]
    rows = differences.draw(value).table.rows
    assert len(rows) == 2 + 10
    assert "±0.50\u202fpp" in differences.draw(value).caption


def test_two_trials_have_no_interval_and_no_word_of_one() -> None:
    page = trials_page()
    said = text(page)
    assert "There is no interval" in section(page, "differences").drawing.caption
    assert "McNemar's exact test, p < 0.001" in said
    assert not re.search(r"\b(improves?|better|worse|significant\w*|helps|hurts)\b", said)
    assert "It takes two seed blocks to compare costs." in said


def test_classes_are_drawn_with_what_is_told_from_zero() -> None:
    page = comparison_page()
    value = class_differences.compute(page.compared.classes)
    assert [one.name for one in value.classes] == [one.name for one in page.compared.classes]
    drawn = class_differences.draw(value)
    sure = sum(one.survives for one in page.compared.classes)
    assert drawn.title.startswith(f"{sure or 'None'} of 10 classes")
    assert sum(len(trace.x) for trace in drawn.figure.data) == 10
    many = [one.model_copy(update={"name": f"{at}"}) for at, one in enumerate(page.compared.classes * 3)]
    assert class_differences.compute(many).left_out == 10
    assert class_differences.compute([]) is None


def restamped(record: Record, **change: object) -> Record:
    stamp = record.outcome.stamp.model_copy(update=change)
    return record.model_copy(update={"outcome": record.outcome.model_copy(update={"stamp": stamp})})


def test_costs_that_are_not_comparable_say_so_and_why() -> None:
    other = side("flip=without")
    other = replace(other, records=tuple(restamped(one, busy=1) for one in other.records))
    page = compared_page(side("baseline"), other)
    rows = section(page, "cost").tables[0].rows
    assert [row[3] for row in rows] == ["not comparable"] * 3 + ["0"]
    assert [row[4] for row in rows] == ["–"] * 4
    said = text(page)
    assert (
        said.count(
            "Costs are not comparable: A ran on cpu (AMD EPYC, 2 cores) with 1 thread a trial, 2 side by side; B"
        )
        == 2
    )
    assert "training time" not in page.compared.sentence


def test_costs_that_are_comparable_have_their_ratio() -> None:
    rows = section(comparison_page(), "cost").tables[0].rows
    assert re.fullmatch(r"[−+]\d\.\d\u202f%", rows[0][3])
    assert rows[1][3:] == ("+0.0\u202f%", "[+0.0, +0.0]")
    assert rows[3][:4] == ("parameters", "278k", "278k", "0")


def test_what_is_missing_is_said_in_a_line() -> None:
    page = compared_page(side("baseline"), side("flip=without"))
    assert section(page, "images").missing.startswith("There are no predictions of both sides")
    assert section(page, "pictures").missing == "The images of cifar10 are not at hand."
    page = replace(page, records_a=[one.model_copy(update={"epochs": ()}) for one in page.records_a],
                   records_b=[one.model_copy(update={"epochs": ()}) for one in page.records_b])  # fmt: skip
    assert section(page, "curves").missing


def test_arms_of_two_studies_that_are_called_alike_are_two_curves() -> None:
    there = tuple(restamped(one) for one in records() if one.trial.arm.name == "flip=without")
    page = compared_page(side("baseline", "one: same"), side("flip=without", "two: same", there))
    named = [trace.name for trace in section(page, "curves").drawing.figure.data if trace.showlegend]
    assert named == ["one: same", "two: same"]


HOSTILE = "</script><img src=x onerror=alert(1)> {{ 7*7 }} $x$ <b>\u202e"


def test_hostile_labels_stay_text() -> None:
    html = render_comparison(compared_page(side("baseline", f"A {HOSTILE}"), side("flip=without", f"B {HOSTILE}")))
    assert "<img src=x" not in html
    assert "\u202e" not in html
    assert html.count("</script>") == render_comparison(comparison_page()).count("</script>")


def test_report_and_comparison_share_one_layout() -> None:
    from examples import page

    head = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')
    assert head.findall(render(page())) == head.findall(render_comparison(comparison_page()))
