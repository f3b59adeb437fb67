"""Optimizers of torch and timm by name: theirs to the bit, resumable, grouped by the recipe, refused in words."""

import sys
from functools import partial

import pytest
import torch
from small_studies import SMALL, StudyWriter, load
from test_optimizers import check_that_it_resumes, small_net, train, weights_of
from torch import optim

from ablation import components
from ablation.errors import AblationError, ComponentError, InputError
from ablation.optimizers import timm
from ablation.optimizers import torch as of_torch
from ablation.preparation import ingredients_of
from ablation.settings import Part

SAMPLE = [
    *((of_torch, name, {}) for name in ("Adagrad", "RAdam", "NAdam", "Adadelta", "ASGD", "Rprop")),
    (of_torch, "Adamax", {"betas": [0.8, 0.9], "weight_decay": 0.1}),
    *((timm, name, {}) for name in ("lamb", "lion", "adan", "adopt", "novograd")),
    (timm, "sgdw", {"momentum": 0.8, "weight_decay": 0.1}),
    (timm, "cadamw", {"betas": [0.8, 0.9]}),
]
NAMES = [f"{library.__name__.rpartition('.')[2]}-{name}" for library, name, _ in SAMPLE]


def test_torchs_own_gives_the_same_bits() -> None:
    net, expected = small_net(), small_net()
    train(net, of_torch.build(net.parameters(), 0.01, optimizer="Adagrad", options={"lr_decay": 0.1, "eps": 1e-6}), 4)
    train(expected, optim.Adagrad(expected.parameters(), lr=0.01, lr_decay=0.1, eps=1e-6), 4)
    assert torch.equal(weights_of(net), weights_of(expected))


def test_timms_own_gives_the_same_bits() -> None:
    made = pytest.importorskip("timm.optim").create_optimizer_v2
    net, expected = small_net(), small_net()
    train(net, timm.build(net.parameters(), 0.01, optimizer="lamb", options={"weight_decay": 0.1}), 4)
    train(expected, made(list(expected.parameters()), opt="lamb", lr=0.01, weight_decay=0.1), 4)
    assert torch.equal(weights_of(net), weights_of(expected))


@pytest.mark.parametrize(("library", "name", "options"), SAMPLE, ids=NAMES)
def test_a_saved_state_goes_on_bit_equal(library, name: str, options: dict[str, object]) -> None:
    check_that_it_resumes(partial(library.build, optimizer=name, options=options))


@pytest.mark.parametrize(
    "optimizer", ["{name: torch, optimizer: NAdam, options: {weight_decay: 0.1}}",
                  "{name: timm, optimizer: lamb, options: {weight_decay: 0.1}}"]
)  # fmt: skip
def test_decay_of_biases_is_the_recipes(optimizer: str, write_study: StudyWriter) -> None:
    changes = f"optimizer: {optimizer}, decay_biases: false, precision:"
    settings = load(write_study(SMALL.replace("precision:", changes))).baseline
    model = components.load("model", "small")(3, 1, width=4)
    groups = ingredients_of(settings, model, 1).optimizer.param_groups
    assert [(group["weight_decay"], min(each.ndim for each in group["params"]) > 1) for group in groups] == [
        (0.1, True),
        (0.0, False),
    ]
    assert {each.ndim for each in groups[1]["params"]} == {1}


@pytest.mark.parametrize(
    ("library", "name", "options", "says"),
    [
        (of_torch, "Adagard", {}, r'torch has no optimizer "Adagard" among its \d+; the nearest names: Adagrad'),
        (of_torch, "adamax", {}, r'torch has no optimizer "adamax" among its \d+; the nearest names: Adamax'),
        (of_torch, "LBFGS", {}, r"torch \(LBFGS\) cannot be used here: it evaluates the model several times"),
        (of_torch, "SparseAdam", {}, "cannot be used here: it takes sparse gradients alone"),
        (of_torch, "Adagrad", {"lr_decy": 0.1},
         r'torch \(Adagrad\) has no option "lr_decy". Did you mean lr_decay\? Allowed: lr_decay, weight_decay, '
         "initial_accumulator_value, eps."),
        (of_torch, "Adagrad", {"lr": 0.1}, "has no option \"lr\".* The learning rate is that of the recipe."),
        (of_torch, "Adagrad", {"eps": -1.0}, r"torch \(Adagrad\) cannot be made with lr 0.01, eps -1.0 \(ValueError: "),
        (timm, "lamp", {}, r'timm has no optimizer "lamp" among its \d+; the nearest names: .*lamb'),
        (timm, "adahessian", {}, r"timm \(adahessian\) cannot be used here: it needs gradients of gradients"),
        (timm, "bnbadam", {}, "cannot be used here: it is bitsandbytes.optim.Adam of another package"),
        (timm, "kron", {}, "it draws from a generator that is in no checkpoint"),
        (timm, "lion", {"beta": 0.9}, r'timm \(lion\) has no option "beta". Did you mean betas\?'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told(library, name: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        library.build(small_net().parameters(), 0.01, optimizer=name, options=options)


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm.optim", None)
    with pytest.raises(AblationError, match=r"optimizer timm needs the package timm .*ablation-harness\[timm\]"):
        timm.build(small_net().parameters(), 0.01)


def test_options_are_checked_as_a_mapping_before_anything_is_built() -> None:
    part = components.complete("optimizer", Part(name="torch", choices={"options": {"betas": [0.9, 0.99], "eps": 1}}))
    assert part.choices == {"optimizer": "Adagrad", "options": {"betas": [0.9, 0.99], "eps": 1}}
    with pytest.raises(ComponentError, match="options must be a mapping, not 3"):
        components.complete("optimizer", Part(name="torch", choices={"options": 3}))
    (choice,) = [each for each in components.describe("optimizer", "torch").choices if each.name == "options"]
    assert choice.values.startswith("mapping of names to true or false or integer or number or text")
