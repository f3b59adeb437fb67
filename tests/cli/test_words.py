"""Words that no reader may meet where a study has one seed block, or its plan is not complete."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import ablate
from made_runs import Planted, made_run
from plotly.offline import get_plotlyjs
from small_studies import SMALL, StudyWriter, load

from ablation.designs import arms
from ablation.study import Study

FORBIDDEN = re.compile(r"improv|(?<!higher_is_)better|worse|signific|cheaper|superior|\bwins?\b", re.IGNORECASE)
FRACTION = (Path(__file__).parents[1] / "plans" / "fraction.yaml").read_text("utf-8")
DESIGNS = {
    "one-factor": SMALL,
    "factorial": SMALL.replace("one-factor", "factorial"),
    "fraction": FRACTION,
    "loss": SMALL.replace("seeds: 2", "seeds: 2\nmetric: loss"),
}


def texts_of(folder: Path, cwd: Path, study: Study) -> Iterator[tuple[str, str]]:
    """All that is told of a study that was run, each with where it stands."""
    yield "report on the terminal", ablate("report", str(folder), cwd=cwd).stdout
    yield "report --json", ablate("report", str(folder), "--json", cwd=cwd).stdout
    for name in ("findings.md", "findings.json"):
        yield name, (folder / name).read_text("utf-8")
    page = (folder / "report.html").read_text("utf-8")
    assert get_plotlyjs() in page
    yield "report.html", page.replace(get_plotlyjs(), "")
    a, b, *_ = (arm.name for arm in arms(study))
    yield "compare", ablate("compare", str(folder), a, b, cwd=cwd).stdout
    trials = sorted(path.parent.name for path in (folder / "trials").glob("*-b000/outcome.json"))[:2]
    for options in ((), ("--fail-on-regression", "1pp"), ("--fail-on-regression", "99pp")):
        done = ablate("compare", str(folder), "--trials", *trials, *options, cwd=cwd)
        assert done.returncode in (0, 6), done.stderr
        yield f"compare --trials {options}", done.stdout + done.stderr


@pytest.mark.parametrize("state", ["one seed block", "provisional"])
@pytest.mark.parametrize("design", DESIGNS)
def test_no_text_is_stronger_than_one_seed_block_or_half_a_plan(
    design: str, state: str, write_study: StudyWriter, tmp_path: Path
) -> None:
    seeds = "seeds: 1" if state == "one seed block" else "seeds: 6"
    study = load(write_study(re.sub(r"seeds: \d+", seeds, DESIGNS[design])))
    accuracies = {arm.name: 0.8 - 0.05 * at for at, arm in enumerate(arms(study)[:6])}
    made_run(tmp_path / "runs/small", study, Planted(accuracies, sd=0.001, blocks=range(1 if "1" in seeds else 4)))
    for place, text in texts_of(tmp_path / "runs/small", tmp_path, study):
        assert text, place
        said = [text[max(0, hit.start() - 60) : hit.end() + 20] for hit in FORBIDDEN.finditer(text)]
        assert not said, (place, said)


def test_the_words_are_looked_for_where_a_reader_meets_them() -> None:
    assert FORBIDDEN.search('{"text":"← worse · change · better →"}')
