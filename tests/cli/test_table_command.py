"""`ablate report --from`: any column of numbers is analysed, once it is said what is good of it."""

import json
from pathlib import Path

import pytest
from commands import ablate

ROWS = {"no": (0.612, 0.608, 0.615), "yes": (0.628, 0.626, 0.629)}
TABLE = "warmup,seed,f1,seconds\n" + "".join(
    f"{level},{seed},{score},{60 + 100 * score}\n"
    for level, scores in ROWS.items()
    for seed, score in enumerate(scores)
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "theirs.csv").write_text(TABLE)
    return tmp_path


@pytest.mark.parametrize(("direction", "verdict"), [("higher", "helps"), ("lower", "hurts")])
def test_any_metric_is_judged_by_what_is_good_of_it(direction: str, verdict: str, place: Path) -> None:
    asked = ["--metric", "f1", f"--{direction}-is-better", "--margin", "0.003"]
    done = ablate("report", "--from", "theirs.csv", *asked, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["metric"], finding["verdict"]) == ("f1", verdict)
    assert finding["effect"] == pytest.approx(0.016)
    assert "warmup: yes instead of no changes f1 by +0.0160 units (95 % interval" in finding["sentence"]
    stored = json.loads((place / "findings.json").read_text())
    assert stored["higher_is_better"] is (direction == "higher")
    assert [arm["score"] for arm in stored["arms"]] == pytest.approx([0.6117, 0.6277], abs=1e-4)
    assert stored["findings"][0]["other"] is None
    page = (place / "report.html").read_text("utf-8")
    assert "change (units)" in page
    assert "higher f1" in page
    assert f"--metric f1 --{direction}-is-better --margin 0.003" in page
    assert "| baseline | 3 | 0.6117 ± 0.0035 |" in (place / "findings.md").read_text("utf-8")


def test_a_column_that_means_something_can_be_the_metric(place: Path) -> None:
    asked = ["--metric", "seconds", "--lower-is-better", "--margin", "0.5"]
    (place / "theirs.csv").write_text(TABLE.replace(",f1,", ",factor:f1,").replace("warmup,", "factor:warmup,"))
    assert ablate("report", "--from", "theirs.csv", *asked, cwd=place).returncode == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--metric", "f1", "--margin", "1"], "say what is good of f1: --higher-is-better or --lower-is-better."),
        (["--metric", "f1", "--lower-is-better"], "give a margin: effects on f1 inside it count as equivalent."),
        (["--metric", "loss", "--higher-is-better"], "lower loss is better; leave the option out."),
        (["--metric", "f2", "--higher-is-better", "--margin", "1"], "row 1: no column 'f2'"),
        (["--metric", "warmup", "--higher-is-better", "--margin", "1"], 'must be a number, not "no"'),
        (["--metric", "seed", "--higher-is-better", "--margin", "1"], '"seed" cannot be a metric'),
        (["--metric", "f\x1b", "--higher-is-better", "--margin", "1"], "cannot be a metric; name a column of scores"),
    ],
)
def test_what_cannot_be_judged_is_told(asked: list[str], says: str, place: Path) -> None:
    done = ablate("report", "--from", "theirs.csv", *asked, cwd=place)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (place / "report.html").exists()
