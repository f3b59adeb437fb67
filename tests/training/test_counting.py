import pytest
import torch
from torch import nn

from ablation import components
from ablation.training.counting import count_parameters


@pytest.mark.parametrize("name", components.names("model"))
def test_as_many_as_the_model_has(name: str) -> None:
    build = components.load("model", name)
    made = sum(parameter.numel() for parameter in build(10, 3).parameters())
    assert count_parameters(lambda: build(10, 3)) == made > 1000


def test_nothing_is_drawn_and_no_memory_taken() -> None:
    before = torch.get_rng_state()
    assert count_parameters(lambda: nn.Linear(10**6, 10**6)) == 10**12 + 10**6
    assert torch.equal(torch.get_rng_state(), before)
