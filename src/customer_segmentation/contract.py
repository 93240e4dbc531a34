"""The input contract as a page: its tables are written from the macro, the prose around them by hand."""

import re
from typing import Any

import yaml

from customer_segmentation.environment import PROJECT

MACRO = PROJECT / "macros" / "staging" / "input_contract.sql"
PAGE = PROJECT / "docs" / "input_contract.md"
DEFINITION = re.compile(r"\{%-? set contract -?%\}(.*?)\{%-? endset -?%\}", re.DOTALL)
GENERATED = re.compile(r"(<!-- begin generated -->\n).*?(<!-- end generated -->)", re.DOTALL)
TYPES = {
    "string": "text",
    "decimal": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "date": "date",
    "timestamp": "date and time",
}


def read_contract() -> dict[str, dict[str, Any]]:
    """Return the contract: {input: {description, key, columns}}."""
    contract: dict[str, dict[str, Any]] = yaml.safe_load(
        DEFINITION.findall(MACRO.read_text(encoding="utf-8"))[0]
    )
    return contract


def page() -> str:
    """Return the page as it should be: as it stands, with tables that follow the macro."""
    tables = "\n".join(_section(name, definition) for name, definition in read_contract().items())
    return GENERATED.sub(lambda found: f"{found[1]}\n{tables}\n{found[2]}", PAGE.read_text(encoding="utf-8"))


def is_in_sync() -> bool:
    """Tell whether the page says what the macro says."""
    return page() == PAGE.read_text(encoding="utf-8")


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(page(), encoding="utf-8")


def _section(name: str, definition: dict[str, Any]) -> str:
    lines = [
        f"## `{name}`",
        "",
        f"{definition['description']} Key: {', '.join(f'`{column}`' for column in definition['key'])}.",
        "",
        "| Column | Type | Required | When empty | Accepted | Meaning |",
        "|---|---|---|---|---|---|",
    ]
    for column, rules in definition["columns"].items():
        cells = [
            f"`{column}`",
            TYPES[rules["type"]],
            "yes" if rules.get("required") else "",
            f"`{rules['default']}`" if "default" in rules else "",
            _accepted(rules),
            rules["description"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _accepted(rules: dict[str, Any]) -> str:
    accepted = []
    if "values" in rules:
        accepted.append(", ".join(f"`{value}`" for value in rules["values"]))
    if rules["type"] in ("decimal", "integer"):
        limit = rules["max"]
        accepted.append(f"0 to {f'`{limit}`' if isinstance(limit, str) else format(limit, ',')}")
    if rules["type"] in ("date", "timestamp"):
        accepted.append(
            f"{rules.get('earliest', '1970-01-01')} "
            + ("or later" if rules.get("known_later") else "to the as-of date")
        )
    if "references" in rules:
        accepted.append(f"found in `{rules['references']}`")
    return "; ".join(accepted)
