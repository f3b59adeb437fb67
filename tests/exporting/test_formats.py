"""Models of every kind and every way of preparing images of the package, through every format."""

from pathlib import Path

import numpy as np
import pytest
import torch
from exported import FORMATS

from ablation import components
from ablation.errors import InputError
from ablation.exporting import open_model
from ablation.exporting.classifier import Classifier, without_images
from ablation.exporting.description import Description
from ablation.settings import Part
from ablation.training.data import chained

MODELS = [
    Part(name="small", choices={"width": 4, "dropout": 0.5}),
    Part(name="resnet", choices={"depth": 20}),
    Part(name="resnet", choices={"depth": 20, "shortcut": "B"}),
    Part(name="vgg", choices={"depth": 11}),
    Part(name="vit", choices={"depth": 2, "width": 48, "position": "learned", "pooling": "class_token"}),
    Part(name="mlp", choices={"width": 16}),
]
STEPS = [
    (),
    (Part(name="normalize", choices={"statistics": "dataset"}),),
    (Part(name="normalize", choices={"statistics": "image"}),),
    (Part(name="normalize", choices={"statistics": "given", "mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 0.5]}),),
]
IMAGES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 3, 32, 32), dtype=np.uint8))


def made(model: Part, steps: tuple[Part, ...]) -> tuple[Classifier, Description]:
    model = components.complete("model", model)
    steps = tuple(components.complete("preprocessing", step) for step in steps)
    torch.manual_seed(0)
    net = components.load("model", model.name)(5, 3, **model.choices)
    with torch.no_grad():
        net.train()(IMAGES.float() / 255)  # batch normalisation has seen something
    transform = chained([components.load("preprocessing", step.name)(**step.choices)(IMAGES) for step in steps])
    description = Description(
        study="s", digest="d", trial="t", arm="a", seed_block=0, classes=tuple("abcde"),
        channels=3, height=32, width=32, model=model, preprocessing=without_images(steps, IMAGES),
    )  # fmt: skip
    return Classifier(net, transform), description


def through(to: str, classifier: Classifier, description: Description, folder: Path) -> np.ndarray:
    match to:
        case "safetensors":
            from ablation.exporting.as_safetensors import write
        case "pt2":
            from ablation.exporting.as_pt2 import write
        case "onnx":
            from ablation.exporting.as_onnx import write
    (folder / f"model.{to}").write_bytes(write(classifier, description))
    step = 32 // description.height
    return open_model(folder / f"model.{to}").load()(IMAGES[:, :, ::step, ::step].contiguous().numpy())


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    ("model", "steps"),
    list(zip(MODELS, (*STEPS, (), ()), strict=True)),
    ids=["small", "resnet A, dataset", "resnet B, image", "vgg, given", "vit", "mlp"],
)
def test_a_file_gives_what_the_model_gives(to: str, model: Part, steps: tuple[Part, ...], tmp_path: Path) -> None:
    classifier, description = made(model, steps)
    assert through(to, classifier, description, tmp_path) == pytest.approx(classifier(IMAGES).numpy(), abs=1e-5)


@pytest.mark.parametrize("to", FORMATS)
def test_a_model_that_was_scored_over_mirror_images_looks_at_them_too(to: str, tmp_path: Path) -> None:
    plain, description = made(MODELS[0], STEPS[1])
    mirrored = Classifier(plain.net, plain.transform, mirrored=True)
    given = through(to, mirrored, description.model_copy(update={"mirrored": True}), tmp_path)
    assert given == pytest.approx(mirrored(IMAGES).numpy(), abs=1e-5)
    assert given == pytest.approx(mirrored(IMAGES.flip(3)).numpy(), abs=1e-5)
    assert not torch.allclose(plain(IMAGES), plain(IMAGES.flip(3)), atol=1e-3)


@pytest.mark.parametrize("to", FORMATS[1:])
def test_a_whitened_model_has_the_matrix_inside(to: str, tmp_path: Path) -> None:
    small = IMAGES[:, :, ::4, ::4]
    net, description = made(MODELS[0], ())
    classifier = Classifier(net.net, components.load("preprocessing", "whiten")()(small))
    described = description.model_copy(update={"height": 8, "width": 8, "preprocessing": None})
    given = through(to, classifier, described, tmp_path)
    assert given == pytest.approx(classifier(small).numpy(), abs=1e-5)


@pytest.mark.parametrize("steps", STEPS[1:], ids=["dataset", "image", "given"])
def test_a_step_without_training_images_does_the_same_bit_for_bit(steps: tuple[Part, ...]) -> None:
    _, description = made(MODELS[0], steps)
    none, floats = IMAGES[:0], IMAGES.float() / 255
    (fixed,) = description.preprocessing
    before = components.load("preprocessing", steps[0].name)(**steps[0].choices)(IMAGES)
    after = components.load("preprocessing", fixed.name)(**fixed.choices)(none)
    assert torch.equal(before(floats), after(floats))


def test_a_channel_without_contrast_is_written_too() -> None:
    even = torch.full_like(IMAGES, 7)
    (fixed,) = without_images((components.complete("preprocessing", STEPS[1][0]),), even)
    assert fixed.choices["std"] == [1.0, 1.0, 1.0]


class Counts(torch.nn.Module):
    """Looks at the values of the images, as no graph can."""

    def forward(self, images):
        return images.flatten(1)[:, : 5 if images.sum() > 0 else 4]


@pytest.mark.parametrize("to", FORMATS[1:])
def test_a_model_that_is_no_graph_is_refused_with_a_way_out(to: str, tmp_path: Path) -> None:
    _, description = made(MODELS[0], ())
    with pytest.raises(InputError, match="--to safetensors takes any model"):
        through(to, Classifier(Counts(), chained([])), description, tmp_path)


def test_tensors_that_two_layers_share_stay_equal(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from ablation.exporting.as_safetensors import write

    _, description = made(MODELS[0], ())
    layer = torch.nn.Linear(3, 3)
    content = write(Classifier(torch.nn.Sequential(layer, layer), chained([])), description)
    (tmp_path / "x.safetensors").write_bytes(content)
    tensors = load_file(tmp_path / "x.safetensors")
    assert torch.equal(tensors["0.weight"], tensors["1.weight"])
