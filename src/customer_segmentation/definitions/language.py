"""What a definition may say, read from the macro from which the checks follow."""

import re

import yaml

from customer_segmentation.environment import PROJECT

MACRO = PROJECT / "macros" / "segments" / "definition_language.sql"
LANGUAGE = re.compile(r"\{%-? set language -?%\}(.*?)\{%-? endset -?%\}", re.DOTALL)

Language = dict[str, dict[str, dict]]


def read_language() -> Language:
    """Return the language: {entry: {key: rules}}; the macro says what the rules mean."""
    return yaml.safe_load(LANGUAGE.search(MACRO.read_text(encoding="utf-8"))[1])
