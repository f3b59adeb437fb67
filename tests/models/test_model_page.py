"""The page that says what each model is holds for the models that there are."""

from functools import partial

import pytest
from markdown import code, rows, section
from source_tree import ROOT

from ablation import components
from ablation.training.counting import count_parameters

PAGE = ROOT / "docs" / "how-to" / "models.md"
ROWS = {name: cells for cells in rows(section(PAGE, "## The models")) for name in code(cells[0])}


def test_every_model_has_a_row() -> None:
    assert sorted(ROWS) == sorted(components.names("model"))


@pytest.mark.parametrize("name", [name for name in ROWS if name not in {"timm", "torchvision"}])
def test_models_have_as_many_weights_as_the_page_says(name) -> None:
    count = count_parameters(partial(components.load("model", name), 10, 3))
    assert f"{count / 1e6:.2f}" == ROWS[name][2]
