"""The model card beside an exported model, under the headings of Hugging Face's cards; pure text from what is known."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ablation.exporting import evidence
from ablation.exporting.description import INPUT, OUTPUT
from ablation.exporting.facts import Facts, part_text, parts_text, table
from ablation.visible import in_markdown, visible


def card(facts: Facts) -> str:
    """The whole text."""
    sections = {
        "": _introduction,
        "Model details": _details,
        "How to get started with the model": _started,
        "Training details": _training,
        "Evaluation": evidence.evaluation,
        "Parity": evidence.parity,
        "Bias, risks, and limitations": evidence.limits,
        "Technical specifications": evidence.provenance,
    }
    texts = [_front_matter(facts)]
    for heading, lines in sections.items():
        texts.append("\n".join([*([f"## {heading}"] if heading else []), *lines(facts)]))
    return "\n\n".join(texts) + "\n"


def _front_matter(facts: Facts) -> str:
    """YAML, each value as JSON, which YAML takes letter by letter."""
    data = facts.record.trial.arm.settings.dataset.name
    name = _name(facts)
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"type": data, "name": data, "split": facts.split},
        "metrics": [
            {"type": "accuracy", "value": facts.scores.accuracy},
            {"type": "loss", "name": "cross-entropy in nats", "value": facts.scores.loss},
        ],
    }
    entries = {
        "library_name": {"safetensors": "ablation-harness", "pt2": "pytorch", "onnx": "onnx"}[facts.to],
        "pipeline_tag": "image-classification",
        "tags": ["ablation-harness", facts.to],
        "datasets": [data],
        "metrics": ["accuracy"],
        "model-index": [{"name": name, "results": [result]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=True)}" for key, value in entries.items()]
    return "\n".join(["---", *lines, "---"])


def _name(facts: Facts) -> str:
    return visible(f"{facts.begun.study.folder_name} {facts.record.trial.id}")


def _introduction(facts: Facts) -> Iterator[str]:
    settings, trial = facts.record.trial.arm.settings, facts.record.trial
    yield f"# {in_markdown(_name(facts))}"
    yield (
        f"An image classifier, {part_text(settings.model)}, trained on {part_text(settings.dataset)}. It is one trial "
        f"of the study {in_markdown(facts.begun.study.folder_name)}: the arm {in_markdown(trial.arm.name)} in seed "
        f"block {trial.block}. The study asked: {in_markdown(facts.begun.study.question)}"
    )


def _details(facts: Facts) -> Iterator[str]:
    said, cost = facts.description, facts.outcome.cost
    colours = {1: ", grey", 3: ", in the order red, green, blue"}.get(said.channels, "")
    shape = f"N x {said.channels} x {said.height} x {said.width}"
    yield from table(
        ("file", f"`{facts.file}`, {facts.size:,} bytes, sha256 `{facts.sha256}`"),
        ("architecture", part_text(facts.record.trial.arm.settings.model)),
        ("parameters", f"{cost.parameters:,}" if cost else "not recorded"),
        ("input", f"`{INPUT}`: uint8, {shape}, 0 to 255{colours}; any number of images N"),
        ("output", f"`{OUTPUT}`: float32, N x {len(said.classes)}, each row adds up to 1"),
        ("classes", ", ".join(f"{at}: {in_markdown(name)}" for at, name in enumerate(said.classes))),
        ("arithmetic", "float32"),
    )
    yield ""
    yield "Preprocessing is inside: do not scale or normalise the images. Those of another size have to be resized."


def _started(facts: Facts) -> Iterator[str]:
    shape = "x".join(map(str, ("N", *facts.description.shape)))
    yield "```python"
    match facts.to:
        case "safetensors":
            yield "from ablation.exporting import open_model"
            yield f'model = open_model("{facts.file}").load()'
            yield f"probabilities = model(images)  # numpy.uint8, {shape}"
        case "pt2":
            yield "import torch"
            yield f'model = torch.export.load("{facts.file}").module()'
            yield f"probabilities = model(images)  # torch.uint8, {shape}"
        case "onnx":
            yield "import onnxruntime"
            yield f'model = onnxruntime.InferenceSession("{facts.file}")'
            yield f'(probabilities,) = model.run(["{OUTPUT}"], {{"{INPUT}": images}})  # numpy.uint8, {shape}'
    yield "```"
    yield f"Or of image files: `ablate predict {facts.file} image.png`."
    if facts.to == "pt2":
        yield (
            "`torch.export.load` runs what a file tells it to: use it on files that you trust. `ablate predict` first "
            "looks at what is inside."
        )
    if facts.to == "safetensors" and (outsiders := facts.description.outsiders):
        yield f"It takes code from outside the package: {', '.join(f'`{name}`' for name in outsiders)}."


def _training(facts: Facts) -> Iterator[str]:
    settings = facts.record.trial.arm.settings
    recipe = settings.recipe
    counts = ", ".join(f"{count:,} {name}" for name, count in facts.sizes.items())
    stamp = facts.outcome.stamp
    print_of_it = f" Fingerprint of its content: `{stamp.data_fingerprint}`." if stamp else ""
    yield f"Data set: {part_text(settings.dataset)}; images: {counts}.{print_of_it}"
    yield ""
    inside = facts.description.preprocessing
    yield from table(
        ("preprocessing", parts_text(settings.preprocessing)),
        ("the same as numbers", parts_text(inside) if inside is not None else "only in the model"),
        ("augmentations", parts_text(settings.augmentations)),
        ("epochs, batch size", f"{recipe.epochs}, {recipe.batch_size}"),
        ("optimizer", part_text(recipe.optimizer)),
        ("peak learning rate", f"{recipe.learning_rate:g}"),
        ("schedule", part_text(recipe.schedule)),
        ("label smoothing", f"{recipe.label_smoothing:g}"),
        ("precision", recipe.precision),
    )
