"""What is made of a study in which every text is hostile: words on the terminal, tables, Markdown, JSON."""

import csv
import json
import re
from pathlib import Path

import pytest
from command import Done, ablate
from hostile_strings import STRINGS, controls
from hostile_study import TEXTS

from ablation import wording
from ablation.analysis.csv_table import from_csv
from ablation.errors import InputError
from ablation.visible import in_markdown, visible

FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def test_the_terminal_shows_every_text_letter_by_letter(reported: Done) -> None:
    assert reported.code == 0, reported.stderr
    assert controls(reported.stdout + reported.stderr) == []
    findings = [line for line in reported.stdout.splitlines() if " instead of " in line]
    assert len(findings) == len(TEXTS)
    for text in TEXTS:
        assert any(f"{visible(text)}: " in line for line in findings), text


@pytest.mark.parametrize("command", ["status", "report"])
def test_each_command_prints_data_in_ascii(reported: Done, command: str) -> None:
    done = ablate(reported.folder, command, str(reported.folder), "--json")
    assert done.code == 0, done.stderr
    assert done.stdout.isascii()
    assert controls(done.stdout) == []
    assert json.loads(done.stdout)["study"] == "hostile"


def test_the_table_is_read_back_as_it_was(reported: Done) -> None:
    results = reported.folder / "results.csv"
    with results.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULAS) and not re.fullmatch(r"-?[\d.]+", cell)]
    read = from_csv(results, "accuracy")
    assert list(read.arms) == ["baseline", *TEXTS]
    for text, after in zip(TEXTS, [*TEXTS[2:], *TEXTS[:2]], strict=True):
        assert read.arms[text][text] == after


def test_the_table_of_anybody_has_a_report_too(reported: Done, tmp_path: Path) -> None:
    table = reported.folder / "results.csv"
    done = ablate(tmp_path, "report", "--from", str(table), "--out", str(tmp_path))
    assert done.code == 0, done.stderr
    assert controls(done.stdout + done.stderr) == []
    assert "<img src=x onerror" not in (tmp_path / "report.html").read_text("utf-8")


def test_broken_tables_name_their_cells_cleanly(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    for text in STRINGS:
        for header, cells in ((("seed", text), ("1", "0.5")), (("a", "seed", "accuracy"), ("x", text, text))):
            with table.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
                csv.writer(file).writerows([header, cells])
            message = refusal(table)
            assert message or text == "0"
            assert controls(message) == []
            assert len(message) < 6000


def refusal(table: Path) -> str:
    """Why a table cannot be read; empty where it can."""
    try:
        from_csv(table, "accuracy")
    except InputError as error:
        return str(error)
    return ""


def test_markdown_holds_no_element_link_or_heading_of_a_name(reported: Done) -> None:
    text = (reported.folder / "findings.md").read_text("utf-8")
    assert "<" not in text
    assert not re.search(r"(?<!\\)(?:\\\\)*\[", text)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Findings",
        "## Arms",
        "## Trials by level",
        "## Beside the findings",
        "## Notes",
        "## Method",
    ]
    assert not [line for line in text.splitlines() if re.match(r"- ?([-+*>`|]|\d+[.)])", line)]
    parts = re.split(r"## (?=Trials by level|Beside the findings)", text)
    for part, bars in zip(parts, (6, 5, 5), strict=True):
        rows = [line for line in part.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", row))) for row in rows} == {bars}
    for name in TEXTS:
        assert in_markdown(f"{name}: ") in text, name


def test_findings_are_read_back_as_they_were(reported: Done) -> None:
    findings = json.loads((reported.folder / "findings.json").read_bytes())["findings"]
    assert {finding["factor"] for finding in findings} == set(TEXTS)


def test_what_is_wrong_with_a_value_is_told_in_one_short_line() -> None:
    for text in STRINGS:
        assert not controls(wording.shown(text))
        assert "\n" not in wording.shown(text)
        assert len(wording.shown(text)) <= 60
