"""One study of data whose truth is planted, through the real command, from images to findings."""

from pathlib import Path

import planted
from commands import ablate

from ablation.findings import Analysis


def test_planted_effects_are_found_and_nothing_else(tmp_path: Path) -> None:
    """`benchmarks/planted.py` does the same with ten data seeds."""
    seed = f"dataset.seed={planted.DATA_SEEDS[0]}"
    done = ablate("run", str(planted.STUDY), "--set", seed, "--slots", "2", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    analysis = Analysis.model_validate_json((tmp_path / "runs" / "planted" / "findings.json").read_text("utf-8"))
    told = {finding.factor: finding.verdict for finding in analysis.findings}
    assert told == {"shift": "helps", "mirror": "hurts", "brightness": "inconclusive"}
    assert planted.is_right(analysis)
    assert {arm.outcomes["complete"] for arm in analysis.arms} == {8}
