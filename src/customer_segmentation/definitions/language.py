"""What a definition may say, read from the macros from which the checks follow."""

import re
from functools import cache
from typing import Any

import yaml

from customer_segmentation.environment import PROJECT

MACRO = PROJECT / "macros" / "segments" / "definition_language.sql"

Rules = dict[str, Any]  # of a key
Language = dict[str, dict[str, Rules]]


def read_language() -> Language:
    """Return the language: {entry: {key: rules}}; the macro says what the rules mean."""
    language: Language = _stated("language")
    return language


@cache
def read_mistakes() -> dict[str, str]:
    """Return what is often written in a condition and can't be meant: {what to do: pattern}."""
    mistakes: dict[str, str] = _stated("mistakes")
    return mistakes


def _stated(name: str) -> Any:
    """Return what the macro file states under a name, as YAML."""
    block = re.compile(rf"\{{%-? set {name} -?%\}}(.*?)\{{%-? endset -?%\}}", re.DOTALL)
    return yaml.safe_load(block.findall(MACRO.read_text(encoding="utf-8"))[0])
