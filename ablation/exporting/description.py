"""What a model file says of itself, the same in every format. Loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError

from ablation.errors import InputError
from ablation.settings import Count, Frozen, Part
from ablation.trial import Said

Format = Literal["safetensors", "pt2", "onnx"]
FORMATS: tuple[Format, ...] = get_args(Format)

KEY = "ablation"
"""The entry of a file's metadata that holds the description."""

INPUT, OUTPUT = "images", "probabilities"
"""What the one input and the one output are called where a format names them."""


class Description(Frozen):
    """What is needed to use a model, and to rebuild one from its tensors."""

    version: Literal[1] = 1
    study: Said
    digest: str
    trial: Said
    arm: Said
    seed_block: int
    classes: Annotated[tuple[Said, ...], Field(min_length=1)]
    channels: Count
    height: Count
    width: Count
    model: Part
    preprocessing: tuple[Part, ...] | None
    """Steps that need no training images; None where a step does not say what it took from them."""
    mirrored: bool = False
    """Whether it looks at each image and at its mirror image, as it was scored."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Of the packages that the trial ran on."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image."""
        return self.channels, self.height, self.width

    @property
    def outsiders(self) -> tuple[str, ...]:
        """The dotted names of components from outside the package."""
        names = {part.name for part in (self.model, *(self.preprocessing or ()))}
        return tuple(sorted(name for name in names if "." in name))


def read_description(text: str | None, path: Path) -> Description:
    """What the file says of itself.

    Raises:
        InputError: it says nothing, or what another version of the package wrote.
    """
    if not text:
        raise InputError(f"{path} does not say what it is: it was not written by `ablate export`.")
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        raise InputError(
            f"{path} describes itself in another way ({error.error_count()} problems): another version of the package "
            "wrote it. Export the trial again."
        ) from error
