"""When B falls short: both sides of the threshold, for each metric and each kind of evidence."""

import numpy as np
import pytest
from scipy import stats

from ablation.analysis.compared import Compared, ComparedSide, MetricDifference
from ablation.analysis.images import over_images
from ablation.analysis.regression import Threshold, judge, parse_threshold, regression_text
from ablation.errors import InputError
from ablation.findings import ImageEffect

SIDE = ComparedSide(
    label="x", study="s", folder="runs/s", arm="x", trial=None, seed_blocks=(0, 1, 2), accuracy=0.9, loss=0.3,
    seconds=None, parameters=None,
)  # fmt: skip


def compared(
    accuracy: tuple[float, ...], loss: tuple[float, ...] = (0.0,), images: ImageEffect | None = None
) -> Compared:
    """Effect and one-sided bounds of each metric; with `images` two trials."""
    side = SIDE.model_copy(update={"trial": "t" if images else None})
    found = {
        name: MetricDifference(**dict(zip(("effect", "at_least", "at_most"), values, strict=False)))
        for name, values in (("accuracy", accuracy), ("loss", loss))
    }
    return Compared(
        a=side, b=side, split="test", metric="accuracy", paired=True, method="", sentence="", **found, seconds=None,
        cost_note="", parameters=None, classes=(), images=images, images_note="", mcnemar=None, disagreements=(),
        differences=(), notes=(), looked_at=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "metric", "size"),
    [
        ("0.5pp", "accuracy", 0.005),
        ("1 pp", "accuracy", 0.01),
        (".25PP", "accuracy", 0.0025),
        ("0.02nats", "loss", 0.02),
        ("0pp", "accuracy", 0),
    ],
)
def test_a_threshold_is_a_number_with_its_unit(text: str, metric: str, size: float) -> None:
    assert parse_threshold(text) == Threshold(metric, pytest.approx(size))


@pytest.mark.parametrize(
    "text", ["0.5", "pp", "", "-1pp", "0.5%", "1e-3pp", "nanpp", "infnats", "0.5pp\x1b[31m", "101pp"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="--fail-on-regression") as refused:
        parse_threshold(text)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("accuracy", "size", "state"),
    [
        ((-0.012, -0.018, -0.006), 0.005, "regression"),  # worse by 0.6 pp at the least
        ((-0.011, -0.018, -0.004), 0.005, "undecided"),  # worse, and perhaps by less
        ((-0.011, -0.018, -0.004), 0.0, "regression"),
        ((-0.001, -0.004, 0.002), 0.005, "none"),  # worse by 0.4 pp at the most
        ((-0.001, -0.005, 0.003), 0.005, "undecided"),  # just that may be
        ((-0.001, -0.004, 0.002), 0.0, "undecided"),
        ((0.02, 0.01, 0.03), 0.0, "none"),
        ((0.0, 0.0, 0.0), 0.0, "none"),  # bit-equal
        ((-0.005, -0.005, -0.005), 0.005, "regression"),  # the same in every block, and just that much
    ],
)
def test_accuracy_is_judged_by_its_one_sided_bounds(accuracy: tuple[float, ...], size: float, state: str) -> None:
    found = judge(compared(accuracy), Threshold("accuracy", size))
    assert found.state == state
    assert (found.shortfall, found.at_least, found.at_most) == (-accuracy[0], -accuracy[2], -accuracy[1])


@pytest.mark.parametrize(
    ("loss", "state"),
    [((0.03, 0.02, 0.04), "regression"), ((0.03, 0.015, 0.045), "undecided"), ((-0.03, -0.04, -0.02), "none")],
)
def test_more_loss_is_worse(loss: tuple[float, ...], state: str) -> None:
    assert judge(compared((0.0,), loss), Threshold("loss", 0.02)).state == state


def test_two_trials_are_judged_over_their_images() -> None:
    values = np.array([-1.0] * 60 + [1.0] * 10 + [0.0] * 930)
    found = judge(compared((-0.05,), images=over_images(values, 1)), Threshold("accuracy", 0.03))
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.90)
    assert (found.evidence, found.state) == ("images", "regression")
    assert (found.at_least, found.at_most) == pytest.approx((-interval.high, -interval.low))


def test_without_bounds_there_is_no_judgement() -> None:
    with pytest.raises(InputError, match="at least two seed blocks on both sides"):
        judge(compared((-0.2,)), Threshold("accuracy", 0.005))
    with pytest.raises(InputError, match="images nothing of loss"):
        judge(compared((-0.2,), (0.3,), over_images(np.array([0.0, 1.0]), 1)), Threshold("loss", 0.005))


def test_false_alarms_are_at_most_five_in_a_hundred() -> None:
    """B falls short by just the threshold: with five blocks it is called a regression 5 % of the time."""
    draws = np.random.default_rng(3).normal(-0.005, 0.004, (4000, 5))
    reach = stats.t.ppf(0.95, 4) * draws.std(axis=1, ddof=1) / np.sqrt(5)
    called = [
        judge(compared((mean, mean - half, mean + half)), Threshold("accuracy", 0.005)).state == "regression"
        for mean, half in zip(draws.mean(axis=1), reach, strict=True)
    ]
    assert np.mean(called) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 4000))


@pytest.mark.parametrize(
    ("accuracy", "size", "words"),
    [
        (
            (-0.012, -0.018, -0.006),
            0.005,
            "regression: the accuracy of B is lower by at least 0.50 pp. It is lower by 1.20 pp; ",
        ),
        ((-0.001, -0.004, 0.002), 0.005, "no regression: the accuracy of B is not lower by at least 0.50 pp."),
        (
            (-0.001, -0.004, 0.002),
            0.0,
            "undecided: these seed blocks neither show nor exclude that the accuracy of B is lower.",
        ),
    ],
)
def test_the_judgement_is_told_with_its_numbers(accuracy: tuple[float, ...], size: float, words: str) -> None:
    text = regression_text(judge(compared(accuracy), Threshold("accuracy", size)))
    assert text.startswith(words)
    assert "one-sided 95 % bounds over the seed blocks" in text
