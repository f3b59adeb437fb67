"""The scale of a study and why it is that one."""

import pytest
from small_studies import SMALL, StudyWriter

from ablation.cli.locate import Wanted, locate

LAPTOP = SMALL + "scales: {laptop: {seeds: 3}}\n"


@pytest.mark.parametrize(
    ("text", "said", "accelerator", "scale", "reason"),
    [
        (LAPTOP, {}, True, "full", "chosen since an accelerator was found"),
        (LAPTOP, {}, False, "laptop", "chosen since no accelerator was found"),
        (LAPTOP, {"device": "cpu"}, True, "laptop", "chosen for --device cpu"),
        (LAPTOP, {"scale": "full"}, False, "full", "asked for with --scale"),
        (SMALL, {}, False, "full", "the study file has no scale laptop"),
    ],
)
def test_the_scale_follows_the_machine_and_says_why(
    write_study: StudyWriter, text: str, said: dict[str, str], accelerator: bool, scale: str, reason: str
) -> None:
    path = write_study(text)
    located = locate(Wanted(path, path.parent / "runs", **said), lambda: accelerator)  # type: ignore[arg-type]
    assert (located.study.scale, located.scale_reason) == (scale, reason)
