import csv
import dataclasses
import math

import pandas as pd
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.csv_table import from_csv, write_csv
from ablation.errors import InputError

HOSTILE = [
    *("=1+1", "+x", "-0.5", "@SUM(A1)", "\tt", "\rr", "\nn", "'", "'=q", "''"),
    *('say "x", y', "a,b;c", "a\nb", "a\rb", " spaces ", "<b>", "Zürich 雪"),
    *("0x1F", "1e5", "007", "NA", "null", "nan", "True"),
]


def plain(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def same(one, other):
    order = ["arm", "block"]
    pd.testing.assert_frame_equal(
        one.frame.sort_values(order, ignore_index=True), other.frame.sort_values(order, ignore_index=True)
    )
    kept = ["arms", "baseline", "factors", "design", "metric", "margin", "planned_blocks"]
    return [getattr(one, name) == getattr(other, name) for name in kept] == [True] * len(kept)


@pytest.mark.parametrize("design", ["contrasts", "factorial"])
def test_what_is_written_reads_back_equal_and_says_the_same(tmp_path, design):
    factors = {"crop": ["with", "without"], "flip": ["with", "without"]}
    table = made_table(noise(4 if design == "factorial" else 3, 5), factors, design)
    write_csv(table, tmp_path / "results.csv")
    back = from_csv(tmp_path / "results.csv", "accuracy")
    assert same(table, back)
    assert analyse(back).findings == analyse(table).findings


def test_hostile_names_read_back_equal(tmp_path):
    table = made_table(noise(len(HOSTILE), 2), {"=cmd|' /C calc'!A0": HOSTILE})
    write_csv(table, tmp_path / "results.csv")
    assert same(table, from_csv(tmp_path / "results.csv", "accuracy"))


def test_no_cell_of_text_is_a_formula(tmp_path):
    table = made_table(noise(len(HOSTILE), 2), {"=cmd": HOSTILE})
    write_csv(table, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_every_status_reads_back(tmp_path):
    statuses = {(0, 0): "missing", (1, 0): "failed", (1, 1): "diverged", (2, 1): "pruned"}
    scores = noise(3, 3)
    scores[0, 0] = scores[1, 0] = scores[2, 1] = math.nan
    table = made_table(scores, statuses=statuses)
    write_csv(table, tmp_path / "results.csv")
    back = from_csv(tmp_path / "results.csv", "accuracy")
    assert same(table, back)
    assert back.provisional


def test_a_factor_that_takes_no_part_has_no_level(tmp_path):
    table = made_table(noise(2, 2), {"optimizer": ["sgd", "adam"]})
    arms = {"baseline": {"optimizer": "sgd", "momentum": "0.9"}, "optimizer=adam": {"optimizer": "adam"}}
    table = dataclasses.replace(table, arms=arms, factors=dict(table.factors) | {"momentum": ("0.9",)})
    write_csv(table, tmp_path / "results.csv")
    assert from_csv(tmp_path / "results.csv", "accuracy").arms == arms


def test_the_baseline_is_written_first_so_that_it_is_read_as_such(tmp_path):
    table = made_table(noise(2, 2))
    table = dataclasses.replace(table, frame=table.frame.iloc[::-1].reset_index(drop=True))
    write_csv(table, tmp_path / "results.csv")
    assert from_csv(tmp_path / "results.csv", "accuracy").baseline == table.baseline


def test_anybodys_table(tmp_path):
    text = "\ufeffloss,depth,seed,warmup\n0.5,18,1,yes\n0.4,34,1,yes\n0.6,18,2,yes\n0.5,34,2,yes\n\n"
    table = from_csv(plain(tmp_path, text), "loss")
    assert table.arms == {"baseline": {"depth": "18", "warmup": "yes"}, "depth=34": {"depth": "34", "warmup": "yes"}}
    assert (table.design, table.planned_blocks, table.metric) == ("contrasts", 2, "loss")
    assert "depth=18, warmup=yes" in table.notes[0]
    assert table.scores().tolist() == [[0.5, 0.6], [0.4, 0.5]]


def test_marked_factors_leave_other_columns_alone(tmp_path):
    text = "factor:crop,comment,seed_block,accuracy\non,first,0,0.9\noff,second,0,0.8\n"
    assert from_csv(plain(tmp_path, text), "accuracy").factors == {"crop": ("on", "off")}


def test_arms_alone_will_do(tmp_path):
    table = from_csv(plain(tmp_path, "arm,seed,accuracy\nplain,0,0.9\nfancy,0,0.8\n"), "accuracy")
    assert table.baseline == "plain"
    assert analyse(table).findings[0].sentence.startswith("arm: fancy instead of plain changes accuracy by -10.00 pp")


def test_all_combinations_are_a_factorial(tmp_path):
    rows = "".join(f"{a},{b},0,0.5\n" for a in "xy" for b in "pqr")
    path = plain(tmp_path, "a,b,seed,accuracy\n" + rows)
    assert from_csv(path, "accuracy").design == "factorial"
    assert from_csv(path, "accuracy", design="contrasts").design == "contrasts"
    with pytest.raises(InputError, match="not every combination"):
        from_csv(plain(tmp_path, "a,b,seed,accuracy\nx,p,0,0.5\ny,q,0,0.5\n"), "accuracy", design="factorial")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no trials"),
        ("crop,seed,accuracy\n", "holds no trials"),
        ("crop,accuracy\non,0.9\n", "row 1: no column for the seed; name one of seed, seed_block, block"),
        ("crop,seed\non,1\n", "row 1: no column 'accuracy'"),
        ("crop;seed;accuracy\non;1;0.9\n", "separate them by commas"),
        ("seed,accuracy\n1,0.9\n", "no column for a factor"),
        ("crop,seed,seed,accuracy\non,1,1,0.9\n", "column 'seed' stands there twice"),
        ("crop,seed,accuracy\non,1,0.9\noff,1\n", "row 3: 2 cells, but 3 columns"),
        ("crop,seed,accuracy\non,1,0.9\n\noff,one,0.9\n", "row 4, column 'seed': must be a whole number, not \"one\""),
        ("crop,seed,accuracy\non,1,high\n", "row 2, column 'accuracy': must be a number, not \"high\""),
        (
            "crop,seed,accuracy\non,1,93.1\n",
            "row 2, column 'accuracy': must be a fraction from 0 to 1, not 93.1; divide",
        ),
        ("crop,seed,accuracy\non,1,nan\n", "must be a finite number, not nan"),
        ("crop,seed,accuracy\non,1,\n", "row 2, column 'accuracy': empty, but the trial counts as complete; a column"),
        ("crop,seed,accuracy\n,1,0.9\n", "row 2, column 'crop': empty; give the level"),
        (
            "crop,seed,status,accuracy\non,1,compleet,0.9\n",
            "row 2, column 'status': \"compleet\" is not known. Did you mean",
        ),
        ("crop,seed,accuracy\non,1,0.9\non,1,0.8\n", 'arm "baseline" has two rows of seed 1'),
        (
            "arm,crop,seed,accuracy\nx,on,1,0.9\nx,off,1,0.8\n",
            "row 3, column 'arm': \"x\" stands above with other levels",
        ),
        ("arm,crop,seed,accuracy\n,on,1,0.9\n", "row 2, column 'arm': empty"),
    ],
)
def test_bad_tables_name_row_and_column(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        from_csv(plain(tmp_path, text), "accuracy")
    assert message in str(error.value)


def test_files_that_are_no_table(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        from_csv(tmp_path / "nothing.csv", "accuracy")
    (tmp_path / "latin.csv").write_bytes("größe,seed,accuracy\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        from_csv(tmp_path / "latin.csv", "accuracy")
    for name in ("seed", "status", "arm", "", "a\x1b", "x" * 81):
        with pytest.raises(InputError, match="cannot be a metric"):
            from_csv(tmp_path / "nothing.csv", name)
