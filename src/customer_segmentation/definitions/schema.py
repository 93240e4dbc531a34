"""The language as a JSON schema for editors, and as the tables of the guide: both are written from it."""

import json
import re
from pathlib import Path
from typing import Any

from customer_segmentation.definitions.language import Language, Rules, read_language
from customer_segmentation.environment import PROJECT

SCHEMA = PROJECT / "schemas" / "segmentation.schema.json"
GUIDE = PROJECT / "docs" / "guides" / "add_a_segment.md"
GENERATED = re.compile(r"(<!-- begin generated -->\n).*?(<!-- end generated -->)", re.DOTALL)
NAME = "^[a-z][a-z0-9_]*$"
Schema = dict[str, Any]

TYPES: dict[str, Schema] = {
    "text": {"type": "string", "minLength": 1},
    "condition": {"type": "string", "minLength": 1},
    "name": {"type": "string", "pattern": NAME},
    "names": {"type": "array", "items": {"type": "string", "pattern": NAME}},
    "reference": {"type": "string", "pattern": r"^\w+([.]\w+)?$"},
    "number": {"type": "integer"},
    "share": {"type": "number", "minimum": 0, "maximum": 1},
    "date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
}
ENTRIES = {
    "label": "Keys of `label`",
    "treatment": "Keys of `treatment`",
    "expect": "Keys of a claim in `expect`",
    "deprecated": "Keys of `deprecated`",
}


def schema(language: Language) -> Schema:
    """Return the JSON schema (draft 7, which editors know) of a property file that holds definitions.

    It knows keys, values and shapes. What needs other places (columns, names of other segments, conditions
    that contradict each other) is left to the checks of the build.
    """
    learned = {"properties": {"assignment": {"const": "learned"}}, "required": ["assignment"]}
    segmentation = _entry("segmentation", language) | {
        "if": learned,
        "then": {
            "properties": {
                "segments": {"items": {"$ref": "#/definitions/learned_segment"}},
                "otherwise": False,
            },
            "required": ["column"],
        },
        "else": {
            "properties": {
                "segments": {"minItems": 1, "items": {"$ref": "#/definitions/segment"}},
                **{key: False for key, rules in language["segmentation"].items() if "only" in rules},
            },
            "required": ["segments"],
        },
    }
    segmentation["properties"]["segments"].pop("items")
    of_learned = {key: rules for key, rules in language["segment"].items() if rules.get("learned")}
    definitions = {name: _entry(name, language) for name in language if name != "segmentation"}
    definitions["learned_segment"] = _entry("segment", {"segment": of_learned})
    shared = {
        "type": "object",
        "additionalProperties": TYPES["condition"],
        "propertyNames": {"pattern": NAME},
    }
    meta = {
        "type": "object",
        "properties": {
            "segmentation": {"$ref": "#/definitions/segmentation"},
            "shared_conditions": shared
            | {
                "description": "Names that any condition may use, each with the condition that it stands for."
            },
        },
        "anyOf": [{"required": ["segmentation"]}, {"required": ["shared_conditions"]}],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Segment definitions",
        "description": "Written by `segmentation schema` from macros/segments/definition_language.sql.",
        "type": "object",
        "required": ["models"],
        "properties": {
            "models": {"type": "array", "minItems": 1, "items": _within(("config", "meta"), meta)}
        },
        "definitions": {"segmentation": segmentation, **definitions},
    }


def tables(language: Language) -> str:
    """Return the tables of the guide: a row for each key."""
    lines = [*_table("Key", language["segmentation"]), "", *_table("Key of a segment", language["segment"])]
    for entry, heading in ENTRIES.items():
        lines += ["", *_table(heading, language[entry])]
    return "\n".join(lines)


def is_in_sync() -> bool:
    """Tell whether schema and guide say what the macro says."""
    return all(path.is_file() and path.read_text(encoding="utf-8") == text for path, text in _files().items())


def write() -> None:
    """Bring schema and guide up to date."""
    for path, text in _files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _files() -> dict[Path, str]:
    language = read_language()
    guide = GUIDE.read_text(encoding="utf-8")
    return {
        SCHEMA: json.dumps(schema(language), indent=2, ensure_ascii=False) + "\n",
        GUIDE: GENERATED.sub(lambda found: f"{found[1]}\n{tables(language)}\n\n{found[2]}", guide),
    }


def _within(keys: tuple[str, ...], inner: Schema) -> Schema:
    """Return a schema that has another one below some keys, all of which must be there."""
    for key in reversed(keys):
        inner = {"type": "object", "required": [key], "properties": {key: inner}}
    return inner


def _entry(name: str, language: Language) -> Schema:
    keys = language[name]
    return {
        "type": "object",
        "properties": {key: _value(rules) for key, rules in keys.items()},
        "required": [key for key, rules in keys.items() if rules.get("required")],
        "additionalProperties": False,
    }


def _value(rules: Rules) -> Schema:
    kind = rules.get("type", "text")
    value = dict(TYPES[kind]) if kind in TYPES else {"$ref": f"#/definitions/{kind}"}
    if "values" in rules:
        value = {"enum": rules["values"]}
    if rules.get("list"):
        value = {"type": "array", "items": value}
    elif rules.get("many"):
        value = {"if": {"type": "array"}, "then": {"type": "array", "items": value}, "else": value}
    # draft 7 reads nothing beside a $ref
    value = {"allOf": [value]} if "$ref" in value else value
    default = {"default": rules["default"]} if "default" in rules else {}
    return value | {"description": rules["description"]} | default


def _table(heading: str, keys: dict[str, Rules]) -> list[str]:
    rows = [f"| {heading} | | Meaning |", "|---|---|---|"]
    for key, rules in keys.items():
        needed = "required" if rules.get("required") else rules.get("only", "")
        meaning = rules["description"]
        if "values" in rules and not all(f"`{value}`" in meaning for value in rules["values"]):
            meaning = f"{meaning.removesuffix('.')}: {_one_of(rules['values'])}."
        if "default" in rules:
            meaning += f" Default {rules['default']:.2f}."
        rows.append(f"| `{key}` | {needed} | {meaning} |")
    return rows


def _one_of(values: list[str]) -> str:
    *others, last = (f"`{value}`" for value in values)
    return f"{', '.join(others)} or {last}" if others else last
