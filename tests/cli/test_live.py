"""A run on a real pseudo-terminal: what a person sees of it, and the state that it leaves the terminal in."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from made_runs import Planted, made_run
from screens import Screen, ablate_on_screen
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.cli.display.provisional import rows
from ablation.cli.display.so_far import SoFar, Told
from ablation.cli.display.tally import Scope, Tally
from ablation.study import Growing, Study
from ablation.study_page import page_of
from ablation.trial import Epoch, Outcome, Scores, Trial

LONG = SMALL.replace("epochs: 3", "epochs: 200")
COLOURS = re.compile(rb"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;[0-9;]+)m")
ROW = re.compile(
    r"(baseline|crop=shifted|flip=flipped) · seed block \d +(\d+)/200 +\d+\.\d\d% +\d:\d\d +\d+\.\d MB +\d\.\d{3}"
)
SCORES = Scores(loss=0.5, accuracy=0.8)


def test_a_run_is_a_table_that_moves_and_ends_in_lines(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(LONG.replace("seeds: 2", "seeds: 1"))
    with ablate_on_screen("run", "small.yaml", "--no-tracking", "--slots", "2", cwd=tmp_path) as screen:
        first = screen.until(ROW.search)
        assert screen.hides_cursor
        assert re.search(r"trial +epoch +validation accuracy +time left +memory +validation loss", first)
        assert "2 at a time on cpu, 1 thread each, their processes hold " in first
        epochs = {match[1]: int(match[2]) for match in ROW.finditer(first)}
        screen.until(lambda text: any(int(row[2]) > epochs.get(row[1], 99) for row in ROW.finditer(text)))
        screen.until(lambda text: re.search(r"[1-2] of 3 trials · \d:\d\d · about .* left", text))
        assert screen.end() == 0
        assert not screen.hides_cursor
        said = [line for line in screen.lines if re.match(r".* · seed block \d: test accuracy \d+\.\d\d%", line)]
        assert len(said) == 3
        assert re.search(r"\n3 of 3 trials · \d:\d\d\n", screen.text)
        assert "at a time on cpu, 1 thread" not in screen.text
        assert "report: runs/small/report.html" in screen.text.replace("\n", "")


def test_ctrl_c_in_a_narrow_window_that_changes_gives_the_terminal_back(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(LONG.replace("epochs: 200", "epochs: 400"))
    arguments = ("run", "small.yaml", "--no-tracking", "--slots", "2")
    with ablate_on_screen(*arguments, cwd=tmp_path, columns=40, rows=16, NO_COLOR="1") as screen:
        text = screen.until(lambda text: re.search(r"\S+…? +\d+/400 +\d+\.\d\d%\n", text))
        assert "memory" not in text
        assert "of 6 trials" in text
        for columns, rows in ((24, 8), (110, 30), (61, 12)):
            screen.resize(columns, rows)
            screen.until(lambda text, wide=columns >= 100: ("validation loss" in text) == wide and "/400" in text)
        screen.press(b"\x03")
        assert screen.end() == 130
        assert not screen.hides_cursor
        assert screen.lines[-1].endswith("run the same command again to go on.")
        assert not COLOURS.search(screen.raw)
    assert list((tmp_path / "runs/small/trials").glob("*/checkpoint-*"))


def test_a_second_ctrl_c_gives_the_terminal_back_too(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(LONG.replace("epochs: 200", "epochs: 400"))
    with ablate_on_screen("run", "small.yaml", "--no-tracking", cwd=tmp_path) as screen:
        screen.until(re.compile(r"[1-9]\d*/400").search)
        screen.press(b"\x03\x03")
        assert screen.end() == 130
        assert not screen.hides_cursor


def test_a_terminal_that_cannot_move_its_cursor_has_lines(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("seeds: 2", "seeds: 1"))
    with ablate_on_screen("run", "small.yaml", "--no-tracking", cwd=tmp_path, columns=200, TERM="dumb") as screen:
        assert screen.end() == 0
        assert b"\x1b" not in screen.raw
        assert screen.text.count("launched ") == 3
        ended = r"\[2/3\] .* · seed block 0: test accuracy \d+\.\d\d%, loss \d\.\d+"
        assert re.search(ended + r"; about \d+( to \d+)? seconds? left", screen.text)


AT_ONCE = """
import sys
from ablation.cli import main
from ablation.cli.display import so_far
so_far.SoFar.__init__.__defaults__ = (1e6,)  # not so seldom as a person may wait for
sys.argv = ["ablate", "run", "small.yaml", "--no-tracking", "--slots", "1"]
main()
"""


def test_findings_so_far_are_marked_and_draw_no_verdict(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(LONG)
    with Screen([sys.executable, "-c", AT_ONCE], tmp_path) as screen:
        text = screen.until(lambda text: re.search(r"(crop: shifted|flip: flipped) +[-+]", text))
        (heading,) = re.findall(r"So far, provisional, from \d trials?: .*", text)
        assert heading.endswith("estimates, no verdict before the plan is complete.")
        assert re.search(r"change of +by +seed blocks +95 % interval so far", text)
        assert re.search(r"[-+]\d+\.\d\d pp +1 of 2 +–", text)  # one seed block has no interval
        told = text[text.index("So far") :]
        assert not re.search(r"helps|hurts|equivalent|improves|better|worse|significant", told)
        screen.press(b"\x03")
        assert screen.end() == 130
        assert "So far" not in screen.text


def told(so_far: SoFar, ended: int) -> Told:
    deadline = time.monotonic() + 60
    while (found := so_far.look(ended)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_findings_so_far_are_those_of_the_report(tmp_path: Path, small_study: Study) -> None:
    study = small_study.model_copy(update={"seeds": 5})
    missing = {(arm.name, 4): "missing" for arm in designs.arms(study)}
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted": 0.5}, statuses=missing))
    so_far = SoFar(folder.path, share=1e6)
    found = told(so_far, 12)
    so_far.close()
    assert found.ended == 12
    (crop, flip) = found.rows
    assert (crop[0], flip[0]) == ("crop: shifted", "flip: flipped")
    assert [row[3:] for row in found.rows] == [["4 of 5", "provisional"]] * 2
    for row, finding in zip(found.rows, page_of(folder, print)[0].analysis.findings, strict=True):
        assert row[1] == f"{100 * finding.effect:+.2f} pp"
        assert row[2] == f"[{100 * finding.low:+.2f}, {100 * finding.high:+.2f}]"


def test_a_verdict_of_a_growing_plan_is_that_of_its_look(tmp_path: Path, small_study: Study) -> None:
    study = small_study.model_copy(update={"seeds": Growing(start=6, max=40), "margin": 0.005})
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted": 0.3}, blocks=range(6)))
    so_far = SoFar(folder.path, share=1e6)
    rows = {row[0]: row for row in told(so_far, 18).rows}
    so_far.close()
    assert rows["crop: shifted"][3:] == ["6 of at most 40", "hurts"]
    assert rows["flip: flipped"][4] == "provisional"


def test_a_main_effect_that_is_withheld_has_no_numbers(tmp_path: Path, write_study: StudyWriter) -> None:
    study = load(write_study(SMALL.replace("design: one-factor", "design: factorial").replace("seeds: 2", "seeds: 6")))
    folder = made_run(tmp_path / "run", study, Planted({"crop=shifted, flip=flipped": 0.95}))
    verdicts = {what: (change, verdict) for what, change, _, _, verdict in rows(folder.path)}
    assert verdicts["crop: shifted"] == verdicts["flip: flipped"] == ("", "withheld")
    change, verdict = verdicts["crop × flip: shifted × flipped"]
    assert (change[0], verdict) == ("+", "above the sum")


def test_what_cannot_be_analysed_is_no_findings_and_no_trouble(tmp_path: Path) -> None:
    so_far = SoFar(tmp_path, share=1e6)
    assert so_far.look(1) is None
    assert so_far._process is not None
    so_far._process.wait(60)
    assert so_far.look(1) is None
    so_far.close()


def test_they_are_looked_for_seldom_and_only_when_a_trial_has_ended(tmp_path: Path) -> None:
    seldom = SoFar(tmp_path)
    assert (seldom.look(5), seldom._process) == (None, None)
    often = SoFar(tmp_path, share=1e6)
    assert (often.look(0), often._process) == (None, None)


@pytest.fixture
def trials(small_study: Study) -> list[Trial]:
    return list(designs.planned_trials(small_study))


def epoch(number: int, seconds: float = 2.0) -> Epoch:
    return Epoch(epoch=number, train=SCORES, validation=SCORES, learning_rate=0.1, seconds=seconds, images_per_second=1)


def test_a_trial_that_goes_on_is_not_taken_to_have_trained_all_its_epochs_since(trials: list[Trial]) -> None:
    """It reports the epoch of its checkpoint at once: of three, two were trained before."""
    tally = Tally(Scope(planned=6, done=0, slots=1))
    tally.launched(trials[0])
    tally.reported(trials[0], epoch(2))
    running = tally.running[trials[0].id]
    assert running.left(running.heard) == pytest.approx(2.0)
    assert running.share(running.heard) == pytest.approx(2 / 3)
    assert running.share(running.heard + 1.0) == pytest.approx(2.5 / 3)
    assert running.left(running.heard + 60.0) == 0


def test_a_growing_plan_takes_at_most_so_long_and_at_least_until_its_next_look(
    monkeypatch: pytest.MonkeyPatch, trials: list[Trial]
) -> None:
    clock = [0.0]
    monkeypatch.setattr("ablation.cli.display.tally.time.monotonic", lambda: clock[0])
    needed = [(one.arm.name, one.block) for one in trials[:3]]
    tally = Tally(Scope(planned=60, done=0, slots=1, needed=lambda: needed))
    tally.launched(trials[0])
    clock[0] = 100.0
    tally.finished(trials[0], Outcome(status="complete"))
    left = tally.left(100.0)
    assert left is not None
    assert left[0] < 2 * 101 < 59 * 100 < left[1]
    assert re.fullmatch(r"about \d\.\d to at most \d\.\d hours left", tally.text(100.0))


def test_nothing_is_said_of_the_time_before_anything_is_known(trials: list[Trial]) -> None:
    tally = Tally(Scope(planned=6, done=0, slots=2))
    tally.launched(trials[0])
    assert tally.text(time.monotonic()) == "time left not known yet"
