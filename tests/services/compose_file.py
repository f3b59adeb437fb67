"""docker-compose.yml as Docker reads it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from source_tree import ROOT

FILE = ROOT / "docker-compose.yml"
OWNER = {"ABLATE_UID": "1000", "ABLATE_GID": "1000"}
"""What `ablate up --init` writes into .env."""

_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


class MissingError(Exception):
    """A variable that must be set is not: the message of the compose file."""


def load(environment: Mapping[str, str] = OWNER) -> dict[str, Any]:
    """The file with the variables of an environment."""
    found: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text("utf-8")), environment)
    return found


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, environment) for inner in value]
    return _VARIABLE.sub(lambda found: _value(found, environment), value) if isinstance(value, str) else value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    dollar, name, kind, rest = found.groups()
    if dollar:
        return "$"
    if given := environment.get(name):
        return given
    if kind == "-":
        return str(rest)
    raise MissingError(rest or name)
