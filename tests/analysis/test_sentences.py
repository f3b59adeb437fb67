"""A sentence carries effect, interval, number of seed blocks, adjusted p, method and cost, whatever way it was won."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv
from ablation.analysis.results import ResultsTable
from ablation.analysis.routes import Rule
from ablation.findings import Finding

CROSSED = {"crop": ["with", "without"], "flip": ["with", "without"]}
FIVE = {letter: [f"{letter}0", f"{letter}1"] for letter in "abcde"}
PARTS = {
    "effect": r" changes accuracy by [+-]\d+\.\d\d pp \(",
    "interval": r"\(95 % interval \[[+-]\d+\.\d+, [+-]\d+\.\d+\], ",
    "seed blocks": r"\], \d+ seed blocks, ",
    "adjusted p": r", adjusted p (= 0\.\d+|= \d(\.\d+)?(e-\d+)?|< 0\.001), ",
    "method": r", {method}\)[,.]",
    "cost": r"\), (at [+-]\d+ % training time|at no clear difference in training time|training time not compared)\. ",
    "verdict": r"\. (Screen only, [^.]+\. )?(Helps|Hurts|Equivalent|Inconclusive)",
}


def pooled(_: Path) -> ResultsTable:
    return made_table(noise(3, 5))


def paired(_: Path) -> ResultsTable:
    scores = noise(3, 6)
    scores[2, 0] = np.nan
    return made_table(scores)


def noisy_baseline(_: Path) -> ResultsTable:
    scores = noise(4, 6, 11)
    scores[0] += np.where(np.arange(6) % 2, 0.004, -0.004)
    return made_table(scores)


def factorial(_: Path) -> ResultsTable:
    return made_table(noise(4, 5), CROSSED, "factorial")


def interacting(_: Path) -> ResultsTable:
    return made_table(noise(4, 5) + np.array([0, 0, 0, 0.03])[:, None], CROSSED, "factorial")


def fraction(_: Path) -> ResultsTable:
    return made_table(noise(16, 3), FIVE, "fractional", resolution=5)


def screen(_: Path) -> ResultsTable:
    return made_table(noise(8, 3), FIVE, "fractional", resolution=3)


def growing(_: Path) -> ResultsTable:
    return replace(made_table(noise(3, 8)), rule=Rule(looks=(3, 8)))


def extended(_: Path) -> ResultsTable:
    return replace(made_table(noise(3, 8)), rule=Rule(anytime=True))


def without_cost(folder: Path) -> ResultsTable:
    scores = noise(2, 4)
    rows = [f"{arm},{block},{scores[at, block]}" for at, arm in enumerate(("with", "without")) for block in range(4)]
    (folder / "table.csv").write_text("\n".join(["crop,seed,accuracy", *rows]))
    return from_csv(folder / "table.csv", "accuracy")


ROUTES: dict[Callable[[Path], ResultsTable], str] = {
    pooled: "Dunnett",
    paired: "paired t, Bonferroni",
    noisy_baseline: "Dunnett, noisy baseline|paired t, Bonferroni",
    factorial: "single-step",
    interacting: "single-step",
    fraction: "single-step",
    screen: "single-step",
    growing: "alpha spending",
    extended: "anytime-valid",
    without_cost: "Dunnett",
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
def test_every_sentence_carries(route: Callable[[Path], ResultsTable], part: str, tmp_path: Path) -> None:
    wanted = PARTS[part].replace("{method}", f"({ROUTES[route]})")
    sentences = [one.sentence for one in analyse(route(tmp_path)).findings if _compares_two_sides(one)]
    assert sentences
    assert not [one for one in sentences if not re.search(wanted, one)]


def _compares_two_sides(one: Finding) -> bool:
    """All but interactions, and main effects that are withheld for one."""
    return one.kind != "interaction" and "withheld" not in one.sentence


def test_the_routes_are_those_that_they_are_called(tmp_path: Path) -> None:
    assert {one.kind for one in analyse(interacting(tmp_path)).findings} == {"main", "interaction", "simple"}
    assert "error variance of the baseline's own" in analyse(noisy_baseline(tmp_path)).method
    assert any(one.aliases for one in analyse(screen(tmp_path)).findings if one.kind == "main")
    assert "training time not compared" in analyse(without_cost(tmp_path)).findings[0].sentence


def test_one_seed_block_says_that_its_times_were_not_compared() -> None:
    found = analyse(made_table(noise(2, 1)))
    assert "(no interval, 1 seed block), training time not compared. Not tested: " in found.findings[0].sentence
