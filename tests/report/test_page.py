"""The page as a document: its structure, its policy, its escapes, and the file it becomes."""

import base64
import hashlib
import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from examples import (
    analysis,
    empty_page,
    factorial_page,
    finding,
    page,
    partial_page,
    records,
    replaced,
    search_page,
    table_page,
)

from ablation.report import render, write

PAGES = {made.__name__: made for made in (page, partial_page, empty_page, table_page, factorial_page, search_page)}
VOID = {"meta", "link", "br", "img"}


class Document(HTMLParser):
    """The elements of a page in their order, and the text inside each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self, *tags):
        return " ".join(data for tag, data in self.texts if tag in tags)

    @property
    def shown(self):
        return " ".join(data for tag, data in self.texts if tag not in ("script", "style"))


@pytest.fixture(scope="module", params=PAGES)
def any_page(request) -> Document:
    return Document(render(PAGES[request.param]()))


@pytest.fixture(scope="module")
def whole() -> Document:
    return Document(render(page()))


def test_elements_close_ids_are_unique_and_links_lead_somewhere(any_page):
    assert any_page.open == []
    ids = Counter(attrs["id"] for _, attrs in any_page.elements if "id" in attrs)
    assert max(ids.values()) == 1
    assert {link["href"].removeprefix("#") for link in any_page.all("a")} <= set(ids)
    assert {figure["aria-labelledby"] for figure in any_page.all("figure")} <= set(ids)


def test_headings_go_down_one_step_at_a_time(any_page):
    levels = [int(tag[1]) for tag, _ in any_page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_have_captions_and_scopes(any_page):
    assert all(header.get("scope") in ("col", "row") for header in any_page.all("th"))
    assert len(any_page.all("caption")) == len(any_page.all("table"))


def test_every_figure_has_its_data_as_a_table_and_a_label(any_page):
    plots = [attrs for attrs in any_page.all("div") if "data-plot" in attrs]
    assert len(plots) == len(any_page.all("figure")) <= len(any_page.all("details"))
    assert all(plot["role"] == "group" and plot["aria-label"] for plot in plots)


def test_nothing_is_loaded_and_scripts_run_by_their_hash(any_page):
    assert all("src" not in attrs for attrs in any_page.all("script"))
    assert {link["href"] for link in any_page.all("link")} == {"data:,"}
    policy = next(meta["content"] for meta in any_page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    scripts = [data for tag, data in any_page.texts if tag == "script" and not data.startswith("{")]
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert len(scripts) == 2


def test_the_question_and_the_findings_come_first(whole):
    ids = [attrs["id"] for attrs in whole.all("section")]
    assert ids == [
        "findings",
        "effects",
        "arms",
        "curves",
        "classes",
        "images",
        "confusion",
        "pictures",
        "cost",
        "gradients",
        "seeds",
        "incomplete",
        "data",
        "methods",
        "made",
    ]
    assert whole.text("h1") == "Which preprocessing and augmentation steps raise test accuracy on CIFAR-10?"
    assert "−3.12 pp (95 % interval [−3.74, −2.50]" in whole.shown
    assert "None: all 25 trials completed." in whole.shown
    assert "25 of 25 trials · 5 arms × 5 seed blocks · accuracy on the test split · scale laptop" in whole.shown
    assert "4c9b41e with uncommitted changes" in whole.shown


def test_the_other_metric_the_cost_and_the_images_stand_beside_the_effects(whole):
    beside = whole.shown.split("Effects on loss, a family of contrasts of their own", 2)[2]
    assert "+0.078\u202fnats" in beside
    assert "[+0.058, +0.098]" in beside
    assert "−4\u202f%" in beside
    layer = whole.shown.split("Difference of accuracy over the test images")[-1]
    assert "310" in layer
    assert "no verdict rests on them" in whole.shown


def test_validation_images_that_each_block_draws_have_no_image_layer():
    drawn = replace(page(), study=page().study.model_copy(update={"evaluate_on": "validation"}), analysis=analysis([]))
    assert "Each seed block draws validation images of its own" in Document(render(drawn)).shown


def test_a_finding_has_a_chip_with_a_sign_and_leads_to_its_arms(whole):
    chips = [attrs["class"] for attrs in whole.all("span") if "chip" in (attrs.get("class") or "")]
    assert Counter(chips) == {"chip hurts": 3, "chip equivalent": 2, "chip inconclusive": 2}  # with the tally above
    assert "▼" in whole.shown
    assert [attrs["href"] for attrs in whole.all("a")].count("#arm-0") == 4


def test_a_partial_study_is_marked_provisional_and_lists_what_is_missing():
    shown = Document(render(partial_page())).shown
    assert "Provisional: 11 of 25 trials have finished." in shown
    assert "1 failed, 1 diverged, 1 unfinished, 13 waiting" in shown
    assert "out of disk while writing a checkpoint" in shown
    assert "Diverged trials count as the uniform guess" in shown


def test_one_trial_is_enough_for_a_page():
    done = records()[:1]
    shown = Document(render(replaced(page(), done, analysis(done, provisional=True)))).shown
    assert "Provisional: 1 of 25 trials have finished." in shown
    assert "24 waiting" in shown


def test_an_empty_study_says_so_and_draws_nothing():
    document = Document(render(empty_page()))
    assert "No trial has finished yet" in document.shown
    assert document.all("figure") == []
    assert len([attrs for attrs in document.all("section") if attrs.get("class") == "lacking"]) == 11


def test_a_table_of_results_draws_what_it_has():
    document = Document(render(table_page()))
    assert [attrs["id"] for attrs in document.all("figure")] == ["effects-plot", "cost-plot"]
    assert "Learning curves need the epochs of at least one complete trial." in document.shown


def test_a_search_gives_no_findings():
    searched = search_page()
    odd = searched.analysis.model_copy(update={"findings": (finding("a=b", 0.1, "helps"),)})
    hidden = replace(searched, analysis=odd)
    document = Document(render(hidden))
    assert "This is a search: it gives no findings." in document.shown
    assert "chip" not in {attrs.get("class") for attrs in document.all("span")}
    assert "3 pruned, 1 failed, 10 waiting" in document.shown
    assert [attrs["id"] for attrs in document.all("figure")] == [
        *("history-plot", "importances-plot", "slices-plot", "parallel-plot"),
    ]
    assert document.shown.count("A hypothesis, not a finding") == 3
    assert "Trials by level" in document.shown


def test_a_factorial_has_its_interactions():
    assert "interactions-plot" in {attrs["id"] for attrs in Document(render(factorial_page())).all("figure")}


HOSTILE = '<b>&lt;</b></script><script>alert(1)</script><img src=x onerror="alert(2)"><!--{{ 7*7 }}%{y}'


def hostile_class(one):
    return one.model_copy(update={"name": f"{one.name} {HOSTILE}"})


def hostile_page():
    """Every text that a user gives, hostile."""
    done = records()
    named = {one.trial.arm.name: f"{one.trial.arm.name} {HOSTILE}" for one in done}

    def rename(one):
        arm = one.trial.arm
        levels = {f"{name} {HOSTILE}": f"{level} {HOSTILE}" for name, level in arm.levels.items()}
        trial = one.trial.model_copy(update={"arm": arm.model_copy(update={"name": named[arm.name], "levels": levels})})
        outcome = one.outcome.model_copy(update={"classes": tuple(f"{name} {HOSTILE}" for name in one.outcome.classes)})
        return one.model_copy(update={"trial": trial, "outcome": outcome})

    changed = [rename(one) for one in done]
    failed = {"status": "failed", "reason": HOSTILE, "test": None}
    changed[0] = changed[0].model_copy(update={"outcome": changed[0].outcome.model_copy(update=failed)})
    said = analysis(done)
    arms = tuple(one.model_copy(update={"arm": named[one.arm]}) for one in said.arms)
    texts = ("factor", "level", "reference", "sentence")
    findings = tuple(
        one.model_copy(
            update={name: f"{getattr(one, name)} {HOSTILE}" for name in texts}
            | {"arm": named[one.arm], "classes": tuple(map(hostile_class, one.classes))}
        )
        for one in said.findings
    )
    said = said.model_copy(update={"arms": arms, "findings": findings, "method": HOSTILE, "notes": (HOSTILE,)})
    return replace(
        page(), title=HOSTILE, question=HOSTILE, source_text=HOSTILE, command=HOSTILE, folder=HOSTILE, digest=HOSTILE,
        created=HOSTILE, records=changed, analysis=said, arms=[one.trial.arm for one in changed[:5]],
        hardware=[HOSTILE],
    )  # fmt: skip


def test_hostile_text_makes_no_element_and_is_shown_as_it_is():
    document = Document(render(hostile_page()))
    assert document.all("img") == []
    assert document.all("b") == []
    assert len(document.all("script")) == 3 + len(document.all("figure"))
    assert document.shown.count(HOSTILE) > 30
    assert "49" not in document.text("h1")


def test_hostile_text_is_plain_in_the_figures():
    document = Document(render(hostile_page()))
    allowed = re.compile(r"</?b>|<br>|<extra></extra>")
    figures = [json.loads(data) for tag, data in document.texts if tag == "script" and data.startswith('{"figure"')]
    assert len(figures) == 7
    for text in strings(figures):
        assert "<" not in allowed.sub("", text), text


def strings(value):
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)


def test_writing_leaves_one_whole_file_below_the_limit_and_the_same_each_time(tmp_path: Path):
    path = tmp_path / "report.html"
    path.write_text("an older report")
    write(page(), path)
    first = path.read_bytes()
    write(page(), path)
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    many = [one for _ in range(4) for one in records()]
    write(replaced(page(), many, analysis(many)), path)
    assert path.stat().st_size < 7_000_000


def test_a_failed_write_leaves_the_older_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "report.html"
    path.write_text("an older report")

    def full_disk(_self: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(page(), path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "an older report"


def test_a_path_that_is_no_text_does_not_lose_the_report(tmp_path: Path):
    write(replace(page(), folder="runs/\udcff"), tmp_path / "report.html")
    assert r"runs/\udcff" in (tmp_path / "report.html").read_text("utf-8")
