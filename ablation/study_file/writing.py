"""From a `Study` back to the text of a study file that says the same, for studies that a command makes."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ablation.patches import Form, form_of
from ablation.study import LevelsFactor, Study

_WORDS = re.compile(r"[A-Za-z][A-Za-z _./()=+-]*")
"""What is never anything but text; the rest is quoted, since readers differ (`1e-3`, `012`, `0x1`)."""


def text_of(study: Study) -> str:
    """A study file of one scale, all defaults written out. It holds no `first_block`, which is no key of a file."""
    form: Form = {"question": study.question, **form_of(study.baseline)}
    form["factors"] = {name: _factor(factor) for name, factor in study.factors.items()}
    data = study.model_dump(mode="json")
    form |= {key: data[key] for key in ("design", "seeds", "metric", "evaluate_on", "margin", "execution", "tracking")}
    return yaml.dump(form, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _factor(factor: Any) -> Form:
    data: Form = factor.model_dump(mode="json")
    if not factor.when:
        del data["when"]
    return data["levels"] if isinstance(factor, LevelsFactor) and _is_short(data) else data


def _is_short(data: Form) -> bool:
    """Whether the levels alone cannot be taken for the long form."""
    return "when" not in data and not {"levels", "sets", "range"} & data["levels"].keys()


def _represent_text(dumper: yaml.representer.BaseRepresenter, text: str) -> yaml.Node:
    style = None if _WORDS.fullmatch(text) and text == text.strip() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _Dumper(yaml.SafeDumper):
    """Quotes what readers may differ on, and writes no aliases, which study files do not have."""

    yaml_representers = {**yaml.SafeDumper.yaml_representers, str: _represent_text}  # noqa: RUF012 - as PyYAML has it

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - whatever it is
        return True
