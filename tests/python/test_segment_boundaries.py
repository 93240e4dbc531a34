"""Unit tests of the shipped segmentations show a customer on each side of every boundary.

Each comparison in a definition is changed a little (`>` to `>=`), taken out (`true`) and made impossible
(`false`). If the customers of the unit tests stay where they are, nobody in them stands at that boundary.
"""

from collections.abc import Iterator

import duckdb
import pytest
import yaml
from sqlglot import exp
from test_segment_definitions import DEFINITIONS, PROJECT

from customer_segmentation.definitions.conditions import OPPOSITE, as_text, parse
from customer_segmentation.definitions.written import Written, read, resolved

COMPARISONS = (*OPPOSITE, exp.Between, exp.In)
NEIGHBOUR = {exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT}
BY_CONDITIONS = [name for name, definition in DEFINITIONS.items() if definition["assignment"] != "learned"]


def instead_of(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what could stand in place of a comparison."""
    if isinstance(node, exp.Between):
        at_least = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        at_most = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        yield from (at_least, at_most)
        yield exp.and_(exp.GT(**at_least.copy().args), at_most)
        yield exp.and_(at_least, exp.LT(**at_most.copy().args))
        return
    if type(node) in NEIGHBOUR:
        yield NEIGHBOUR[type(node)](**node.copy().args)
    yield from (exp.true(), exp.false())


def changed(condition: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, the condition so changed), for every comparison of a condition."""
    tree = parse(condition)
    for place, node in enumerate(tree.find_all(*COMPARISONS)):
        for other in instead_of(node):
            copy = tree.copy()
            target = list(copy.find_all(*COMPARISONS))[place]
            if target is not copy:
                target.replace(exp.paren(other))
            yield f"{as_text(node)} as {as_text(other)}", as_text(other if target is copy else copy)


def expression(definition: Written) -> str:
    """Write a definition as SQL: the segment, or a list of those that overlap."""
    cases = [
        f"when {segment['when']} then '{segment['name']}'"
        for segment in definition["segments"]
        if segment["when"]
    ]
    if definition["assignment"] == "all_matches":
        placed = f"[{', '.join(f'case {case} end' for case in cases)}]"
    else:
        placed = f"case {' '.join(cases)} else 'otherwise' end"
    return f"case when {definition['population'] or 'true'} then {placed} end"


def variants(definition: Written) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, SQL), for every comparison of a definition."""
    for what, condition in changed(definition["population"]) if definition["population"] else ():
        yield f"population: {what}", expression({**definition, "population": condition})
    for place, segment in enumerate(definition["segments"]):
        for what, condition in changed(segment["when"]) if segment["when"] else ():
            segments = [*definition["segments"]]
            segments[place] = {**segment, "when": condition}
            yield f"{segment['name']}: {what}", expression({**definition, "segments": segments})


def customers_of_unit_tests(name: str) -> str:
    """Return the customers of the unit tests of a segmentation, as SQL."""
    path = PROJECT / "models" / "segments" / f"segments_{name}.yml"
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
    rows = [row for test in tests for given in test["given"] for row in given["rows"]]
    columns = sorted(
        {column for test in tests for column in test["overrides"]["macros"]["segmentation_columns"]}
    )
    values = ", ".join(f"({', '.join(as_sql(row.get(column)) for column in columns)})" for row in rows)
    return f"(values {values}) as customers ({', '.join(columns)})"


def as_sql(value: object) -> str:
    return "null" if value is None else f"'{value}'" if isinstance(value, str) else str(value).lower()


@pytest.mark.parametrize("name", BY_CONDITIONS)
def test_a_customer_stands_on_each_side_of_every_boundary(name: str):
    definition, customers = resolved(name, read(PROJECT)), customers_of_unit_tests(name)
    tried = list(variants(definition))
    assert len(tried) > 5

    def placed(sql: str) -> list[tuple]:
        return duckdb.sql(f"select {sql} from {customers}").fetchall()

    as_written = placed(expression(definition))
    unnoticed = [what for what, sql in tried if placed(sql) == as_written]
    assert not unnoticed, f"no customer in the unit tests of {name} would notice:\n  " + "\n  ".join(
        unnoticed
    )


def test_a_boundary_without_a_customer_is_named():
    """The test above sees what it should: nobody here stands below the boundary."""
    case = {
        "assignment": "first_match",
        "population": None,
        "segments": [{"name": "many", "when": "x >= 5"}, {"name": "few", "when": None}],
    }
    noticed = {
        what: duckdb.sql(f"select {sql} from (values (5), (6)) as t (x)").fetchall() != [("many",), ("many",)]
        for what, sql in variants(case)
    }
    assert noticed == {
        "many: x >= 5 as x > 5": True,
        "many: x >= 5 as true": False,
        "many: x >= 5 as false": True,
    }


def test_every_comparison_of_a_condition_is_changed_wherever_it_stands():
    assert dict(changed("not (a < 1 or coalesce(b, 0) = 2) and c between 1 and 2 and d in ('x')")) == {
        "a < 1 as a <= 1": "not ((a <= 1) or coalesce(b, 0) = 2) and c between 1 and 2 and d in ('x')",
        "a < 1 as true": "not ((true) or coalesce(b, 0) = 2) and c between 1 and 2 and d in ('x')",
        "a < 1 as false": "not ((false) or coalesce(b, 0) = 2) and c between 1 and 2 and d in ('x')",
        "coalesce(b, 0) = 2 as true": "not (a < 1 or (true)) and c between 1 and 2 and d in ('x')",
        "coalesce(b, 0) = 2 as false": "not (a < 1 or (false)) and c between 1 and 2 and d in ('x')",
        **{
            f"c between 1 and 2 as {other}": (
                f"not (a < 1 or coalesce(b, 0) = 2) and ({other}) and d in ('x')"
            )
            for other in ("c >= 1", "c <= 2", "c > 1 and c <= 2", "c >= 1 and c < 2")
        },
        "d in ('x') as true": "not (a < 1 or coalesce(b, 0) = 2) and c between 1 and 2 and (true)",
        "d in ('x') as false": "not (a < 1 or coalesce(b, 0) = 2) and c between 1 and 2 and (false)",
    }
