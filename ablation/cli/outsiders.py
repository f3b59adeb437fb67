"""Code from outside the package: a study file may name it, and whoever runs the study is told before it is imported."""

from __future__ import annotations

from ablation import conditions, designs
from ablation.cli.terminal import say
from ablation.study import LevelsFactor, Search, Study


def name_outsiders(study: Study) -> None:
    """Say which code from outside the package is about to run."""
    if found := outsiders(study):
        say(f"runs code from outside the package: {', '.join(found)}")


def outsiders(study: Study) -> tuple[str, ...]:
    """The dotted names of a study, whichever arm they belong to. Nothing is imported for this."""
    settings = [arm.settings for arm in designs.arms(study)]
    names = set()
    if isinstance(study.design, Search):
        names.add(study.design.sampler)
        # A search draws its arms later; each level of each factor is looked at, where its conditions hold.
        settings += [
            designs.arm_of(study, {**next(conditions.contexts(study.factors, name)), name: level}).settings
            for name, factor in study.factors.items()
            if isinstance(factor, LevelsFactor)
            for level in factor.levels
        ]
    names |= {part.name for each in settings for part in each.parts()}
    return tuple(sorted(name for name in names if "." in name))
