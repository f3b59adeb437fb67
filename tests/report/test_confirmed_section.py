"""The section that a search and its confirmation share."""

from dataclasses import replace

from examples import page, search_page
from test_page import HOSTILE, Document

from ablation.hypotheses import Confirmation, ConfirmedArm
from ablation.report import render

BASELINE = {"arm": "baseline", "promised": None, "promised_trials": 0, "validation": 0.7, "test": 0.69}
BEST = {"arm": "trial 7", "promised": 0.8, "promised_trials": 1, "validation": 0.75, "test": 0.74}
ARMS = (
    ConfirmedArm.model_validate({**BASELINE, "validation_sd": 0.01, "seed_blocks": 5}),
    ConfirmedArm.model_validate({**BEST, "validation_sd": 0.02, "test_sd": 0.03, "seed_blocks": 5}),
)
ONE = Confirmation(
    search="hyper", confirmation="hyper-confirm", metric="accuracy", ended=40, planned=50, complete=True, arms=ARMS
)  # fmt: skip


def cells(document: Document) -> list[str]:
    return [text.strip() for tag, text in document.texts if tag in ("td", "th") and text.strip()]


def test_the_search_tells_of_its_confirmation_before_its_own_trials() -> None:
    document = Document(render(replace(search_page(), confirmations=(ONE, ONE))))
    ids = [attrs["id"] for attrs in document.all("section")]
    assert ids[:4] == ["findings", "confirmation", "confirmation-2", "search"]
    assert "Confirmed in hyper-confirm" in document.shown
    assert [link["href"] for link in document.all("a")].count("../hyper-confirm/report.html") == 2
    assert "came out 5.00 pp short of what the search had on validation (accuracy)" in document.shown


def test_the_confirmation_shows_what_was_promised_beside_what_came() -> None:
    document = Document(render(replace(page(), confirmations=(ONE,))))
    assert "Confirms hyper" in document.shown
    assert "chosen when 40 of 50 trials of the search had ended" in document.shown
    row = cells(document)[cells(document).index("trial 7") :][:6]
    assert row == ["trial 7", "80.00\u202f% (1 seed block)", "75.00 ± 2.00", "−5.00\u202fpp", "74.00 ± 3.00", "5"]
    assert "not drawn" in cells(document)
    assert "../hyper/report.html" in [link["href"] for link in document.all("a")]


def test_half_a_confirmation_says_so() -> None:
    begun = ONE.model_copy(update={"complete": False, "arms": (ARMS[0],)})
    document = Document(render(replace(page(), confirmations=(begun,))))
    assert "No chosen arm has a score on fresh seed blocks yet." in document.shown
    assert "It is not complete yet" in document.shown


def test_a_search_that_kept_its_promise_is_told_so() -> None:
    kept = ARMS[1].model_copy(update={"validation": 0.81})
    document = Document(render(replace(page(), confirmations=(ONE.model_copy(update={"arms": (kept,)}),))))
    assert "held what the search had on validation (accuracy)" in document.shown
    loss = ONE.model_copy(update={"metric": "loss", "arms": (kept,)})
    assert "came out 0.010 nats short of what" in Document(render(replace(page(), confirmations=(loss,)))).shown


def test_hostile_names_lead_nowhere_else() -> None:
    hostile = ONE.model_copy(
        update={"search": f"javascript:{HOSTILE}", "arms": (ARMS[1].model_copy(update={"arm": HOSTILE}),)}
    )
    document = Document(render(replace(page(), confirmations=(hostile,))))
    (address,) = [link["href"] for link in document.all("a") if "javascript" in (link["href"] or "")]
    assert address.startswith("../javascript%3A%3Cb%3E")
    assert document.all("img") == []
