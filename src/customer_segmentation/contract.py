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


def read_contract(lines: bool = False) -> dict[str, dict[str, Any]]:
    """Return the contract: {input: {description, key, columns}}; with the columns of lines if asked for."""
    contract: dict[str, dict[str, Any]] = yaml.safe_load(
        DEFINITION.findall(MACRO.read_text(encoding="utf-8"))[0]
    )
    if not lines:
        columns = contract["orders"]["columns"]
        contract["orders"]["columns"] = {
            name: rules for name, rules in columns.items() if not rules.get("line")
        }
    return contract


def page() -> str:
    """Return the page as it should be: as it stands, with tables that follow the macro."""
    tables = "\n".join(_section(name, definition) for name, definition in read_contract(lines=True).items())
    return GENERATED.sub(lambda found: f"{found[1]}\n{tables}\n{found[2]}", PAGE.read_text(encoding="utf-8"))


def is_in_sync() -> bool:
    """Tell whether the page says what the macro says."""
    return page() == PAGE.read_text(encoding="utf-8")


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(page(), encoding="utf-8")


def _section(name: str, definition: dict[str, Any]) -> str:
    lines = [f"## `{name}`", "", f"{definition['description']} Key: {_listed(definition['key'])}."]
    columns = definition["columns"]
    lines += _table({column: rules for column, rules in columns.items() if not rules.get("line")})
    if "key_of_lines" in definition:
        lines += [
            "",
            f"With `grain: line` the key is {_listed(definition['key_of_lines'])}, and there are also:",
        ]
        lines += _table({column: rules for column, rules in columns.items() if rules.get("line")})
    return "\n".join([*lines, ""])


def _listed(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _table(columns: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "",
        "| Column | Type | Required | When empty | Accepted | Meaning |",
        "|---|---|---|---|---|---|",
    ]
    for column, rules in columns.items():
        cells = [
            f"`{column}`",
            TYPES[rules["type"]],
            _required(rules),
            f"`{rules['default']}`" if "default" in rules else "",
            _accepted(rules),
            rules["description"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _required(rules: dict[str, Any]) -> str:
    if not rules.get("required"):
        return ""
    return "the column" if rules.get("may_be_empty") else "yes"


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
