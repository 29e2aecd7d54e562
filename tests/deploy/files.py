"""The files under deploy/ as the programs that read them see them: parsed, and with their variables filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

yaml: Any = pytest.importorskip("yaml", reason="comes with the documentation's tools")

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
COLLECTORS = ("collector-single.yaml", "collector-gateway.yaml", "collector-sampling.yaml")

_VARIABLE = re.compile(r"\$\{env:(\w+)(?::-(.*?))?\}")
_COMPOSE_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::-(.*?))?\}")


def example_environment() -> dict[str, str]:
    """What .env.example sets."""
    lines = (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables_of(name: str) -> dict[str, str]:
    """Each variable that a file asks for, with what it takes when that is unset."""
    pattern = _COMPOSE_VARIABLE if name == "compose.yaml" else _VARIABLE
    return {found[1]: found[2] or "" for found in pattern.finditer((DEPLOY / name).read_text(encoding="utf-8"))}


def collector(name: str, **environment: str) -> dict[str, Any]:
    """A collector's configuration as the collector reads it: .env.example's values, and over them those given."""
    return _parsed(name, _VARIABLE, environment)


def compose() -> dict[str, Any]:
    """The compose file, with .env.example's values."""
    return _parsed("compose.yaml", _COMPOSE_VARIABLE, {})


def _parsed(name: str, pattern: re.Pattern[str], environment: dict[str, str]) -> dict[str, Any]:
    values = example_environment() | environment
    text = (DEPLOY / name).read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(pattern.sub(lambda found: values[found[1]], text))
    return parsed
