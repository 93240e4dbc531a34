"""What a definition may say, read from the macro from which the checks follow."""

import re
from typing import Any

import yaml

from customer_segmentation.environment import PROJECT

MACRO = PROJECT / "macros" / "segments" / "definition_language.sql"
LANGUAGE = re.compile(r"\{%-? set language -?%\}(.*?)\{%-? endset -?%\}", re.DOTALL)

Rules = dict[str, Any]  # of a key
Language = dict[str, dict[str, Rules]]


def read_language() -> Language:
    """Return the language: {entry: {key: rules}}; the macro says what the rules mean."""
    language: Language = yaml.safe_load(LANGUAGE.findall(MACRO.read_text(encoding="utf-8"))[0])
    return language
