"""What a finding says of training time: a ratio within seed blocks, or that none is clear."""

from dataclasses import replace

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.findings import Finding


def timed(seconds: list[list[float]]) -> Finding:
    """The finding of two arms whose trials took so long; one row an arm."""
    table = made_table(noise(2, len(seconds[0])), {"part": ["with", "without"]})
    frame = table.frame.assign(seconds=np.array(seconds).ravel())
    (finding,) = analyse(replace(table, frame=frame)).findings
    return finding


def test_a_machine_that_slows_down_moves_no_ratio() -> None:
    """Every later block takes longer, in both arms alike: only the ratio within blocks is the arm's own."""
    finding = timed([[10, 12, 20, 40], [8, 9.6, 16, 32]])
    assert finding.seconds is not None
    assert finding.seconds.value == pytest.approx(0.8)
    assert "at -20 % training time" in finding.sentence


def test_a_difference_within_the_noise_is_not_told_as_one() -> None:
    finding = timed([[10, 11, 14, 9], [11, 9, 10, 10]])
    assert finding.seconds is not None
    assert finding.seconds.low < 1 < finding.seconds.high
    assert "at no clear difference in training time" in finding.sentence


def test_one_block_says_nothing_of_time() -> None:
    finding = timed([[10], [20]])
    assert finding.seconds is None
    assert "training time not compared" in finding.sentence
