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


@cache
def reserved_words() -> frozenset[str]:
    """Return the words of SQL that nothing can be called."""
    text = (PROJECT / "macros" / "segments" / "conditions.sql").read_text(encoding="utf-8")
    (words,) = re.findall(r"macro reserved_words\(\).*?findall\('\S+', '(.*?)'\)", text, re.DOTALL)
    return frozenset(words.split())


def columns() -> set[str]:
    """Return the columns that conditions may use: what property files describe of features and scores."""
    listed = (PROJECT / "macros" / "features" / "feature_models.sql").read_text(encoding="utf-8")
    described = set(re.findall(r"'(\w+)'", listed)) - {"features_defined"}  # a variable names those
    return {
        column["name"]
        for path in (PROJECT / "models").glob("*/_*__models.yml")
        for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["models"]
        if model["name"] in described
        for column in model["columns"]
    }


def _stated(name: str) -> Any:
    """Return what the macro file states under a name, as YAML."""
    block = re.compile(rf"\{{%-? set {name} -?%\}}(.*?)\{{%-? endset -?%\}}", re.DOTALL)
    return yaml.safe_load(block.findall(MACRO.read_text(encoding="utf-8"))[0])
