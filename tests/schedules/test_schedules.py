import pytest
import torch
from torch.optim import SGD, lr_scheduler

from ablation.errors import InputError
from ablation.schedules import constant, cosine, one_cycle, step

STEPS = 40

SCHEDULES = {
    "constant": constant.build(),
    "one_cycle": one_cycle.build(),
    "one_cycle linear": one_cycle.build(warmup=0.0, initial=0.1, final=0.0, shape="linear"),
    "cosine": cosine.build(),
    "cosine with warm-up": cosine.build(warmup=0.2, final=0.1),
    "step": step.build(),
}


def torchs_factors(make_scheduler, peak: float = 0.1) -> list[float]:
    """The learning rates of `STEPS` steps under one of torch's schedulers, as factors on the peak."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    scheduler = make_scheduler(optimizer)
    factors = []
    for _ in range(STEPS):
        factors.append(optimizer.param_groups[0]["lr"] / peak)
        optimizer.step()
        scheduler.step() if len(factors) < STEPS else None
    return factors


@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_one_cycle_is_torchs(shape) -> None:
    """torch counts steps from 0 to the last; its warm-up of 30 % ends at step 0.3 * 40 - 1 of 39."""
    anneal = {"cosine": "cos", "linear": "linear"}[shape]
    expected = torchs_factors(
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, STEPS, anneal_strategy=anneal, cycle_momentum=False)
    )
    factor = one_cycle.build(warmup=11 / 39, shape=shape)
    assert [factor(number / 39) for number in range(STEPS)] == pytest.approx(expected)


def test_cosine_is_torchs() -> None:
    expected = torchs_factors(lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.02))
    factor = cosine.build(final=0.2)
    assert [factor(number / STEPS) for number in range(STEPS)] == pytest.approx(expected)


def test_cosine_warms_up_linearly_to_the_peak_and_anneals_the_rest() -> None:
    factor = cosine.build(warmup=0.2)
    assert [factor(share) for share in (0.0, 0.05, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0, 0.25, 0.5, 1, 0.5, 0])


def test_step_is_torchs() -> None:
    expected = torchs_factors(lambda o: lr_scheduler.MultiStepLR(o, [12, 28, 36], gamma=0.2))
    factor = step.build(milestones=[0.3, 0.7, 0.9], gamma=0.2)
    assert [factor(number / STEPS) for number in range(STEPS)] == pytest.approx(expected)


def test_step_drops_at_half_and_three_quarters_by_default() -> None:
    factor = step.build()
    assert [factor(share) for share in (0.0, 0.49, 0.5, 0.74, 0.75, 1.0)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_constant_is_constant() -> None:
    assert {constant.build()(number / STEPS) for number in range(STEPS + 1)} == {1.0}


@pytest.mark.parametrize("factor", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_factors_stay_within_the_peak_and_reach_it(factor) -> None:
    factors = [factor(number / 1000) for number in range(1001)]
    assert all(0 <= value <= 1 for value in factors)
    assert max(factors) == pytest.approx(1)
    assert factors == [factor(number / 1000) for number in range(1001)]


@pytest.mark.parametrize("milestones", [[0.0], [1.0], [0.7, 0.3], [0.5, 0.5], [30.0, 60.0]])
def test_milestones_that_are_no_rising_shares_are_refused(milestones) -> None:
    with pytest.raises(InputError, match="must rise and lie between 0 and 1"):
        step.build(milestones=milestones)
