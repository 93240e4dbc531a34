"""Conditions of segments as people read them: their terms, each with a customer's own values."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlglot import TokenType

from customer_segmentation.definitions.conditions import tokens_of

EQUAL = re.compile(r"(?:(?:and|or) )?\w+ = '?([^']*)'?")
UNITS = {"_12m": " in 12 months", "_90d": " in 90 days", "_365d": " in 365 days"}


def columns_of(condition: str, known: Mapping[str, object]) -> list[str]:
    """Return the columns that a condition uses, in the order in which it does."""
    words = (token.text.lower() for token in tokens_of(condition) if token.token_type != TokenType.STRING)
    return [word for word in dict.fromkeys(words) if word in known]


def terms_of(condition: str) -> list[str]:
    """Split a condition at each `and` and `or` outside of brackets; the words lead the terms that they join.

    "a = 1 and (b or c)" becomes ["a = 1", "and (b or c)"]. The `and` of a between splits nothing.
    """
    starts, depth, in_between = [0], 0, False
    for token in tokens_of(condition):
        kind = token.token_type
        depth += (kind in (TokenType.L_PAREN, TokenType.CASE)) - (kind in (TokenType.R_PAREN, TokenType.END))
        if depth == 0 and kind == TokenType.AND and in_between:
            in_between = False
        elif depth == 0 and kind in (TokenType.AND, TokenType.OR):
            starts.append(token.start)
        elif depth == 0 and kind == TokenType.BETWEEN:
            in_between = True
    parts = [condition[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return [" ".join(part.split()) for part in parts]


def with_values(condition: str, values: Mapping[str, object]) -> str:
    """Write a condition with a customer's values behind its terms: "overdue_ratio > 3 (4.2)"."""
    return " ".join(f"{term}{_own(term, values)}" for term in terms_of(condition))


def alternatives_of(condition: str) -> list[str]:
    """Split a condition at each `or` outside of brackets."""
    found: list[list[str]] = [[]]
    for term in terms_of(condition):
        if term.lower().startswith("or "):
            found.append([term[3:]])
        else:
            found[-1].append(term)
    return [" ".join(terms) for terms in found]


def listed(columns: list[str], values: Mapping[str, object]) -> str:
    """Write columns with a customer's values: "orders_12m 3, kind person"."""
    return ", ".join(f"{column} {as_text(values[column])}" for column in columns)


def in_words(feature: str) -> str:
    """Write the name of a feature as words: "revenue in 12 months"."""
    for ending, words in UNITS.items():
        if feature.endswith(ending):
            return feature.removesuffix(ending).replace("_", " ") + words
    return feature.replace("_", " ")


def as_text(value: object) -> str:
    """Write a value as people read it: rounded, with thousands, and unknown where there is none."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return f"{value:,.0f}" if value == int(value) or not -1000 < value < 1000 else f"{value:,.2f}"
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def _own(term: str, values: Mapping[str, object]) -> str:
    columns = columns_of(term, values)
    equal = EQUAL.fullmatch(term)
    if columns and equal and equal[1] == as_text(values.get(columns[0])):
        return ""  # the term says the value itself
    if len(columns) == 1:
        return f" ({as_text(values[columns[0]])})"
    return f" ({listed(columns, values)})" if columns else ""
