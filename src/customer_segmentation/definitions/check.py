"""What definitions mean, checked before anything is built: who can be in a segment, and what is compared.

Each start of dbt has checks of its own, which keep wrong SQL out (macros/segments/check_segmentation.sql).
What they see is left to them.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import duckdb
from sqlglot import exp

from customer_segmentation import databases
from customer_segmentation.definitions.conditions import (
    OPPOSITE,
    Alternative,
    ConditionError,
    alternatives,
    as_text,
    mistakes,
    parse,
)
from customer_segmentation.definitions.files import DefinitionError
from customer_segmentation.definitions.written import Written, read, resolved, segments_of
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

GUIDE = "docs/guides/add_a_segment.md"
FEATURES = "segments.customer_features"
# {what a column's values are: (types of them, texts that they may be compared with, what to write)}
KINDS = {
    "text": (r"VARCHAR|ENUM.*|UUID", r".*", "a text such as 'business'"),
    "number": (
        r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|DOUBLE|FLOAT",
        r"\s*[-+]?[\d.]+(e[-+]?\d+)?\s*",
        "a number",
    ),
    "date": (r"DATE|TIMESTAMP.*", r"\s*\d{4}-\d{1,2}-\d{1,2}\b.*", "a day such as '2025-03-01'"),
    "truth value": (r"BOOLEAN", r"\s*(t|f|true|false|y|n|yes|no|1|0)\s*", "true or false"),
}

Kinds = Mapping[str, str]  # {column: what its values are}


def check(project: Path, database: Path, names: Collection[str] | None = None) -> None:
    """Raise a DefinitionError with all mistakes in the definitions of a project, which may use this one.

    names: only these segmentations. What the columns of features are is known from a database that was
    built before, if there is one.
    """
    definitions, kinds = read(*dict.fromkeys((PROJECT, project))), kinds_in(database)
    told = []
    for name in definitions.segmentations:
        is_meant = names is None or name in names
        found = problems(resolved(name, definitions), kinds) if is_meant else []
        if found:
            listed = "\n  - ".join(found)
            told.append(f"{definitions.files[name]} can't be used:\n  - {listed}")
    if told:
        raise DefinitionError("\n".join([*told, f"  How to write a definition: {GUIDE}."]))


def kinds_in(database: Path, relation: str = FEATURES) -> dict[str, str]:
    """Return what the values of each column of features are; nothing if there is no database to tell."""
    with suppress(ReadableError, duckdb.Error), databases.opened(database) as connection:
        columns = connection.execute(f"describe {relation}").fetchall()
        return {
            name: kind
            for name, of, *_ in columns
            for kind, (types, *_) in KINDS.items()
            if re.fullmatch(types, of)
        }
    return {}


def problems(definition: Written, kinds: Kinds | None = None) -> list[str]:
    """Return what is wrong with a definition whose conditions are resolved, in words."""
    found: list[str] = []
    conditions = {f"segment '{one.get('name')}': ": one.get("when") for one in segments_of(definition)}
    for where, condition in {"population: ": definition.get("population"), **conditions}.items():
        if not isinstance(condition, str) or not condition:
            continue
        mistaken = [f"{where}{mend} ({condition.strip()})" for mend in mistakes(condition)]
        if mistaken:
            found += mistaken
            continue
        try:
            found += [where + problem for problem in dict.fromkeys(misfits(condition, kinds or {}))]
        except ConditionError as error:
            found.append(f"{where}the condition can't be read: {error} ({condition.strip()})")
    # what follows from conditions that can't be read would only distract
    return found or list(unreachable(definition))


def misfits(condition: str, kinds: Kinds) -> Iterator[str]:
    """Yield what the database refuses to compare, or to take for true or false."""
    tree = parse(condition)
    for node in tree.find_all(*OPPOSITE, exp.In, exp.Between):
        sides = list(node.iter_expressions())
        for column in sides:
            kind = kinds.get(column.name.lower()) if isinstance(column, exp.Column) else None
            for other in sides if kind else []:
                value = other.this if isinstance(other, exp.Neg) else other
                if isinstance(value, exp.Literal) and not _fits(value, str(kind)):
                    yield (
                        f"{column.name} is a {kind} and is compared with {other.sql()}: compare it with "
                        f"{KINDS[str(kind)][2]} ({as_text(node)})"
                    )
    for node in tree.find_all(exp.Column):
        kind = kinds.get(node.name.lower())
        if kind in ("text", "date") and isinstance(node.parent, exp.Connector | exp.Not | None):
            yield f"{node.name} is a {kind} and no condition: compare it with something"


def _fits(value: exp.Literal, kind: str) -> bool:
    if not value.is_string:
        return kind in ("number", "truth value")
    return re.fullmatch(KINDS[kind][1], value.this, re.IGNORECASE | re.DOTALL) is not None


def unreachable(definition: Written) -> Iterator[str]:
    """Yield the segments that nobody can be in: they contradict themselves, or earlier ones always win."""
    population = definition.get("population")
    earlier: list[tuple[str, Alternative]] = []
    for segment in segments_of(definition):
        name, condition = segment.get("name"), segment.get("when")
        if not isinstance(condition, str) or not condition:
            continue
        possible = alternatives(condition, population)
        winners = [winner for one in possible if (winner := _winner(one, earlier))]
        condition = condition.strip()
        if not possible:
            within = f", within {population}" if population else ""
            yield f"segment '{name}': its condition can't be true ({condition}{within})"
        elif len(winners) == len(possible):
            named = "' and '".join(dict.fromkeys(winners))
            yield (
                f"segment '{name}': nobody can be in it, because '{named}' comes first and takes all of "
                f"them: move it up, or change its condition ({condition})"
            )
        if definition.get("assignment") == "first_match":
            earlier += [(str(name), one) for one in alternatives(condition)]


def _winner(alternative: Alternative, earlier: Iterable[tuple[str, Alternative]]) -> str | None:
    return next((name for name, other in earlier if alternative.is_within(other)), None)
