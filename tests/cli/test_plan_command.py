"""What `ablate plan` says of contrasts, fractions and the seed blocks that an effect takes."""

import json
import math
from pathlib import Path

import pytest
from commands import ablate
from made_runs import Planted, made_run
from small_studies import SMALL, StudyWriter, load

from ablation.analysis.power import blocks_needed, detectable_effect
from ablation.cli.planning.rates import BETWEEN_TRIALS, ENDING, remember_cost
from ablation.designs import arms
from ablation.trial import Cost

FRACTION = (Path(__file__).parents[1] / "plans" / "fraction.yaml").read_text("utf-8")


def plan_of(cwd: Path, *arguments: str) -> dict:
    done = ablate("plan", *arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_contrast_has_its_detectable_effect_and_the_seed_blocks_it_takes(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study()
    plan = plan_of(tmp_path, "small.yaml", "--detect", "2pp")
    assert plan["spread"]["source"].startswith("assumed: 0.56 pp over seeds, as CIFAR-10 at 3 epochs (Jordan 2024)")
    sd = plan["spread"]["sd"]
    assert [one["factor"] for one in plan["contrasts"]] == ["crop", "flip"]
    for one in plan["contrasts"]:
        assert one["detectable_effect"] == pytest.approx(detectable_effect(2, 2, sd), rel=1e-3)
        assert one["seed_blocks_needed"] == blocks_needed(0.02, 2, sd)
        assert one["seconds_needed"] is None
    assert plan["detectable_effect"] == plan["contrasts"][0]["detectable_effect"]
    assert plan["detect"] == 0.02
    assert plan["fraction"] is None


def test_the_time_of_the_study_that_an_effect_takes_follows_from_what_a_trial_takes(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    study = load(write_study())
    for arm in arms(study):
        cost = Cost(seconds=10, images_per_second=1, parameters=1, peak_memory_bytes=1)
        remember_cost(arm, cost, tmp_path / "runs", 2)
    plan = plan_of(tmp_path, "small.yaml", "--detect", "2pp", "--slots", "2")
    first = plan["contrasts"][0]
    assert plan["estimated_seconds"] == pytest.approx((10 + BETWEEN_TRIALS) * 3 + ENDING)
    rounds = math.ceil(3 * first["seed_blocks_needed"] / 2)
    assert first["seconds_needed"] == pytest.approx((10 + BETWEEN_TRIALS) * rounds + ENDING)
    text = ablate("plan", "small.yaml", "--detect", "2pp", "--slots", "2", cwd=tmp_path).stdout
    assert "2.00 pp" in text
    assert "crop: shifted" in text


def test_what_the_study_has_measured_takes_the_place_of_what_was_published(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    study = load(write_study(SMALL.replace("seeds: 2", "seeds: 4")))
    made_run(tmp_path / "runs" / "small", study, Planted({"crop=shifted": 0.85}, sd=0.02))
    plan = plan_of(tmp_path, "runs/small")
    assert plan["spread"]["source"].startswith("measured: residuals of 4 seed blocks of this study; what pairing gains")
    assert "correlation between arms 0." in plan["spread"]["source"]
    assert plan["contrasts"][0]["detectable_effect"] == pytest.approx(
        detectable_effect(2, 4, plan["spread"]["sd"]), rel=1e-3
    )


def test_a_loss_has_no_spread_before_three_seed_blocks_and_then_its_own(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    study = load(write_study(SMALL.replace("seeds: 2", "seeds: 4\nmetric: loss")))
    before = plan_of(tmp_path, "small.yaml")
    assert (before["detectable_effect"], before["contrasts"], before["spread"]["sd"]) == (None, [], None)
    refused = ablate("plan", "small.yaml", "--detect", "0.02nats", cwd=tmp_path)
    assert refused.returncode == 2
    assert "known once 3 seed blocks have run" in refused.stderr
    made_run(tmp_path / "runs" / "small", study, Planted({}, sd=0.02))
    after = plan_of(tmp_path, "runs/small", "--detect", "0.02nats")
    assert after["detect"] == 0.02
    assert after["contrasts"][0]["seed_blocks_needed"] > 1


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        ("0.3", 'error: --detect "0.3": give a number and its unit, such as 0.3pp of accuracy.'),
        ("much", 'error: --detect "much": give a number and its unit, such as 0.3pp of accuracy.'),
        ("-0.3pp", 'error: --detect "-0.3pp": give a number and its unit, such as 0.3pp of accuracy.'),
        ("0.02nats", "the study's metric is accuracy; give pp, such as 0.3pp."),
        ("0pp", "no effect has this size; give something like 0.3pp."),
        ("101pp", "no effect has this size; give something like 0.3pp."),
        ("\x1b[31m1pp", "give a number and its unit"),
    ],
)
def test_an_effect_that_is_none_is_refused(effect: str, message: str, write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    done = ablate("plan", "small.yaml", f"--detect={effect}", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "\x1b" not in done.stderr


def test_a_search_has_nothing_to_detect(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("design: one-factor", "design: {kind: search, trials: 3}"))
    done = ablate("plan", "small.yaml", "--detect", "1pp", cwd=tmp_path)
    assert done.returncode == 2
    assert "--detect: a search gives no findings. Leave the option out." in done.stderr


def test_a_fraction_says_what_it_cannot_tell_apart(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(FRACTION)
    text = ablate("plan", "small.yaml", cwd=tmp_path).stdout
    assert "16 of 64 combinations, resolution IV. Defining relation: I = crop × flip × cutout × smoothing = " in text
    assert "  crop × flip = cutout × smoothing = brightness × momentum\n" in text
    assert "48 (fractional, 3 seed blocks)" in text
    fraction = plan_of(tmp_path, "small.yaml", "--set", "design.resolution=3")["fraction"]
    assert (fraction["resolution"], fraction["arms"], fraction["combinations"]) == (3, 8, 64)
    assert len(fraction["defining_relation"]) == 7
    assert ["crop", "-flip × brightness", "-cutout × smoothing"] in fraction["aliases"]


def test_where_no_part_has_the_resolution_the_plan_says_that_all_arms_are_run(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(SMALL.replace("design: one-factor", "design: fractional"))
    text = ablate("plan", "small.yaml", cwd=tmp_path).stdout
    assert "8 (fractional: no part of all combinations has resolution 5, so all are run, 2 seed blocks)" in text
    plan = plan_of(tmp_path, "small.yaml")
    assert (plan["fraction"], plan["design"]) == (None, "fractional")
    assert [one["factor"] for one in plan["contrasts"]] == ["crop", "flip", "crop × flip"]


def test_the_report_of_a_fraction_says_what_it_can_tell(write_study: StudyWriter, tmp_path: Path) -> None:
    study = load(write_study(FRACTION))
    planted = {arm.name: 0.85 for arm in arms(study) if arm.levels["crop"] == "shifted"}
    made_run(tmp_path / "runs" / "small", study, Planted(planted, sd=0.005))
    report = json.loads(ablate("report", "runs/small", "--json", cwd=tmp_path).stdout)
    found = {one["factor"]: one for one in report["findings"]}
    assert (found["crop"]["verdict"], found["crop"]["aliases"]) == ("helps", [])
    mixed = found["crop × flip + cutout × smoothing + brightness × momentum"]
    assert mixed["aliases"] == ["cutout × smoothing", "brightness × momentum"]
    assert "Screen only" in mixed["sentence"]
    page = (tmp_path / "runs/small/report.html").read_text("utf-8")
    assert "What the fraction can tell" in page
    assert "cutout × smoothing and brightness × momentum" in page
    assert 'id="interactions"' not in page
    words = (tmp_path / "runs/small/findings.md").read_text("utf-8")
    assert "- crop × flip = cutout × smoothing = brightness × momentum" in words


def test_a_finished_study_needs_no_more_disk(write_study: StudyWriter, tmp_path: Path) -> None:
    study = load(write_study())
    made_run(tmp_path / "runs" / "small", study, Planted({}))
    assert "disk: nothing: no trial is left to run" in ablate("plan", "runs/small", cwd=tmp_path).stdout
    assert plan_of(tmp_path, "runs/small")["disk_bytes"] == 0


def test_what_the_tests_for_unequal_noise_take_of_the_power_is_told(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    told = " ".join(ablate("plan", "small.yaml", cwd=tmp_path).stdout.split())
    assert "unequal noise before it leave about 61 % with 3, 71 % with 5, 77 % with 10 seed blocks" in told
    write_study(SMALL.replace("seeds: 2", "seeds: 20"))
    assert "unequal noise" not in ablate("plan", "small.yaml", cwd=tmp_path).stdout
