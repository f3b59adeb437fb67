"""Code from outside the package: a study file may name it, and whoever runs the study is told before it is imported."""

from __future__ import annotations

from collections.abc import Sequence

from ablation import designs
from ablation.cli.terminal import say
from ablation.study import Search, Study


def name_outsiders(study: Study) -> None:
    """Say which code from outside the package is about to run."""
    say_outsiders(outsiders(study))


def say_outsiders(names: Sequence[str]) -> None:
    """The same of these names."""
    if names:
        say(f"runs code from outside the package: {', '.join(names)}")


def outsiders(study: Study) -> tuple[str, ...]:
    """The dotted names of a study, whichever arm they belong to. Nothing is imported for this."""
    names = {part.name for arm in designs.first_arms(study) for part in arm.settings.parts()}
    names |= {part.name for part in study.metrics}
    if isinstance(study.design, Search):
        names.add(study.design.sampler)
    return tuple(sorted(name for name in names if "." in name))
