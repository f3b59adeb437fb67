"""The table for a paper: TeX sets every name as it is, and no cell is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_runs import Planted, made_run
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.analysis.analyse import analyse
from ablation.analysis.latex import in_latex, latex
from ablation.analysis.results import from_records
from ablation.findings import Analysis


def analysed(folder: Path, write_study: StudyWriter, text: str, **planted: object) -> Analysis:
    study = load(write_study(text))
    run = made_run(folder, study, Planted({"crop=shifted": 0.95}, **planted))  # type: ignore[arg-type]
    return analyse(from_records(study, designs.arms(study), run.records()))


def cells(text: str) -> list[list[str]]:
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    return [re.split(r"(?<!\\) & ", line.removesuffix(r" \\")) for line in body.strip().splitlines()]


def test_each_finding_is_a_row_with_its_numbers(tmp_path: Path, write_study: StudyWriter) -> None:
    found = analysed(tmp_path / "run", write_study, SMALL.replace("seeds: 2", "seeds: 8"))
    table = cells(latex(found))
    assert [row[0] for row in table] == [in_latex(one.label) for one in found.findings]
    assert all(len(row) == 6 for row in table)
    effect = found.findings[0].effect
    assert effect is not None
    assert table[0][1] == f"$+${100 * effect:.2f}"
    assert re.fullmatch(r"\[\$\+\$[\d.]+, \$\+\$[\d.]+\]", table[0][2])
    assert table[0][3:] == ["$<$ 0.001", "8", "helps"]
    assert "effect (pp)" in latex(found)


def test_what_is_not_known_is_a_dash(tmp_path: Path, write_study: StudyWriter) -> None:
    found = analysed(tmp_path / "run", write_study, SMALL, blocks=())
    assert cells(latex(found))[0][1:] == ["--", "--", "--", "0", "provisional"]


def test_an_effect_that_is_withheld_has_no_numbers(tmp_path: Path, write_study: StudyWriter) -> None:
    found = analysed(tmp_path / "run", write_study, SMALL.replace("seeds: 2", "seeds: 8"))
    withheld = found.findings[0].model_copy(update={"verdict": "withheld"})
    rows = cells(latex(found.model_copy(update={"findings": (withheld,)})))
    assert rows == [[in_latex(withheld.label), *("--",) * 3, "8", "withheld"]]


@pytest.mark.parametrize(
    ("name", "set_as"),
    [
        ("50%_of #1 & {x}$", r"50\%\_of \#1 \& \{x\}\$"),
        (
            r"a\b ^ ~ <c> | ± ×",
            r"a\textbackslash{}b \textasciicircum{} \textasciitilde{} \textless{}c\textgreater{} "
            r"\textbar{} $\pm$ $\times$",
        ),
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
    ],
)
def test_no_sign_means_anything_to_tex(name: str, set_as: str) -> None:
    assert in_latex(name) == set_as


def test_braces_and_environments_are_closed(tmp_path: Path, write_study: StudyWriter) -> None:
    text = SMALL.replace("crop: {none: {}, shifted:", '"cr{op_%": {none: {}, shifted:')
    table = latex(analysed(tmp_path / "run", write_study, text))
    bare = re.sub(r"\\[{}]", "", table)
    assert bare.count("{") == bare.count("}")
    assert re.findall(r"\\begin\{(\w+)\}", table) == ["table", "tabular"]
    assert re.findall(r"\\end\{(\w+)\}", table) == ["tabular", "table"]
